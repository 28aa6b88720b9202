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

/// Computes the same as [`activate`], in the fastest way for the device of `x`.
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

/// Computes y = φ(x), element by element. φ' is 1 − tanh² for tanh; for ReLU it is 1 where x > 0, else 0 (PyTorch's
/// choice at 0).
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

/// Returns tanh x = 1 − 2/(e^2x + 1).
///
/// The absolute error is one or two rounding errors of the number 1; the error of x itself is mostly as large. The
/// pure-Rust back end computes an exponential five times as fast as its tanh. Its tanh computes one number at a time on
/// one thread, and took a quarter of the gradient's time.
fn tanh(x: Signal) -> Signal {
    ((x * 2.0).exp() + 1.0).recip() * -2.0 + 1.0
}

impl Layer for Activation {
    fn forward(&self, _: &Parts, x: Signal, _: &mut Pass) -> (Signal, Box<dyn Node>) {
        forward(*self, x)
    }

    /// Declares that y is kept, and for tanh also φ' and, in a product, ẏ.
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
            // The general way keeps φ' instead of y. That is one more tensor if the next layer keeps y.
            Self::Relu => kept,
        }
    }
}

/// The activation function φ at x.
struct Point {
    /// φ'(x).
    slope: Signal,
    /// y, for tanh only: φ'' = −2 y φ'. For ReLU φ'' is 0.
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

    /// Returns d(φ' δ) = φ' δ̇ + φ'' ẋ δ, where φ'' ẋ = −2 y ẏ.
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
