//! The derivatives of a convolution.

use burn::tensor::Tensor;

use crate::raw;
use crate::tensors::{or_panic, own, see};

/// The derivatives to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whether to compute the derivative with respect to x.
    pub input: bool,
    /// Whether to compute the derivative with respect to W.
    pub weight: bool,
    /// Whether to compute the derivative with respect to b.
    pub bias: bool,
}

/// The derivatives with respect to x, W and b, if they were requested.
pub type Derivatives = (Option<Tensor<4>>, Option<Tensor<4>>, Option<Tensor<1>>);

/// Returns the derivatives of ⟨δ, W ⋆ x + b⟩.
///
/// δ is [examples, out, rows, columns], x is [examples, in, height, width], and W is [out, in, k, k]. Kernel and stride
/// are square, and `padding` is the same on all sides.
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
