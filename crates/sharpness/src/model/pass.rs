//! Settings of a forward pass: dropout, and the statistics of batch norm.

use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

/// Settings of a forward pass for dropout and batch norm.
pub struct Pass<'a> {
    /// The source of dropout masks; `None` leaves dropout off.
    pub dropout: Option<&'a mut ChaCha8Rng>,
    /// The statistics that batch norm uses.
    pub normalization: Normalization,
    /// The running statistics, one for each batch-norm layer. They may be left out if they are neither used nor
    /// observed.
    pub running: &'a mut [RunningStatistics],
    /// Whether the pass updates the running statistics: 0.9 of the old average plus 0.1 of the batch's value.
    pub observe: bool,
}

/// Share of the newest batch in the updated running statistics, as in PyTorch.
pub(crate) const MOMENTUM: f64 = 0.1;

/// The mean and variance that batch norm normalizes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// The statistics of the examples in the pass. Derivatives include the dependence of the statistics on the
    /// examples, exactly.
    Batch,
    /// The running averages, which are constants.
    Running,
}

/// Running averages of one layer, `[channels]` each.
#[derive(Clone)]
pub struct RunningStatistics {
    /// PyTorch's name of the layer: `bn1`, `layer1.0.bn1`.
    pub name: String,
    /// Average of the batch means.
    pub mean: Tensor<1>,
    /// Average of the unbiased batch variances.
    pub variance: Tensor<1>,
    /// Batches averaged.
    pub batches: i64,
}

impl RunningStatistics {
    /// Updates the averages with a batch's mean and biased variance over `count` numbers in each channel.
    pub(crate) fn observe(&mut self, mean: Tensor<1>, variance: Tensor<1>, count: usize) {
        let unbiased = count as f64 / (count as f64 - 1.0).max(1.0);
        self.mean = self.mean.clone() * (1.0 - MOMENTUM) + mean * MOMENTUM;
        self.variance = self.variance.clone() * (1.0 - MOMENTUM) + variance * (MOMENTUM * unbiased);
        self.batches += 1;
    }
}
