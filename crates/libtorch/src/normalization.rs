//! Batch normalization by the statistics of the batch, and its derivatives.

use burn::tensor::Tensor;

use crate::raw;
use crate::tensors::{Seen, or_panic, own, see};

/// x̂ γ + β at one x, with x̂ = (x − μ) r and r = (σ² + ε)^(−½), a channel at a time.
pub struct Normalized {
    x: Tensor<4>,
    /// μ and r, `[channels]`, and what LibTorch wants back.
    statistics: [Tensor<1>; 2],
    reserve: tch::Tensor,
    way: i64,
    epsilon: f64,
}

// `reserve` is read alone.
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
    ) -> Option<(Tensor<4>, Self)> {
        let seen = see(x)?;
        let (gamma, beta) = (see(gamma)?, see(beta)?);
        let mut copies = match &running {
            Some([mean, variance]) => Some((see(mean)?.copy(), see(variance)?.copy())),
            None => None,
        };
        let averages = copies.as_mut().map(|(mean, variance)| (mean, variance));
        let (out, way) = or_panic(raw::batch_norm(&seen, &gamma, &beta, averages, momentum, epsilon));
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
        Some((own(y), normalized))
    }

    /// μ and r, `[channels]`.
    pub fn statistics(&self) -> [&Tensor<1>; 2] {
        self.statistics.each_ref()
    }

    /// What the derivative with respect to x makes of `u` with γ = `scale`: γ r (P u − x̂ mean(u x̂)), with P for the
    /// centring, a symmetric map; and Σ u x̂ and Σ u, `[channels]`.
    pub fn project(&self, u: &Tensor<4>, scale: &Tensor<1>) -> Option<(Tensor<4>, Tensor<1>, Tensor<1>)> {
        match self.backward(u, scale, [true; 3])? {
            [Some(projected), Some(along), Some(sum)] => Some((own(projected), own(along), own(sum))),
            _ => unreachable!("LibTorch left a derivative of batch normalization out"),
        }
    }

    fn backward(&self, u: &Tensor<4>, scale: &Tensor<1>, wanted: [bool; 3]) -> Option<[Option<tch::Tensor>; 3]> {
        let (u, scale, x) = (see(u)?, see(scale)?, see(&self.x)?);
        let [mean, rate]: [Seen; 2] = [see(&self.statistics[0])?, see(&self.statistics[1])?];
        let at = raw::Normalized {
            x: &x,
            mean: &mean,
            rate: &rate,
            reserve: &self.reserve,
            way: self.way,
            epsilon: self.epsilon,
        };
        Some(or_panic(raw::batch_norm_backward(&u, &scale, &at, wanted)))
    }
}
