//! What a layer remembers of a pass, and its first and second derivatives there.

use burn::tensor::Tensor;

use super::parameters::{Gradient, Parts};

/// What flows between layers, [examples, channels, height, width]; features are the channels of images of 1×1.
pub type Signal = Tensor<4>;

/// What a layer's tangent leaves for the second half of the same product.
pub type Kept = Vec<Signal>;

/// A layer y = f(x, w) at the x and w of one pass.
///
/// δ stands for the derivative of the summed loss with respect to y, a dot for the derivative along a direction v in
/// parameter space. A Hessian-vector product is the dotted gradient: ẏ runs forward through the layers, then δ̇
/// runs back, where the x, y and δ of the pass itself stay the same for every v.
pub trait Node {
    /// The derivative of the loss with respect to x, if `to_input`; the one with respect to w goes into `gradient`.
    fn backward(&self, delta: &Signal, to_input: bool, gradient: Option<&mut Gradient>) -> Option<Signal>;

    /// ẏ, from ẋ and ẇ; `None` is zero.
    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept);

    /// The dotted results of [`Node::backward`], from δ, δ̇ and what [`Node::tangent`] kept for the same v.
    fn backward_tangent(
        &self,
        v: &Parts,
        kept: &Kept,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
        gradient: &mut Gradient,
    ) -> Option<Signal>;
}

/// A layer without parameters that is linear in x near the x of its pass, so that its tangent is the layer itself and its
/// gradient has no derivative of its own.
pub trait LinearMap {
    /// What the map makes of x, or of ẋ.
    fn apply(&self, x: Signal) -> Signal;

    /// Its adjoint: what it makes of δ, or of δ̇.
    fn adjoint(&self, delta: Signal) -> Signal;
}

impl<T: LinearMap> Node for T {
    fn backward(&self, delta: &Signal, to_input: bool, _: Option<&mut Gradient>) -> Option<Signal> {
        to_input.then(|| self.adjoint(delta.clone()))
    }

    fn tangent(&self, _: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        (dx.map(|dx| self.apply(dx.clone())), Kept::new())
    }

    fn backward_tangent(
        &self,
        _: &Parts,
        _: &Kept,
        _: &Signal,
        delta_dot: &Signal,
        to_input: bool,
        _: &mut Gradient,
    ) -> Option<Signal> {
        self.backward(delta_dot, to_input, None)
    }
}

/// The sum of two tangents, either of which may be zero.
pub(crate) fn sum<const D: usize>(a: Option<Tensor<D>>, b: Option<Tensor<D>>) -> Option<Tensor<D>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

/// The sum over everything but the channel, [1, channels, 1, 1].
pub(crate) fn sum_per_channel(x: Signal) -> Signal {
    x.sum_dims(&[0, 2, 3])
}

/// [examples, features] of a signal.
pub fn flat(x: Signal) -> Tensor<2> {
    let [examples, channels, height, width] = x.dims();
    x.reshape([examples, channels * height * width])
}

/// The signal that [examples, features] are.
pub fn signal(x: Tensor<2>) -> Signal {
    let [examples, features] = x.dims();
    x.reshape([examples, features, 1, 1])
}
