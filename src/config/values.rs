//! The types of settings that are neither numbers nor `true`/`false`.

use serde::{Deserialize, Serialize};

/// A format in which a sweep keeps an export of its run up to date while it trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Export {
    /// Event files in the folder `tensorboard` of the run directory.
    TensorBoard,
    /// One row per measurement in `measurements.csv` in the run directory.
    Csv,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Model {
    /// A fully connected network with these hidden widths. An empty list makes a linear classifier.
    Mlp {
        /// The widths of the hidden layers.
        widths: Vec<usize>,
    },
    /// conv 3×3 → pool 2×2 → conv 3×3 → pool 2×2 → linear.
    Cnn {
        /// The output channels of the two convolutions.
        channels: (usize, usize),
    },
    /// VGG-11 (Simonyan and Zisserman 2015) for small images: eight convolutions, a classifier with two hidden layers.
    Vgg11 {
        /// The channels of the first convolution. The last convolutions have eight times as many.
        #[serde(default = "wide")]
        width: usize,
    },
    /// ResNet-18 (He et al. 2016) for small images: eight residual blocks of two convolutions in four stages.
    ResNet18 {
        /// The channels of the first stage. The last stage has eight times as many.
        #[serde(default = "wide")]
        width: usize,
    },
    /// ResNet-20 (He et al. 2016, section 4.2): nine residual blocks of two convolutions in three stages.
    ResNet20 {
        /// The channels of the first stage. The last stage has four times as many.
        #[serde(default = "narrow")]
        width: usize,
    },
}

/// Returns the width of VGG-11 and ResNet-18 in their papers.
fn wide() -> usize {
    64
}

/// Returns the width of ResNet-20 in its paper.
fn narrow() -> usize {
    16
}

impl Model {
    /// Returns whether the network has a hidden layer, on which activation, dropout and batch norm act.
    #[must_use]
    pub fn has_hidden_layers(&self) -> bool {
        match self {
            Self::Mlp { widths } => !widths.is_empty(),
            Self::Cnn { .. } | Self::Vgg11 { .. } | Self::ResNet18 { .. } | Self::ResNet20 { .. } => true,
        }
    }
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
    /// −log of the softmax of the outputs, at the label.
    CrossEntropy,
    /// ½‖output − one-hot(label)‖².
    SquaredError,
}

/// The rule that turns gradients into steps. `momentum`, `weight_decay` and `rho` belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Optimizer {
    /// Gradient descent, with heavy-ball momentum if there is a momentum.
    Sgd,
    /// Gradient descent with Nesterov momentum.
    Nesterov,
    /// RMSProp, not centered, with heavy-ball momentum if there is a momentum.
    RmsProp {
        /// The decay α of the average squared gradient.
        #[serde(default = "alpha")]
        alpha: f64,
        /// The number ε that is added to the root of the average.
        #[serde(default = "eps")]
        eps: f64,
    },
    /// Adam, with weight decay in the gradient.
    Adam {
        /// The decay β₁ of the average gradient.
        #[serde(default = "beta1")]
        beta1: f64,
        /// The decay β₂ of the average squared gradient.
        #[serde(default = "beta2")]
        beta2: f64,
        /// The number ε that is added to the root of the average square.
        #[serde(default = "eps")]
        eps: f64,
    },
    /// Adam with decoupled weight decay.
    AdamW {
        /// The decay β₁ of the average gradient.
        #[serde(default = "beta1")]
        beta1: f64,
        /// The decay β₂ of the average squared gradient.
        #[serde(default = "beta2")]
        beta2: f64,
        /// The number ε that is added to the root of the average square.
        #[serde(default = "eps")]
        eps: f64,
    },
}

/// Returns PyTorch's default of RMSProp.
fn alpha() -> f64 {
    0.99
}

/// Returns PyTorch's default of Adam, as the following two.
fn beta1() -> f64 {
    0.9
}

fn beta2() -> f64 {
    0.999
}

fn eps() -> f64 {
    1e-8
}

/// The schedule of the learning rate, after the warm-up if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Schedule {
    /// The rate does not change.
    Constant,
    /// The rate is multiplied by a factor at regular intervals.
    Step {
        /// The length of an interval, counted from the first step of the cell.
        every: Cadence,
        /// The factor, above 0 and at most 1.
        factor: f64,
    },
    /// The rate falls along half a cosine until the last planned step (Loshchilov and Hutter 2017, without restarts).
    Cosine {
        /// The final rate as a fraction of the full rate, from 0 to 1 (default 0).
        #[serde(default)]
        to: f64,
    },
}

/// A number of steps or epochs: an interval or a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cadence {
    /// This number of optimizer steps.
    Steps(u64),
    /// This number of passes over the training data.
    Epochs(u64),
}

/// How often λ_max is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Tracking {
    /// Each time after this number of optimizer steps.
    Steps(u64),
    /// Each time after this number of epochs.
    Epochs(u64),
    /// As often as this share of the cell's time allows, in (0, 0.9].
    Share(f64),
    /// Only at the start and at the end.
    Ends,
}

/// Which checkpoints of a cell are kept after it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// The one after the last step.
    Last,
    /// One each time after this interval, and the one after the last step.
    Every(Cadence),
}

/// Floating-point format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}
