//! Batch normalization by the statistics of the batch, and its derivatives.

use burn::tensor::Tensor;

use crate::raw;
use crate::tensors::{or_panic, own, see};

/// x̂ γ + β at one x, with x̂ = (x − μ) r and r = (σ² + ε)^(−½), a channel at a time.
pub struct Normalized {
    x: Tensor<4>,
    /// μ and r, `[channels]`.
    statistics: [Tensor<1>; 2],
    /// What LibTorch wants back.
    reserve: tch::Tensor,
    way: i64,
    epsilon: f64,
}

impl Normalized {
    /// y, with x [examples, channels, height, width] and γ and β `[channels]`, and what its derivatives need.
    ///
    /// Where `running`, the mean and the unbiased variance, is given, they take in this batch's with the share `momentum`;
    /// they are replaced, not written to.
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
            unreachable!("LibTorch left an output of batch normalization out")
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

    /// μ and r, `[channels]`.
    pub fn statistics(&self) -> [&Tensor<1>; 2] {
        self.statistics.each_ref()
    }

    /// What the derivative with respect to x makes of `u` with γ = `scale`: γ r (P u − x̂ mean(u x̂)), with P for the
    /// centring, a symmetric map; and Σ u x̂ and Σ u, `[channels]`.
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
            _ => unreachable!("LibTorch left a derivative of batch normalization out"),
        }
    }
}
