//! Every setting of one cell.

pub(super) mod probes;

use serde::{Deserialize, Serialize};

use super::ranges;
use super::schema::settings;
use super::{
    Activation, Augment, Cadence, Data, Extent, FilesHold, Gauge, Keep, Loss, Model, Optimizer, Precision, Probe,
    Schedule, Selection, Subset, Tracking,
};

settings! {
    /// The data set. `FashionMnistSubset` is inside the program. The others are read from files. `Idx`, `Csv` and
    /// `Safetensors` are one's own: `files` is their folder, or their folder and the beginning of their names. `first_label`
    /// (0) is the label of the first class. `shape` (channels, height, width) and `features` are those of the files; if they
    /// are given, the files are checked. `label` (`"label"`) is the column of labels.
    data: Data = Data::FashionMnistSubset => [
        format!("`classes`: {}", ranges::CLASSES),
        format!("`first_label`: at most {}", ranges::FIRST_LABEL),
    ],
    /// The number of training examples. `Full` takes all that the files hold.
    train_examples: Extent = Extent::Full => ["`Full` or 1 to N, the training examples of the data set"],
    /// The number of test examples. `Full` takes all that the files hold.
    test_examples: Extent = Extent::Full => ["`Full` or 1 to N, the test examples of the data set"],
    /// Which examples are used if not all are used. `First` takes the first ones of the files. `Balanced(seed: n)` draws the
    /// same number from each class (the numbers may differ by one). The choice is the same in every cell.
    subset: Subset = Subset::First,
    /// Random changes to the images of training steps. `CropAndFlip(pad: n)` adds a black frame of n pixels, crops the image
    /// at a random place, and mirrors it with probability ½. Probes and evaluations always use the original images.
    augment: Augment = Augment::Off => ["`pad`: at least 1 and below N, the side of the images"],
    /// The network.
    model: Model => [
        format!("`widths`: at most {} hidden layers of {} units", ranges::MOST_LAYERS, ranges::LAYER_WIDTH),
        format!("`channels`: {}", ranges::CHANNELS),
        format!("`width`: {} (`ResNet20`: {})", ranges::WIDE_NETWORK, ranges::NARROW_NETWORK),
    ],
    /// The activation function after every hidden layer.
    activation: Activation = Activation::Relu,
    /// The probability that a hidden unit is dropped in a training step. Dropout acts after every hidden activation (`Mlp`),
    /// after every pool (`Cnn`), after the two hidden layers of the classifier (`Vgg11`), or between the two convolutions of a
    /// block (`ResNet18`, `ResNet20`).
    dropout: f64 = 0.0 => [ranges::BELOW_ONE],
    /// Batch normalization after every hidden linear map or convolution, before its activation (`Vgg11`: after convolutions
    /// only).
    batch_norm: bool = false,
    /// The loss, averaged over examples. `SquaredError` is ½‖output − one-hot label‖².
    loss: Loss = Loss::CrossEntropy,
    /// The learning rate η.
    learning_rate: f64 => [ranges::POSITIVE],
    /// How the learning rate changes during the cell. `Step(every: Epochs(30), factor: 0.1)` multiplies it by 0.1 after
    /// every 30 epochs. `Cosine(to: 0.0)` lowers it along half a cosine, from η to `to` times η, over the planned steps
    /// after the warm-up.
    schedule: Schedule = Schedule::Constant => [
        format!("`every`: {}", ranges::COUNT),
        format!("`factor`: {}", ranges::FACTOR),
        format!("`to`: {}", ranges::COSINE_END),
    ],
    /// The number of steps or epochs at the start over which the learning rate rises linearly to η. It must not exceed
    /// the planned steps.
    warm_up: Option<Cadence> = None => [ranges::COUNT],
    /// The rule that turns gradients into steps, as PyTorch computes it. `Sgd` is gradient descent. `Adam()` has β₁ = 0.9,
    /// β₂ = 0.999 and ε = 1e-8, `RmsProp()` has α = 0.99 and ε = 1e-8; each may be given. `AdamW` decouples the weight
    /// decay from the gradient. Several optimizers are swept as values of this setting.
    optimizer: Optimizer = Optimizer::Sgd => [
        format!("`alpha`, `beta1`, `beta2`: {}", ranges::BELOW_ONE),
        format!("`eps`: {}", ranges::EPS),
    ],
    /// The momentum β, without dampening: heavy ball for `Sgd` and `RmsProp`, looking ahead for `Nesterov`, which needs it.
    /// `Adam` and `AdamW` have `beta1` instead.
    momentum: f64 = 0.0 => [ranges::BELOW_ONE],
    /// The weight decay: this number times the parameters is added to the gradient. With `AdamW`, each step instead
    /// multiplies the parameters by 1 − η times this number. λ_max never includes its term.
    weight_decay: f64 = 0.0 => [ranges::NOT_NEGATIVE],
    /// The radius ρ of SAM: each step takes its gradient at w + ρ g/‖g‖. 0 is plain gradient descent.
    rho: f64 = 0.0 => [ranges::NOT_NEGATIVE],
    /// The number of examples in a step. `Full` is exact full-batch gradient descent.
    batch_size: Extent = Extent::Count(32) => [ranges::BATCH],
    /// Decides the initial parameters, the order of the examples, dropout, augmentation, probes and the start vectors of the
    /// eigensolver.
    seed: u64 = 0,
    /// Training stops after this number of optimizer steps. `steps` or `epochs` must be set.
    steps: Option<u64> = None => [ranges::COUNT],
    /// Training stops after this number of passes over the training examples. `steps` or `epochs` must be set.
    epochs: Option<u64> = None => [ranges::COUNT],
    /// Training stops when an evaluation finds a training loss of at most this value.
    until_train_loss: Option<f64> = None => [ranges::POSITIVE],
    /// Training stops when an evaluation finds a training accuracy of at least this value.
    until_train_accuracy: Option<f64> = None => [ranges::ACCURACY],
    /// A training loss above this value ends the cell as diverged. So does a training loss that is not finite. This holds for
    /// the loss of a step and for an evaluated loss.
    loss_limit: f64 = 1e6 => [ranges::POSITIVE],
    /// How often losses and accuracies are evaluated. They are also evaluated at the start and at the end.
    evaluate_every: Cadence = Cadence::Epochs(1) => [ranges::COUNT],
    /// How often λ_max is measured. `Share(s)` measures as often as this share of the cell's time allows, audits included.
    /// `Ends` measures at the start and at the end only; all others measure there, too.
    lambda_every: Tracking = Tracking::Epochs(1) => [
        format!("`Steps`, `Epochs`: {}", ranges::COUNT),
        format!("`Share`: {}", ranges::SHARE),
    ],
    /// A measurement of λ_max stops when its relative residual ‖Hv − λv‖/|λ| is at most this value. Values below 1e-5 need
    /// `precision: F64`.
    lambda_tolerance: f64 = 0.01 => [ranges::TOLERANCE],
    /// The largest number of Hessian-vector products in one search for λ_max.
    lambda_max_products: u64 = 200 => [ranges::PRODUCTS],
    /// The number of measurements from one audit to the next. An audit is a search from a random start vector. 0 turns
    /// audits off.
    audit_every: u64 = 10,
    /// The number k of largest eigenvalues that are tracked on each probe. λ_max is the first of them. More cost more: in
    /// two runs a measurement took 2.4 to 3.3 times as many products at k = 5 as at k = 1, and 4.5 to 6 times at k = 10.
    eigenvalues: usize = 1 => [ranges::EIGENVALUES],
    /// The sets of examples on which λ_max is measured. Tables show the first set.
    probes: Vec<Probe> = vec![Probe::default()] => [
        format!("{} probes", ranges::PROBES),
        "`examples`: `Full` or 1 to N, the examples in use".to_owned(),
        "`group`: `Full`, or at least 2 and at most N, the examples of the probe".to_owned(),
    ],
    /// What is measured in addition to λ_max. Each gauge is measured with λ_max, or at the interval `every`, and at the
    /// start and at the end of a cell. With `lambda_every: Share(s)`, gauges and λ_max together take this share of the time.
    /// `BatchSharpness()` is measured on 32 fresh batches of the training size, and on as many more as a relative standard
    /// error of `error` (0.05) needs, up to `batches` (256). `Alignment()` is the share of gradients in the
    /// space of the tracked eigenvectors, and the curvature along the last step; it is always measured with λ_max.
    /// `GaussNewton()` is λ_max of the Gauss–Newton matrix. `Trace()` takes `products` (40) Hessian-vector products `by:
    /// HutchPlusPlus` or `Hutchinson`. `Spectrum()` is the spectral density from `vectors` (4) random vectors with `steps`
    /// (60) products each, and the smallest eigenvalue. `Layers()` is λ_max of each layer's block. Spectrum and layers are
    /// measured at the ends unless `every` says more.
    gauges: Vec<Gauge> = Vec::new() => [
        format!("`error`: {}", ranges::RELATIVE_ERROR),
        format!("`batches`: {}", ranges::BATCHES),
        format!("`products`: {}", ranges::TRACE_PRODUCTS),
        format!("`vectors`: {}", ranges::SPECTRUM_VECTORS),
        format!("`steps`: {}", ranges::SPECTRUM_STEPS),
        format!("`every`: `WithLambda`, `Steps(n)`, `Epochs(n)` ({}), `Ends`", ranges::COUNT),
    ],
    /// Which checkpoints are kept after the cell has ended, as `checkpoint-STEP.safetensors` in its folder: `sharptui measure`
    /// needs one for what depends on the optimizer's state. Each takes the room of the parameters, of the last gradient,
    /// of the parameters before the step, and of the optimizer's state.
    keep_checkpoints: Option<Keep> = None => [format!("`Every`: {}", ranges::COUNT)],
    /// The number of examples in one forward and backward pass. Larger sets are added up chunk by chunk.
    chunk_size: usize = 1000 => [ranges::AT_LEAST_ONE],
    /// The number of training examples that share batch-norm statistics, with `batch_norm: true` and `batch_size: Full`.
    statistics_group: Extent = Extent::Full => [ranges::GROUP],
    /// The floating-point format of parameters and data: 32 or 64 bits.
    precision: Precision = Precision::F32,
    /// CUDA may round the factors of float32 products to the ten bits of TF32. λ_max then has about three correct
    /// digits. This setting does nothing on a CPU.
    tf32: bool = false,
    /// A search for λ_max on CUDA computes its first products in TF32 and its last ones in float32. This setting does
    /// nothing on a CPU.
    search_tf32: bool = false,
    /// cuDNN measures which of its algorithms is the fastest. Two runs may then differ in the last bits. This setting
    /// does nothing on a CPU.
    cudnn_autotune: bool = false,
    /// cuDNN uses only algorithms that give the same bits each time. A CPU always gives the same bits.
    deterministic: bool = false,
}

