//! A convolution's passes by LibTorch's own derivatives, for which cuDNN and oneDNN have fast algorithms. Burn computes
//! these derivatives as convolutions whose kernel is as large as the image.
//!
//! A product adds up pairs. W ⋆ ẋ + Ẇ ⋆ x is one convolution of twice the input channels, Wᵀ ⋆ δ̇ + Ẇᵀ ⋆ δ is one of
//! twice the output channels, and the two weight gradients are one over twice the examples. The arithmetic is the same,
//! in half as many calls.

use burn::tensor::Tensor;
use sharptui_libtorch::{Derivatives, Wanted, convolution_backward, is_here};

use super::generic::{self, Generic};
use super::{Passes, Shape, ToParameters};
use crate::model::node::Signal;

/// Returns `None` if the tensors are not LibTorch's, or if burn's automatic differentiation records them.
pub(super) fn forward(
    shape: Shape,
    x: &Signal,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
) -> Option<(Signal, LibTorch)> {
    (is_here(x) && is_here(weight)).then(|| {
        let (y, generic) = generic::forward(shape, x.clone(), weight.clone(), bias.cloned());
        (y, LibTorch(generic))
    })
}

/// The forward pass is burn's, which calls LibTorch's convolution unchanged.
pub(super) struct LibTorch(Generic);

impl LibTorch {
    fn derivatives(&self, delta: &Signal, x: &Signal, weight: &Tensor<4>, wanted: Wanted) -> Derivatives {
        let shape = self.0.shape;
        convolution_backward(delta, x, weight, shape.stride, shape.padding(), wanted)
    }
}

impl Passes for LibTorch {
    fn backward(&self, delta: &Signal, to_input: bool, to_parameters: bool) -> (Option<Signal>, Option<ToParameters>) {
        let wanted = Wanted {
            input: to_input,
            weight: to_parameters,
            bias: to_parameters && self.0.shape.has_bias,
        };
        let (to_input, weight, bias) = self.derivatives(delta, &self.0.x, &self.0.weight, wanted);
        (to_input, weight.map(|weight| ToParameters { weight, bias }))
    }

    fn tangent(&self, dx: Option<&Signal>, direction: ToParameters) -> Signal {
        let Some(dx) = dx else {
            return self.0.tangent(None, direction);
        };
        let x = pair(dx, &self.0.x, 1);
        let weight = pair(&self.0.weight, &direction.weight, 1);
        generic::convolve(self.0.shape, x, weight, direction.bias)
    }

    fn backward_tangent(
        &self,
        dx: Option<&Signal>,
        d_weight: Tensor<4>,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
    ) -> (Option<Signal>, ToParameters) {
        let Generic { x, weight, .. } = &self.0;
        let to_weight = Wanted {
            weight: true,
            ..Wanted::default()
        };
        let (_, found, _) = match dx {
            Some(dx) => self.derivatives(&pair(delta_dot, delta, 0), &pair(x, dx, 0), weight, to_weight),
            None => self.derivatives(delta_dot, x, weight, to_weight),
        };
        let found = ToParameters {
            weight: found.unwrap_or_else(|| unreachable!("LibTorch returned no derivative of the weight")),
            bias: self.0.to_bias(delta_dot),
        };
        if !to_input {
            return (None, found);
        }
        let wanted = Wanted {
            input: true,
            ..Wanted::default()
        };
        let (deltas, weights) = (pair(delta_dot, delta, 1), pair(weight, &d_weight, 0));
        let (to_input, _, _) = self.derivatives(&deltas, x, &weights, wanted);
        (to_input, found)
    }
}

/// Returns the concatenation of `a` and `b` along `dim`.
fn pair(a: &Tensor<4>, b: &Tensor<4>, dim: usize) -> Tensor<4> {
    Tensor::cat(vec![a.clone(), b.clone()], dim)
}
