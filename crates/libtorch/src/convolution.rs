//! The derivatives of a convolution.

use burn::tensor::Tensor;

use crate::raw;
use crate::tensors::{or_panic, own, see};

/// Which derivatives are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// With respect to x.
    pub input: bool,
    /// With respect to W.
    pub weight: bool,
    /// With respect to b.
    pub bias: bool,
}

/// With respect to x, W and b, as far as they were asked for.
pub type Derivatives = (Option<Tensor<4>>, Option<Tensor<4>>, Option<Tensor<1>>);

/// The derivatives of ⟨δ, W ⋆ x + b⟩.
///
/// δ [examples, out, rows, columns], x [examples, in, height, width], W [out, in, k, k]; a square kernel and stride, the
/// same `padding` on all sides.
pub fn convolution_backward(
    delta: &Tensor<4>,
    x: &Tensor<4>,
    weight: &Tensor<4>,
    stride: usize,
    padding: usize,
    wanted: Wanted,
) -> Derivatives {
    let shape = [stride, padding].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let wanted = [wanted.input, wanted.weight, wanted.bias];
    let found = raw::convolution_backward(&see(delta), &see(x), &see(weight), shape, wanted);
    let [to_input, to_weight, to_bias] = or_panic(found);
    (to_input.map(own), to_weight.map(own), to_bias.map(own))
}
