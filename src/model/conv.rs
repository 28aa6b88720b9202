//! Two-dimensional convolution, stride 1, padded so that the image keeps its size.

use burn::tensor::Tensor;
use burn::tensor::module::{conv_transpose2d, conv2d, conv2d_weight_backward};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

use super::node::{Kept, Node, Signal, sum, sum_per_channel};
use super::{Gradient, Layout, Parts};

/// y = W ⋆ x + b, with x [examples, in, h, w], W [out, in, k, k], b `[out]`.
#[derive(Clone, Copy)]
pub(super) struct Conv2d {
    weight: usize,
    bias: usize,
    kernel: usize,
}

impl Conv2d {
    /// `kernel` is odd, so that padding by half of it keeps the size.
    pub(super) fn new(layout: &mut Layout, name: &str, inputs: usize, outputs: usize, kernel: usize) -> Self {
        let fan_in = inputs * kernel * kernel;
        Self {
            weight: layout.add_uniform(format!("{name}.weight"), &[outputs, inputs, kernel, kernel], fan_in),
            bias: layout.add_uniform(format!("{name}.bias"), &[outputs], fan_in),
            kernel,
        }
    }

    pub(super) fn forward(self, parameters: &Parts, x: Signal) -> (Signal, Point) {
        let weight = parameters.get::<4>(self.weight);
        let bias = parameters.get::<1>(self.bias);
        let y = conv2d(x.clone(), weight.clone(), Some(bias), self.options());
        let point = Point { layer: self, x, weight };
        (y, point)
    }

    fn options(self) -> ConvOptions<2> {
        let half = self.kernel / 2;
        ConvOptions::new([1, 1], [half, half], [1, 1], 1)
    }
}

/// A convolution at x and W.
pub(super) struct Point {
    layer: Conv2d,
    x: Signal,
    weight: Tensor<4>,
}

impl Point {
    /// Wᵀ ⋆ δ: the adjoint of x ↦ W ⋆ x.
    fn to_input(&self, delta: Signal, weight: Tensor<4>) -> Signal {
        let half = self.layer.kernel / 2;
        let options = ConvTransposeOptions::new([1, 1], [half, half], [0, 0], [1, 1], 1);
        conv_transpose2d(delta, weight, None, options)
    }

    /// The adjoint of W ↦ W ⋆ x.
    fn to_weight(&self, delta: Signal, x: Signal) -> Tensor<4> {
        conv2d_weight_backward(x, self.weight.clone(), delta, self.layer.options())
    }
}

impl Node for Point {
    fn backward(&self, delta: &Signal, to_input: bool, gradient: Option<&mut Gradient>) -> Option<Signal> {
        if let Some(gradient) = gradient {
            gradient.set(self.layer.weight, self.to_weight(delta.clone(), self.x.clone()));
            gradient.set(self.layer.bias, sum_per_channel(delta.clone()));
        }
        to_input.then(|| self.to_input(delta.clone(), self.weight.clone()))
    }

    /// ẏ = W ⋆ ẋ + Ẇ ⋆ x + ḃ.
    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        let (dw, db) = (v.get::<4>(self.layer.weight), v.get::<1>(self.layer.bias));
        let options = || self.layer.options();
        let through_weight = conv2d(self.x.clone(), dw, Some(db), options());
        let through_input = dx.map(|dx| conv2d(dx.clone(), self.weight.clone(), None, options()));
        (
            sum(through_input, Some(through_weight)),
            dx.into_iter().cloned().collect(),
        )
    }

    fn backward_tangent(
        &self,
        v: &Parts,
        kept: &Kept,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
        gradient: &mut Gradient,
    ) -> Option<Signal> {
        let through_delta = self.to_weight(delta_dot.clone(), self.x.clone());
        let through_input = kept.first().map(|dx| self.to_weight(delta.clone(), dx.clone()));
        if let Some(weight) = sum(through_input, Some(through_delta)) {
            gradient.set(self.layer.weight, weight);
        }
        gradient.set(self.layer.bias, sum_per_channel(delta_dot.clone()));
        to_input.then(|| {
            let dw = v.get::<4>(self.layer.weight);
            self.to_input(delta_dot.clone(), self.weight.clone()) + self.to_input(delta.clone(), dw)
        })
    }
}
