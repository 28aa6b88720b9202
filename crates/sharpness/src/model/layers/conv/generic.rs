//! A convolution's passes by burn's own operations, on any back end.

use burn::tensor::Tensor;
use burn::tensor::module::{conv_transpose2d, conv2d, conv2d_weight_backward};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

use super::{Passes, Shape, ToParameters};
use crate::model::node::{Signal, sum_per_channel};

pub(super) fn forward(shape: Shape, x: Signal, weight: Tensor<4>, bias: Option<Tensor<1>>) -> (Signal, Generic) {
    let y = convolve(shape, x.clone(), weight.clone(), bias);
    (y, Generic { shape, x, weight })
}

/// Returns W ⋆ x + b.
pub(super) fn convolve(shape: Shape, x: Signal, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Signal {
    conv2d(x, weight, bias, options(shape))
}

fn options(shape: Shape) -> ConvOptions<2> {
    ConvOptions::new([shape.stride; 2], [shape.padding(); 2], [1, 1], 1)
}

pub(super) struct Generic {
    pub(super) shape: Shape,
    pub(super) x: Signal,
    pub(super) weight: Tensor<4>,
}

impl Generic {
    /// Returns Wᵀ ⋆ δ, the adjoint of x ↦ W ⋆ x.
    fn to_input(&self, delta: Signal, weight: Tensor<4>) -> Signal {
        let stride = self.shape.stride;
        let ([_, _, height, width], [_, _, rows, columns]) = (self.x.dims(), delta.dims());
        // Rows and columns at the far edges that the stride left over.
        let rest = [height - 1 - (rows - 1) * stride, width - 1 - (columns - 1) * stride];
        let options = ConvTransposeOptions::new([stride; 2], [self.shape.padding(); 2], rest, [1, 1], 1);
        conv_transpose2d(delta, weight, None, options)
    }

    /// Applies the adjoint of W ↦ W ⋆ x.
    fn to_weight(&self, delta: Signal, x: Signal) -> Tensor<4> {
        conv2d_weight_backward(x, self.weight.clone(), delta, options(self.shape))
    }

    pub(super) fn to_bias(&self, delta: &Signal) -> Option<Tensor<1>> {
        let [_, channels, _, _] = delta.dims();
        let summed = || sum_per_channel(delta.clone()).reshape([channels]);
        self.shape.has_bias.then(summed)
    }
}

impl Passes for Generic {
    fn backward(&self, delta: &Signal, to_input: bool, to_parameters: bool) -> (Option<Signal>, Option<ToParameters>) {
        let found = to_parameters.then(|| ToParameters {
            weight: self.to_weight(delta.clone(), self.x.clone()),
            bias: self.to_bias(delta),
        });
        let to_input = to_input.then(|| self.to_input(delta.clone(), self.weight.clone()));
        (to_input, found)
    }

    fn tangent(&self, dx: Option<&Signal>, direction: ToParameters) -> Signal {
        let through_weight = convolve(self.shape, self.x.clone(), direction.weight, direction.bias);
        match dx {
            Some(dx) => convolve(self.shape, dx.clone(), self.weight.clone(), None) + through_weight,
            None => through_weight,
        }
    }

    fn backward_tangent(
        &self,
        dx: Option<&Signal>,
        d_weight: Tensor<4>,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
    ) -> (Option<Signal>, ToParameters) {
        let mut weight = self.to_weight(delta_dot.clone(), self.x.clone());
        if let Some(dx) = dx {
            weight = self.to_weight(delta.clone(), dx.clone()) + weight;
        }
        let found = ToParameters {
            weight,
            bias: self.to_bias(delta_dot),
        };
        let to_input = to_input
            .then(|| self.to_input(delta_dot.clone(), self.weight.clone()) + self.to_input(delta.clone(), d_weight));
        (to_input, found)
    }
}
