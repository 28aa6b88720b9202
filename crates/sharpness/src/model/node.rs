//! Nodes: a layer's first and second derivatives at the values of one pass.

use burn::tensor::Tensor;

use super::parameters::{Gradient, Parts};

/// A tensor between layers, [examples, channels, height, width]. Features without an image are the channels of 1×1
/// images.
pub type Signal = Tensor<4>;

/// Tensors that a layer's tangent keeps for the backward half of the same product.
pub type Kept = Vec<Signal>;

/// A layer y = f(x, w) at the x and w of one pass.
///
/// δ is the derivative of the summed loss with respect to y. A dot marks the derivative along a direction v in
/// parameter space, so ẇ is the layer's part of v. A Hessian-vector product is the dotted gradient (Pearlmutter 1994):
/// ẏ is computed forward through the layers, then δ̇ backward. The x, y and δ of the pass itself are the same for every
/// v.
///
/// | method | gives | for y = w x, element by element |
/// |---|---|---|
/// | [`Node::backward`] | (∂y/∂x)ᵀ δ and (∂y/∂w)ᵀ δ | w δ and x δ |
/// | [`Node::tangent`] | ẏ = (∂y/∂x) ẋ + (∂y/∂w) ẇ | w ẋ + x ẇ |
/// | [`Node::backward_tangent`] | the derivatives of both results of `backward` along v | w δ̇ + ẇ δ and x δ̇ + ẋ δ |
///
/// For a layer without parameters that is linear near x, [`LinearMap`] is shorter to implement.
pub trait Node {
    /// Returns the derivative of the loss with respect to x, if `to_input`. Adds the derivative with respect to w to
    /// `gradient`, if there is a gradient.
    fn backward(&self, delta: &Signal, to_input: bool, gradient: Option<&mut Gradient>) -> Option<Signal>;

    /// Returns ẏ, computed from ẋ and the layer's part of `v`, and the tensors that [`Node::backward_tangent`] needs
    /// for the same v.
    ///
    /// `None` is a tangent of zero: before the first parameters nothing depends on v.
    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept);

    /// Computes the derivatives of both results of [`Node::backward`] along v, from δ, δ̇ and the tensors that
    /// [`Node::tangent`] kept for the same v. Returns the derivative of the result for x, if `to_input`, and adds the
    /// derivative of the result for w to `gradient`.
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

/// A layer without parameters that is linear in x near the x of its pass, such as ReLU, pooling or a mask.
///
/// Its tangent is the same linear map, and its gradient has no further derivative. Every type with this trait is a
/// [`Node`].
pub trait LinearMap {
    /// Returns A x, or A ẋ.
    fn apply(&self, x: Signal) -> Signal;

    /// Returns Aᵀ δ, or Aᵀ δ̇: the adjoint of [`LinearMap::apply`].
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

/// Returns the sum of two tangents. `None` is a tangent of zero.
pub(crate) fn sum<const D: usize>(a: Option<Tensor<D>>, b: Option<Tensor<D>>) -> Option<Tensor<D>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

/// Returns the sum over all dimensions but the channels, [1, channels, 1, 1].
pub(crate) fn sum_per_channel(x: Signal) -> Signal {
    x.sum_dims(&[0, 2, 3])
}

/// Returns a signal as [examples, features], in the order channel, row, column.
pub fn flat(x: Signal) -> Tensor<2> {
    let [examples, channels, height, width] = x.dims();
    x.reshape([examples, channels * height * width])
}

/// Returns [examples, features] as a signal of shape [examples, features, 1, 1].
pub fn signal(x: Tensor<2>) -> Signal {
    let [examples, features] = x.dims();
    x.reshape([examples, features, 1, 1])
}
