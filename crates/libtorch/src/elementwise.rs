//! Operations that take several of burn's.

use burn::tensor::Tensor;

use crate::tensors::{own, see};

/// x Wᵀ + b, with x [examples, in], W [out, in], b `[out]`.
pub fn linear(x: &Tensor<2>, weight: &Tensor<2>, bias: &Tensor<1>) -> Option<Tensor<2>> {
    let (x, weight, bias) = (see(x)?, see(weight)?, see(bias)?);
    Some(own(x.linear(&*weight, Some(&*bias))))
}

/// δ where `y`, the output of a ReLU or what it came from, is above 0, else 0.
pub fn relu_backward<const D: usize>(delta: &Tensor<D>, y: &Tensor<D>) -> Option<Tensor<D>> {
    let (delta, y) = (see(delta)?, see(y)?);
    Some(own(delta.threshold_backward(&y, 0.0)))
}

/// Σ aᵢ bᵢ, of at least one pair; each b may be broadcast.
pub fn affine<const D: usize>(terms: &[(&Tensor<D>, &Tensor<D>)]) -> Option<Tensor<D>> {
    let ((a, b), others) = terms.split_first()?;
    let mut sum = &*see(a)? * &*see(b)?;
    for (a, b) in others {
        sum = sum.addcmul_(&*see(a)?, &*see(b)?);
    }
    Some(own(sum))
}