impl Settings {
    /// Returns the number of training examples in use; 0 if that is for the files to say and they are not read yet.
    #[must_use]
    pub fn train_len(&self) -> usize {
        self.train_examples
            .of(self.data.official_len().map_or(0, |[train, _]| train))
    }

    /// Returns the number of test examples in use; 0 if that is for the files to say and they are not read yet.
    #[must_use]
    pub fn test_len(&self) -> usize {
        self.test_examples
            .of(self.data.official_len().map_or(0, |[_, test]| test))
    }

    /// Returns the number of optimizer steps in one epoch. A smaller batch at the end counts as a step.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        let train_len = self.train_len();
        train_len.div_ceil(self.batch_size.of(train_len).max(1)) as u64
    }

    /// Returns the largest number of optimizer steps that the cell can take: the smaller limit of `steps` and `epochs`.
    #[must_use]
    pub fn planned_steps(&self) -> u64 {
        let epochs = self.epochs.map(|epochs| epochs.saturating_mul(self.steps_per_epoch()));
        // Loading a config refuses a cell that has neither limit.
        self.steps.into_iter().chain(epochs).min().unwrap_or(0)
    }

    /// Returns whether the cell has an aim: a training loss or accuracy at which it stops. Such a cell is comparable to
    /// others only if it reaches the aim.
    #[must_use]
    pub fn has_aim(&self) -> bool {
        self.until_train_loss.is_some() || self.until_train_accuracy.is_some()
    }

    /// Returns the choice of examples.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection {
            data: self.data.clone(),
            train: self.train_examples,
            test: self.test_examples,
            subset: self.subset,
        }
    }

    /// Returns channels, height and width of an example; zeros if that is for the files to say and they are not read
    /// yet.
    #[must_use]
    pub fn input_shape(&self) -> [usize; 3] {
        self.data.shape().unwrap_or_default()
    }

    /// Replaces `Full` by the number of examples in the files if that differs from the official number, so that steps,
    /// epochs and probes are computed from the files. Notes the shape of the examples.
    pub(super) fn count_out(&mut self, hold: &FilesHold) {
        let official = self.data.official_len();
        for (half, extent, held) in [
            (0, &mut self.train_examples, hold.train),
            (1, &mut self.test_examples, hold.test),
        ] {
            if *extent == Extent::Full && official.is_none_or(|official| official[half] != held) {
                *extent = Extent::Count(held);
            }
        }
        hold.shape_of(&mut self.data);
    }

    /// Limits the cell to `steps` optimizer steps.
    pub(super) fn cut_at(&mut self, steps: u64) {
        self.steps = Some(self.steps.map_or(steps, |own| own.min(steps)));
    }
}
