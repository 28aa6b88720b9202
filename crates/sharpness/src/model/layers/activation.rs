//! Activation functions.

#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "tch")]
mod libtorch;

use burn::tensor::activation::relu;

use crate::model::holding::{Holding, ImageShape, Keeps, size};
use crate::model::layer::Layer;
use crate::model::node::{Kept, Node, Signal};
use crate::model::parameters::{Gradient, Layout, Parts};
use crate::model::pass::Pass;

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// max(0, x).
    Relu,
    /// tanh x.
    Tanh,
}

/// The same as [`activate`], in the way that is the fastest on the device of `x`.
fn forward(function: Activation, x: Signal) -> (Signal, Box<dyn Node>) {
    #[cfg(feature = "tch")]
    if function == Activation::Relu && sharptui_libtorch::is_here(&x) {
        let (y, point) = libtorch::forward(x);
        return (y, Box::new(point));
    }
    #[cfg(feature = "flex")]
    if function == Activation::Relu && sharptui_flex::is_here(&x) {
        let (y, point) = flex::forward(x);
        return (y, Box::new(point));
    }
    let (y, point) = activate(function, x);
    (y, Box::new(point))
}

/// Element-wise y = φ(x): φ' = 1 − tanh² for tanh, and 1 where x > 0, else 0, for ReLU (PyTorch's choice at 0).
fn activate(function: Activation, x: Signal) -> (Signal, Point) {
    match function {
        Activation::Tanh => {
            let y = tanh(x);
            let slope = (y.clone() * y.clone()).neg() + 1.0;
            let output = Some(y.clone());
            (y, Point { slope, output })
        }
        Activation::Relu => {
            let slope = x.clone().greater_elem(0.0).float().cast(x.dtype());
            (relu(x), Point { slope, output: None })
        }
    }
}

/// tanh x = 1 − 2/(e^2x + 1).
///
/// Its absolute error is a rounding or two of 1, as that of x itself mostly is. The pure-Rust back end computes an
/// exponential five times as fast as its tanh, one number at a time on one thread, which was a quarter of the gradient.
fn tanh(x: Signal) -> Signal {
    ((x * 2.0).exp() + 1.0).recip() * -2.0 + 1.0
}

impl Layer for Activation {
    fn forward(&self, _: &Parts, x: Signal, _: &mut Pass) -> (Signal, Box<dyn Node>) {
        forward(*self, x)
    }

    /// y is kept, and by tanh φ' and ẏ.
    fn holding(&self, _: &Layout, input: ImageShape, _: bool) -> Holding {
        let kept = Holding {
            keeps: Keeps::Output,
            ..Holding::nothing(input)
        };
        match self {
            Self::Tanh => Holding {
                tangent_keeps: Keeps::Output,
                remembered: size(input),
                ..kept
            },
            // Where φ' is kept instead, that is a tensor more, if y is kept by the layer behind.
            Self::Relu => kept,
        }
    }
}

/// φ at x.
struct Point {
    /// φ'(x).
    slope: Signal,
    /// y, from which tanh has its φ'' = −2 y φ'; ReLU has none.
    output: Option<Signal>,
}

impl Node for Point {
    fn backward(&self, delta: &Signal, to_input: bool, _: Option<&mut Gradient>) -> Option<Signal> {
        to_input.then(|| delta.clone() * self.slope.clone())
    }

    fn tangent(&self, _: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        let dy = dx.map(|dx| dx.clone() * self.slope.clone());
        let kept = dy.iter().filter(|_| self.output.is_some()).cloned().collect();
        (dy, kept)
    }

    /// d(φ' δ) = φ' δ̇ + φ'' ẋ δ, where φ'' ẋ = −2 y ẏ.
    fn backward_tangent(
        &self,
        _: &Parts,
        kept: &Kept,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
        _: &mut Gradient,
    ) -> Option<Signal> {
        to_input.then(|| {
            let straight = delta_dot.clone() * self.slope.clone();
            match (&self.output, kept.first()) {
                (Some(y), Some(dy)) => straight - y.clone() * delta.clone() * dy.clone() * 2.0,
                _ => straight,
            }
        })
    }
}
