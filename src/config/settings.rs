//! Every setting of one cell.

use serde::{Deserialize, Serialize};

/// Everything that decides what one cell computes; defaults filled in, nothing left open.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// The data set.
    pub data: Data,
    /// How many training examples, the first of the file; `Full` for all.
    pub train_examples: Extent,
    /// How many test examples, the first of the file; `Full` for all.
    pub test_examples: Extent,
    /// The network.
    pub model: Model,
    /// The activation function after every hidden layer.
    pub activation: Activation,
    /// Probability that a hidden unit is dropped during training, in [0, 1).
    pub dropout: f64,
    /// Batch normalization after every hidden layer's affine map, before its activation.
    pub batch_norm: bool,
    /// The loss, averaged over examples.
    pub loss: Loss,
    /// η.
    pub learning_rate: f64,
    /// Heavy-ball momentum β in [0, 1), without dampening.
    pub momentum: f64,
    /// Coefficient of w added to the gradient.
    pub weight_decay: f64,
    /// Examples in a step, or `Full` for full-batch gradient descent.
    pub batch_size: Extent,
    /// Decides the initial parameters, the order of the examples, dropout and the probes.
    pub seed: u64,
    /// Stop after so many optimizer steps.
    pub steps: Option<u64>,
    /// Stop after so many passes over the training data.
    pub epochs: Option<u64>,
    /// Stop when the evaluated training loss is at most this.
    pub until_train_loss: Option<f64>,
    /// Stop when the evaluated training accuracy is at least this, in (0, 1].
    pub until_train_accuracy: Option<f64>,
    /// How often losses and accuracies are evaluated (at the start and at the end always).
    pub evaluate_every: Cadence,
    /// How often λ_max is measured (at the start and at the end always).
    pub lambda_every: Tracking,
    /// Relative residual ‖Hv − λv‖/|λ| at which a measurement of λ_max stops.
    pub lambda_tolerance: f64,
    /// The most Hessian-vector products one measurement may take.
    pub lambda_max_products: u64,
    /// Every how many measurements λ_max is checked from a cold start; 0 for never.
    pub audit_every: u64,
    /// The sets of examples λ_max is measured on; tables show the first.
    pub probes: Vec<Probe>,
    /// Examples in one forward and backward pass; larger sets are accumulated over chunks of this size.
    pub chunk_size: usize,
    /// With batch norm and full-batch gradient descent: how many examples share their statistics.
    pub statistics_group: Extent,
    /// Floating-point format of parameters and data.
    pub precision: Precision,
}

/// A data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Data {
    /// The balanced Fashion-MNIST subset inside the program: 2,000 training and 2,000 test images.
    FashionMnistSubset,
    /// Fashion-MNIST: 60,000 training and 10,000 test images of 28×28.
    FashionMnist,
    /// MNIST: 60,000 training and 10,000 test images of 28×28.
    Mnist,
}

/// All of something, written `Full`, or a number of examples, written as the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extent {
    /// All there are.
    Full,
    /// So many examples.
    Count(usize),
}

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Model {
    /// Fully connected, with these hidden widths; an empty list is a linear classifier.
    Mlp {
        /// Widths of the hidden layers.
        widths: Vec<usize>,
    },
    /// conv 3×3 → pool 2×2 → conv 3×3 → pool 2×2 → linear.
    Cnn {
        /// Output channels of the two convolutions.
        channels: (usize, usize),
    },
}

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// max(0, x).
    Relu,
    /// tanh x.
    Tanh,
}

/// A loss, averaged over examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loss {
    /// −log softmax(output)[label].
    CrossEntropy,
    /// ½‖output − one-hot(label)‖².
    SquaredError,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cadence {
    /// Every so many optimizer steps.
    Steps(u64),
    /// Every so many epochs.
    Epochs(u64),
}

/// How often λ_max is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Tracking {
    /// Every so many optimizer steps.
    Steps(u64),
    /// Every so many epochs.
    Epochs(u64),
    /// As often as this share of the cell's time allows, in (0, 1).
    Share(f64),
    /// Only at the start and at the end.
    Ends,
}

/// A fixed set of examples on which λ_max is measured, drawn once per cell from its seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Where its examples come from.
    #[serde(default)]
    pub from: Split,
    /// How many.
    #[serde(default = "Probe::default_examples")]
    pub examples: Extent,
    /// Which batch-norm statistics it uses.
    #[serde(default)]
    pub statistics: Statistics,
    /// With batch statistics: how many examples share them, `Full` for the whole probe.
    #[serde(default = "Probe::default_group")]
    pub group: Extent,
}

impl Probe {
    fn default_examples() -> Extent {
        Extent::Count(1000)
    }

    fn default_group() -> Extent {
        Extent::Full
    }
}

/// A half of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Split {
    /// The test images, which are never trained on.
    #[default]
    HeldOut,
    /// The training images.
    Training,
}

/// Batch-norm statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statistics {
    /// Mean and variance of the examples themselves.
    #[default]
    Batch,
    /// The running averages gathered during training.
    Running,
}

/// Floating-point format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

/// One cell of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What it computes.
    pub settings: Settings,
    /// What tells it from the other cells, as (setting, value), in the order of the sweep's axes.
    pub swept: Vec<(String, String)>,
}
