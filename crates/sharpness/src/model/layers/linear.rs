//! Fully connected layer.

use burn::tensor::Tensor;

use crate::model::holding::{Holding, ImageShape, Keeps};
use crate::model::initial::Initial;
use crate::model::layer::Layer;
use crate::model::node::{Kept, Node, Signal, flat, signal};
use crate::model::parameters::{Gradient, Layout, ParameterIndex, Parts};
use crate::model::pass::Pass;

/// A fully connected layer y = x Wᵀ + b, with x [examples, in], W [out, in], b `[out]`. An image is flattened in the
/// order channel, row, column.
#[derive(Clone, Copy)]
pub(crate) struct Linear {
    weight: ParameterIndex,
    bias: ParameterIndex,
}

impl Linear {
    pub(crate) fn new(
        layout: &mut Layout,
        name: &str,
        [inputs, outputs]: [usize; 2],
        weight: Initial,
        bias: Initial,
    ) -> Self {
        Self {
            weight: layout.add(format!("{name}.weight"), &[outputs, inputs], weight),
            bias: layout.add(format!("{name}.bias"), &[outputs], bias),
        }
    }
}

impl Layer for Linear {
    fn forward(&self, parameters: &Parts, x: Signal, _: &mut Pass) -> (Signal, Box<dyn Node>) {
        let shape = x.dims();
        let x = flat(x);
        let weight = parameters.get::<2>(self.weight);
        let y = affine(&x, &weight, parameters.get::<1>(self.bias));
        let point = Point {
            layer: *self,
            x,
            shape,
            weight,
        };
        (signal(y), Box::new(point))
    }

    /// Declares that x is kept, and in a product also ẋ.
    fn holding(&self, layout: &Layout, _: ImageShape, _: bool) -> Holding {
        let outputs = layout.entry(self.bias).len();
        Holding {
            keeps: Keeps::Input,
            tangent_keeps: Keeps::Input,
            passing: outputs,
            ..Holding::nothing([outputs, 1, 1])
        }
    }
}

/// A fully connected layer at x and W.
struct Point {
    layer: Linear,
    x: Tensor<2>,
    /// Shape of x before it was flattened.
    shape: [usize; 4],
    weight: Tensor<2>,
}

impl Node for Point {
    /// Computes δ W for x, δᵀ x for W, and Σ δ for b.
    fn backward(&self, delta: &Signal, to_input: bool, gradient: Option<&mut Gradient>) -> Option<Signal> {
        let delta = flat(delta.clone());
        if let Some(gradient) = gradient {
            gradient.add(self.layer.weight, delta.clone().transpose().matmul(self.x.clone()));
            gradient.add(self.layer.bias, delta.clone().sum_dim(0));
        }
        to_input.then(|| delta.matmul(self.weight.clone()).reshape(self.shape))
    }

    /// Returns ẏ = ẋ Wᵀ + x Ẇᵀ + ḃ.
    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        let (dw, db) = (v.get::<2>(self.layer.weight), v.get::<1>(self.layer.bias));
        let through_weight = affine(&self.x, &dw, db);
        let dy = match dx {
            Some(dx) => add_product(through_weight, flat(dx.clone()), self.weight.clone().transpose()),
            None => through_weight,
        };
        (Some(signal(dy)), dx.into_iter().cloned().collect())
    }

    /// Computes δ̇ W + δ Ẇ for x, δ̇ᵀ x + δᵀ ẋ for W, and Σ δ̇ for b.
    fn backward_tangent(
        &self,
        v: &Parts,
        kept: &Kept,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
        gradient: &mut Gradient,
    ) -> Option<Signal> {
        let (delta, delta_dot) = (flat(delta.clone()), flat(delta_dot.clone()));
        let mut weight = delta_dot.clone().transpose().matmul(self.x.clone());
        if let Some(dx) = kept.first() {
            weight = add_product(weight, delta.clone().transpose(), flat(dx.clone()));
        }
        gradient.add(self.layer.weight, weight);
        gradient.add(self.layer.bias, delta_dot.clone().sum_dim(0));
        to_input.then(|| {
            let dw = v.get::<2>(self.layer.weight);
            add_product(delta_dot.matmul(self.weight.clone()), delta, dw).reshape(self.shape)
        })
    }
}

/// Returns x Wᵀ + b.
fn affine(x: &Tensor<2>, weight: &Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(x) && sharptui_libtorch::is_here(weight) {
        return sharptui_libtorch::linear(x, weight, &bias);
    }
    x.clone().matmul(weight.clone().transpose()) + bias.unsqueeze::<2>()
}

/// Returns `sum` + a b.
fn add_product(sum: Tensor<2>, a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(&sum) {
        return sharptui_libtorch::add_product(&sum, &a, &b);
    }
    a.matmul(b) + sum
}
