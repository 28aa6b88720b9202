//! Batch normalization with the statistics of the batch, and its derivatives.

use burn::tensor::Tensor;

use crate::raw;
use crate::tensors::{or_panic, own, see};

/// Batch normalization of each channel at one x: x̂ γ + β, with x̂ = (x − μ) r and r = (σ² + ε)^(−½).
pub struct Normalized {
    x: Tensor<4>,
    /// μ and r, `[channels]`.
    statistics: [Tensor<1>; 2],
    /// LibTorch's data for the backward pass.
    reserve: tch::Tensor,
    way: i64,
    epsilon: f64,
}

impl Normalized {
    /// Returns y, for x [examples, channels, height, width] and γ and β `[channels]`, and the data that its derivatives
    /// need.
    ///
    /// If `running`, the mean and the unbiased variance, is given, both are updated with this batch's values, which
    /// have the weight `momentum`. The tensors are replaced, not written to.
    pub fn forward(
        x: &Tensor<4>,
        gamma: &Tensor<1>,
        beta: &Tensor<1>,
        running: Option<[&mut Tensor<1>; 2]>,
        momentum: f64,
        epsilon: f64,
    ) -> (Tensor<4>, Self) {
        let mut copies = running
            .as_ref()
            .map(|[mean, variance]| (see(mean).copy(), see(variance).copy()));
        let averages = copies.as_mut().map(|(mean, variance)| (mean, variance));
        let (out, way) = or_panic(raw::batch_norm(
            &see(x),
            &see(gamma),
            &see(beta),
            averages,
            momentum,
            epsilon,
        ));
        if let (Some([mean, variance]), Some(copies)) = (running, copies) {
            (*mean, *variance) = (own(copies.0), own(copies.1));
        }
        let [Some(y), Some(mean), Some(rate), Some(reserve)] = out else {
            unreachable!("LibTorch returned too few outputs of batch normalization")
        };
        let normalized = Self {
            x: x.clone(),
            statistics: [own(mean), own(rate)],
            reserve,
            way,
            epsilon,
        };
        (own(y), normalized)
    }

    /// Returns μ and r, `[channels]`.
    pub fn statistics(&self) -> [&Tensor<1>; 2] {
        self.statistics.each_ref()
    }

    /// Applies the derivative with respect to x to `u`, with γ = `scale`, and returns γ r (P u − x̂ mean(u x̂)), where
    /// P subtracts the mean. This map is symmetric. Also returns Σ u x̂ and Σ u, `[channels]`.
    pub fn project(&self, u: &Tensor<4>, scale: &Tensor<1>) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
        let [mean, rate] = self.statistics().map(see);
        let at = raw::Normalized {
            x: &see(&self.x),
            mean: &mean,
            rate: &rate,
            reserve: &self.reserve,
            way: self.way,
            epsilon: self.epsilon,
        };
        match or_panic(raw::batch_norm_backward(&see(u), &see(scale), &at, [true; 3])) {
            [Some(projected), Some(along), Some(sum)] => (own(projected), own(along), own(sum)),
            _ => unreachable!("LibTorch returned too few derivatives of batch normalization"),
        }
    }
}
