//! Two-dimensional convolution, padded by half its kernel.

#[cfg(feature = "flex")]
mod flex;
mod generic;
#[cfg(feature = "tch")]
mod libtorch;

use burn::tensor::Tensor;

use crate::model::holding::{Holding, ImageShape, Keeps, size};
use crate::model::initial::Initial;
use crate::model::layer::Layer;
use crate::model::node::{Kept, Node, Signal};
use crate::model::parameters::{Gradient, Layout, ParameterIndex, Parts};
use crate::model::pass::Pass;

/// The shape of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filters {
    /// Channels of x.
    pub inputs: usize,
    /// Channels of y.
    pub outputs: usize,
    /// Side of the square kernel; odd, so that stride 1 keeps the size of the image.
    pub kernel: usize,
    /// The stride: 2 keeps every second row and column, starting with the first.
    pub stride: usize,
}

impl Filters {
    /// Returns filters of 3×3 with stride 1.
    pub fn three_by_three(inputs: usize, outputs: usize) -> Self {
        Self {
            inputs,
            outputs,
            kernel: 3,
            stride: 1,
        }
    }

    /// Returns the number of inputs that one output depends on.
    pub fn fan_in(self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    /// Returns the number of outputs that one input reaches. As in PyTorch, the stride is ignored.
    pub fn fan_out(self) -> usize {
        self.outputs * self.kernel * self.kernel
    }
}

/// y = W ⋆ x + b, with x [examples, in, h, w], W [out, in, k, k], b `[out]` or none.
#[derive(Clone, Copy)]
pub(crate) struct Conv2d {
    weight: ParameterIndex,
    bias: Option<ParameterIndex>,
    kernel: usize,
    stride: usize,
}

impl Conv2d {
    pub(crate) fn new(
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

    fn shape(self) -> Shape {
        Shape {
            kernel: self.kernel,
            stride: self.stride,
            has_bias: self.bias.is_some(),
        }
    }
}

impl Layer for Conv2d {
    fn forward(&self, parameters: &Parts, x: Signal, _: &mut Pass) -> (Signal, Box<dyn Node>) {
        let weight = parameters.get::<4>(self.weight);
        let bias = self.bias.map(|bias| parameters.get::<1>(bias));
        let (y, passes) = forward(self.shape(), x, weight, bias);
        (y, Box::new(Point { layer: *self, passes }))
    }

    /// Declares that x is kept, and in a product also ẋ. On flex, the temporary memory of the passes does not grow with
    /// the number of examples. LibTorch receives pairs of its inputs and outputs.
    fn holding(&self, layout: &Layout, input: ImageShape, _: bool) -> Holding {
        let [_, height, width] = input;
        let outputs = layout.entry(self.weight).shape[0];
        let output = [outputs, height.div_ceil(self.stride), width.div_ceil(self.stride)];
        Holding {
            keeps: Keeps::Input,
            tangent_keeps: Keeps::Input,
            passing: if cfg!(feature = "tch") {
                2 * (size(input) + size(output))
            } else {
                0
            },
            ..Holding::nothing(output)
        }
    }
}

/// The settings that the passes of a convolution need besides x, W and b.
#[derive(Clone, Copy)]
struct Shape {
    kernel: usize,
    stride: usize,
    has_bias: bool,
}

impl Shape {
    fn padding(self) -> usize {
        self.kernel / 2
    }
}

/// Returns W ⋆ x + b, and the passes of its derivatives, in the fastest way for the device of `x`.
fn forward(shape: Shape, x: Signal, weight: Tensor<4>, bias: Option<Tensor<1>>) -> (Signal, Box<dyn Passes>) {
    #[cfg(feature = "tch")]
    if let Some((y, passes)) = libtorch::forward(shape, &x, &weight, bias.as_ref()) {
        return (y, Box::new(passes));
    }
    #[cfg(feature = "flex")]
    if let Some((y, passes)) = flex::forward(shape, &x, &weight, bias.as_ref()) {
        return (y, Box::new(passes));
    }
    let (y, passes) = generic::forward(shape, x, weight, bias);
    (y, Box::new(passes))
}

/// The passes of a convolution's derivatives, at the x and W of one forward pass. Tests compare each back end's own
/// passes with [`generic`].
trait Passes {
    /// Returns Wᵀ ⋆ δ, the adjoint of x ↦ W ⋆ x, if `to_input`, and the derivative with respect to the parameters, if
    /// `to_parameters`.
    fn backward(&self, delta: &Signal, to_input: bool, to_parameters: bool) -> (Option<Signal>, Option<ToParameters>);

    /// Returns ẏ = W ⋆ ẋ + Ẇ ⋆ x + ḃ. Without `dx`, ẋ is 0.
    fn tangent(&self, dx: Option<&Signal>, direction: ToParameters) -> Signal;

    /// Returns the derivatives along v of the results of [`Self::backward`]: Wᵀ ⋆ δ̇ + Ẇᵀ ⋆ δ for x; for the
    /// parameters, the sum of a term from δ̇ and x and a term from δ and ẋ.
    fn backward_tangent(
        &self,
        dx: Option<&Signal>,
        d_weight: Tensor<4>,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
    ) -> (Option<Signal>, ToParameters);
}

/// A derivative with respect to W and b, or a direction in their space.
struct ToParameters {
    weight: Tensor<4>,
    /// `[out]`, if the layer has a bias.
    bias: Option<Tensor<1>>,
}

/// A convolution at x and W.
struct Point {
    layer: Conv2d,
    passes: Box<dyn Passes>,
}

impl Point {
    fn set(&self, gradient: &mut Gradient, found: ToParameters) {
        gradient.add(self.layer.weight, found.weight);
        if let (Some(index), Some(bias)) = (self.layer.bias, found.bias) {
            gradient.add(index, bias);
        }
    }
}

impl Node for Point {
    fn backward(&self, delta: &Signal, to_input: bool, gradient: Option<&mut Gradient>) -> Option<Signal> {
        let (to_input, to_parameters) = self.passes.backward(delta, to_input, gradient.is_some());
        if let (Some(gradient), Some(found)) = (gradient, to_parameters) {
            self.set(gradient, found);
        }
        to_input
    }

    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        let direction = ToParameters {
            weight: v.get::<4>(self.layer.weight),
            bias: self.layer.bias.map(|bias| v.get::<1>(bias)),
        };
        let dy = self.passes.tangent(dx, direction);
        (Some(dy), dx.into_iter().cloned().collect())
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
        let d_weight = v.get::<4>(self.layer.weight);
        let (to_input, found) = self
            .passes
            .backward_tangent(kept.first(), d_weight, delta, delta_dot, to_input);
        self.set(gradient, found);
        to_input
    }
}
