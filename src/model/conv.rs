//! Two-dimensional convolution, padded by half its kernel.

use burn::tensor::Tensor;
use burn::tensor::module::{conv_transpose2d, conv2d, conv2d_weight_backward};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

use super::footprint::{Holding, ImageShape, Keeps, size};
use super::node::{Kept, Node, Signal, sum, sum_per_channel};
use super::{Gradient, Initial, Layout, Parts};

/// The shape of a convolution.
#[derive(Clone, Copy)]
pub(super) struct Filters {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Side of the square kernel; odd, so that stride 1 keeps the size of the image.
    pub(super) kernel: usize,
    /// 2 keeps every second row and column, the first among them.
    pub(super) stride: usize,
}

impl Filters {
    /// 3×3 with stride 1.
    pub(super) fn three_by_three(inputs: usize, outputs: usize) -> Self {
        Self {
            inputs,
            outputs,
            kernel: 3,
            stride: 1,
        }
    }

    /// How many inputs one output sees.
    pub(super) fn fan_in(self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    /// How many outputs one input reaches, as PyTorch counts it: stride is left out of account.
    pub(super) fn fan_out(self) -> usize {
        self.outputs * self.kernel * self.kernel
    }
}

/// y = W ⋆ x + b, with x [examples, in, h, w], W [out, in, k, k], b `[out]` or none.
#[derive(Clone, Copy)]
pub(super) struct Conv2d {
    weight: usize,
    bias: Option<usize>,
    kernel: usize,
    stride: usize,
}

impl Conv2d {
    pub(super) fn new(
        layout: &mut Layout,
        name: &str,
        filters: Filters,
        weight: Initial,
        bias: Option<Initial>,
    ) -> Self {
        let Filters {
            inputs,
            outputs,
            kernel,
            stride,
        } = filters;
        Self {
            weight: layout.add(format!("{name}.weight"), &[outputs, inputs, kernel, kernel], weight),
            bias: bias.map(|bias| layout.add(format!("{name}.bias"), &[outputs], bias)),
            kernel,
            stride,
        }
    }

    /// x is kept, and ẋ in a product; the gradient to the weight takes δ and x in another order.
    pub(super) fn holding(self, layout: &Layout, [channels, height, width]: ImageShape) -> Holding {
        let outputs = layout.entries()[self.weight].shape[0];
        let output = [outputs, height.div_ceil(self.stride), width.div_ceil(self.stride)];
        Holding {
            keeps: Keeps::Input,
            tangent_keeps: Keeps::Input,
            passing: channels * height * width + size(output),
            ..Holding::nothing(output)
        }
    }

    pub(super) fn forward(self, parameters: &Parts, x: Signal) -> (Signal, Point) {
        let weight = parameters.get::<4>(self.weight);
        let bias = self.bias.map(|bias| parameters.get::<1>(bias));
        let y = conv2d(x.clone(), weight.clone(), bias, self.options());
        let point = Point { layer: self, x, weight };
        (y, point)
    }

    fn options(self) -> ConvOptions<2> {
        let half = self.kernel / 2;
        ConvOptions::new([self.stride; 2], [half, half], [1, 1], 1)
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
        let Conv2d { kernel, stride, .. } = self.layer;
        let half = kernel / 2;
        let ([_, _, height, width], [_, _, rows, columns]) = (self.x.dims(), delta.dims());
        // What a stride left over at the far edges.
        let rest = [height - 1 - (rows - 1) * stride, width - 1 - (columns - 1) * stride];
        let options = ConvTransposeOptions::new([stride; 2], [half, half], rest, [1, 1], 1);
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
            if let Some(bias) = self.layer.bias {
                gradient.set(bias, sum_per_channel(delta.clone()));
            }
        }
        to_input.then(|| self.to_input(delta.clone(), self.weight.clone()))
    }

    /// ẏ = W ⋆ ẋ + Ẇ ⋆ x + ḃ.
    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        let dw = v.get::<4>(self.layer.weight);
        let db = self.layer.bias.map(|bias| v.get::<1>(bias));
        let options = || self.layer.options();
        let through_weight = conv2d(self.x.clone(), dw, db, options());
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
        if let Some(bias) = self.layer.bias {
            gradient.set(bias, sum_per_channel(delta_dot.clone()));
        }
        to_input.then(|| {
            let dw = v.get::<4>(self.layer.weight);
            self.to_input(delta_dot.clone(), self.weight.clone()) + self.to_input(delta.clone(), dw)
        })
    }
}
