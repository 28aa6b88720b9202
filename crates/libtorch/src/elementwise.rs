//! Operations for which burn needs several.

use burn::tensor::Tensor;

use crate::raw;
use crate::tensors::{or_panic, own, see};

/// Returns x Wᵀ + b, with x [examples, in], W [out, in], b `[out]`.
pub fn linear(x: &Tensor<2>, weight: &Tensor<2>, bias: &Tensor<1>) -> Tensor<2> {
    own(see(x).linear(&see(weight), Some(&*see(bias))))
}

/// Returns `sum` + a b, of matrices.
pub fn add_product(sum: &Tensor<2>, a: &Tensor<2>, b: &Tensor<2>) -> Tensor<2> {
    own(see(sum).addmm(&see(a), &see(b)))
}

/// Returns x + s y.
pub fn add_scaled<const D: usize>(x: &Tensor<D>, y: &Tensor<D>, s: f64) -> Tensor<D> {
    match or_panic(raw::add_scaled(&see(x), &see(y), s)) {
        [Some(sum)] => own(sum),
        [None] => unreachable!("LibTorch returned no sum"),
    }
}

/// Returns `sum` + Σ aᵢ bᵢ, where each b may be broadcast.
pub fn add_products<const D: usize>(sum: Tensor<D>, terms: &[(&Tensor<D>, &Tensor<D>)]) -> Tensor<D> {
    let Some(((a, b), others)) = terms.split_first() else {
        return sum;
    };
    let mut total = see(&sum).addcmul(&see(a), &see(b));
    for (a, b) in others {
        total = total.addcmul_(&see(a), &see(b));
    }
    own(total)
}

/// Returns δ where `y`, the output of a ReLU, is above 0, else 0.
pub fn relu_backward<const D: usize>(delta: &Tensor<D>, y: &Tensor<D>) -> Tensor<D> {
    own(see(y).threshold_backward(&see(delta), 0.0))
}
