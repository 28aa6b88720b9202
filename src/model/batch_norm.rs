//! Batch normalization.

use burn::tensor::Tensor;

use super::dual::sum;
use super::{Dual, Layout, Leaves};

/// Added to the variance, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// Share of the newest batch in the running statistics, as in PyTorch.
const MOMENTUM: f64 = 0.1;

/// Which mean and variance normalize.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// Those of the examples in the pass; the derivative runs through them, exactly.
    Batch,
    /// The running averages, which are constants.
    Running,
}

/// Running averages of one layer, `[channels]` each.
#[derive(Clone)]
pub struct RunningStatistics {
    /// PyTorch's name of the layer: `bn1`.
    pub name: String,
    /// Average of the batch means.
    pub mean: Tensor<1>,
    /// Average of the unbiased batch variances.
    pub variance: Tensor<1>,
    /// Batches averaged.
    pub batches: i64,
}

impl RunningStatistics {
    /// Takes in a batch's mean and biased variance over `count` numbers a channel.
    fn observe(&mut self, mean: Tensor<1>, variance: Tensor<1>, count: usize) {
        let unbiased = count as f64 / (count as f64 - 1.0).max(1.0);
        self.mean = self.mean.clone() * (1.0 - MOMENTUM) + mean * MOMENTUM;
        self.variance = self.variance.clone() * (1.0 - MOMENTUM) + variance * (MOMENTUM * unbiased);
        self.batches += 1;
    }
}

/// y = γ (x − μ)/√(σ² + ε) + β, a channel at a time.
pub(super) struct BatchNorm {
    weight: usize,
    bias: usize,
    /// Position among the network's running statistics.
    pub(super) index: usize,
}

impl BatchNorm {
    pub(super) fn new(layout: &mut Layout, name: &str, channels: usize, index: usize) -> Self {
        Self {
            weight: layout.add_constant(format!("{name}.weight"), &[channels], 1.0),
            bias: layout.add_constant(format!("{name}.bias"), &[channels], 0.0),
            index,
        }
    }

    /// x is [examples, channels] or [examples, channels, h, w].
    ///
    /// With c = x − μ, r = (σ² + ε)^(−½) and x̂ = c r, batch statistics have the tangents μ' = mean x',
    /// c' = x' − μ', σ²' = 2 mean(c c'), r' = −½ r³ σ²', x̂' = c' r + c r'; running statistics have none. Either way
    /// y' = γ' x̂ + γ x̂' + β'.
    pub(super) fn forward<const D: usize>(
        &self,
        leaves: &Leaves,
        x: Dual<D>,
        normalization: Normalization,
        running: &mut RunningStatistics,
        observe: bool,
    ) -> Dual<D> {
        let dims = x.value.dims();
        let channels = dims[1];
        let per_channel: [usize; D] = std::array::from_fn(|axis| if axis == 1 { channels } else { 1 });
        let averaged: Vec<usize> = (0..D).filter(|&axis| axis != 1).collect();
        let mean = |t: Tensor<D>| t.mean_dims(&averaged);

        let normalized = match normalization {
            Normalization::Running => {
                let centre = running.mean.clone().reshape(per_channel);
                let rate = (running.variance.clone() + EPSILON).sqrt().recip().reshape(per_channel);
                Dual {
                    value: (x.value - centre) * rate.clone(),
                    tangent: x.tangent.map(|dx| dx * rate),
                }
            }
            Normalization::Batch => {
                let mu = mean(x.value.clone());
                let c = x.value - mu.clone();
                let variance = mean(c.clone() * c.clone());
                if observe {
                    let count = dims.iter().product::<usize>() / channels;
                    running.observe(
                        mu.inner().reshape([channels]),
                        variance.clone().inner().reshape([channels]),
                        count,
                    );
                }
                let r = (variance + EPSILON).sqrt().recip();
                let tangent = x.tangent.map(|dx| {
                    let dc = dx.clone() - mean(dx);
                    let dr = mean(c.clone() * dc.clone()) * (r.clone() * r.clone() * r.clone()) * -1.0;
                    dc * r.clone() + c.clone() * dr
                });
                Dual { value: c * r, tangent }
            }
        };

        let gamma = leaves.get::<1>(self.weight).linear(|g| g.reshape(per_channel));
        let beta = leaves.get::<1>(self.bias).linear(|b| b.reshape(per_channel));
        let through_gamma = gamma.tangent.map(|dg| normalized.value.clone() * dg);
        let through_input = normalized.tangent.map(|dn| dn * gamma.value.clone());
        let tangent = match (sum(through_gamma, through_input), beta.tangent) {
            (Some(y), Some(db)) => Some(y + db),
            (y, _) => y,
        };
        Dual {
            value: normalized.value * gamma.value + beta.value,
            tangent,
        }
    }
}
