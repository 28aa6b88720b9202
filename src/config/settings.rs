//! Every setting of one cell.

pub(super) mod probes;

use serde::{Deserialize, Serialize};

use super::schema::settings;
use super::{
    Activation, Augment, Cadence, Data, Extent, FilesHold, Loss, Model, Precision, Probe, Schedule, Selection, Subset,
    Tracking,
};

settings! {
    /// The data set (default `FashionMnistSubset`, which needs no download).
    data: Data = Data::FashionMnistSubset,
    /// How many training examples; `Full` for all (default).
    train_examples: Extent = Extent::Full,
    /// How many test examples; `Full` for all (default).
    test_examples: Extent = Extent::Full,
    /// Which they are where not all are in use, in both halves (default `First`).
    subset: Subset = Subset::First,
    /// How the images of training batches are varied; never those of a probe or an evaluation (default `Off`).
    augment: Augment = Augment::Off,
    /// The network; has no default.
    model: Model,
    /// The activation function after every hidden layer (default `Relu`).
    activation: Activation = Activation::Relu,
    /// Probability that a hidden unit is dropped during training, in [0, 1) (default 0).
    dropout: f64 = 0.0,
    /// Batch normalization after every hidden layer's affine map, before its activation (default off).
    batch_norm: bool = false,
    /// The loss, averaged over examples (default `CrossEntropy`).
    loss: Loss = Loss::CrossEntropy,
    /// η; has no default.
    learning_rate: f64,
    /// How the learning rate changes over the cell (default `Constant`).
    schedule: Schedule = Schedule::Constant,
    /// Over how many steps or epochs the learning rate first rises linearly (default none).
    warm_up: Option<Cadence> = None,
    /// Heavy-ball momentum β in [0, 1), without dampening (default 0).
    momentum: f64 = 0.0,
    /// Coefficient of w added to the gradient (default 0).
    weight_decay: f64 = 0.0,
    /// SAM's radius ρ: each step takes the gradient from where the loss is highest, to first order, within ρ of the
    /// parameters; 0 for plain descent (default).
    rho: f64 = 0.0,
    /// Examples in a step, or `Full` for full-batch gradient descent (default 32).
    batch_size: Extent = Extent::Count(32),
    /// Decides the initial parameters, the order of the examples, dropout, augmentation and the probes (default 0).
    seed: u64 = 0,
    /// Stop after so many optimizer steps (default none, but `steps` or `epochs` must be given).
    steps: Option<u64> = None,
    /// Stop after so many passes over the training data (default none, but `steps` or `epochs` must be given).
    epochs: Option<u64> = None,
    /// Stop when the evaluated training loss is at most this (default none).
    until_train_loss: Option<f64> = None,
    /// Stop when the evaluated training accuracy is at least this, in (0, 1] (default none).
    until_train_accuracy: Option<f64> = None,
    /// A training loss above this, of a step's batch or evaluated, ends the cell as diverged, as does one that is not
    /// finite (default 1e6).
    loss_limit: f64 = 1e6,
    /// How often losses and accuracies are evaluated, at the start and at the end always (default every epoch).
    evaluate_every: Cadence = Cadence::Epochs(1),
    /// How often λ_max is measured, at the start and at the end always (default every epoch).
    lambda_every: Tracking = Tracking::Epochs(1),
    /// Relative residual ‖Hv − λv‖/|λ| at which a measurement of λ_max stops (default 0.01).
    lambda_tolerance: f64 = 0.01,
    /// The most Hessian-vector products one measurement may take (default 200).
    lambda_max_products: u64 = 200,
    /// Every how many measurements λ_max is checked from a cold start; 0 for never (default 10).
    audit_every: u64 = 10,
    /// The sets of examples λ_max is measured on; tables show the first (default one of 1000 held-out examples).
    probes: Vec<Probe> = vec![Probe::default()],
    /// Examples in one forward and backward pass; larger sets are accumulated over chunks of this size (default 1000).
    chunk_size: usize = 1000,
    /// With batch norm and full-batch gradient descent: how many examples share their statistics (default `Full`).
    statistics_group: Extent = Extent::Full,
    /// Floating-point format of parameters and data (default `F32`).
    precision: Precision = Precision::F32,
    /// Whether CUDA may round the factors of 32-bit products to TF32's ten bits of mantissa, which costs λ_max digits. The
    /// CPU does not have it (default off).
    tf32: bool = false,
    /// Whether a search for λ_max on CUDA may make its first products in TF32; its last ones, of which value and residual are,
    /// it makes in 32 bits. The CPU does not have it (default off).
    search_tf32: bool = false,
    /// Whether cuDNN may choose the algorithms of convolutions by trying out which is the fastest, so that runs are not
    /// repeatable to the bit. The CPU does not have it (default off).
    cudnn_autotune: bool = false,
    /// Whether cuDNN keeps to algorithms that give the same bits each time, so that two runs on CUDA agree to the last bit.
    /// The CPU does so anyway (default off).
    deterministic: bool = false,
}

impl Settings {
    /// How many training examples are in use.
    #[must_use]
    pub fn train_len(&self) -> usize {
        self.train_examples.of(self.data.train_len())
    }

    /// How many test examples are in use.
    #[must_use]
    pub fn test_len(&self) -> usize {
        self.test_examples.of(self.data.test_len())
    }

    /// Optimizer steps in one epoch; a last, smaller batch counts.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        let train_len = self.train_len();
        train_len.div_ceil(self.batch_size.of(train_len).max(1)) as u64
    }

    /// The most optimizer steps the cell can take: whichever of `steps` and `epochs` comes first.
    #[must_use]
    pub fn planned_steps(&self) -> u64 {
        let epochs = self.epochs.map(|epochs| epochs.saturating_mul(self.steps_per_epoch()));
        // A cell without either is refused when its config is loaded.
        self.steps.into_iter().chain(epochs).min().unwrap_or(0)
    }

    /// Whether the cell aims at a training loss or accuracy, and is comparable to others only if it gets there.
    #[must_use]
    pub fn has_aim(&self) -> bool {
        self.until_train_loss.is_some() || self.until_train_accuracy.is_some()
    }

    /// The examples in use.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection {
            data: self.data,
            train: self.train_examples,
            test: self.test_examples,
            subset: self.subset,
        }
    }

    /// Counts out `Full` where the files hold other numbers of examples than the data set officially has, so that
    /// steps, epochs and probes are those of the files.
    pub(super) fn count_out(&mut self, hold: FilesHold) {
        for (extent, held, official) in [
            (&mut self.train_examples, hold.train, self.data.train_len()),
            (&mut self.test_examples, hold.test, self.data.test_len()),
        ] {
            if *extent == Extent::Full && held != official {
                *extent = Extent::Count(held);
            }
        }
    }

    /// Caps the cell at so many optimizer steps.
    pub(super) fn cut_at(&mut self, steps: u64) {
        self.steps = Some(self.steps.map_or(steps, |own| own.min(steps)));
    }
}
