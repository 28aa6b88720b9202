//! What a layer remembers of a pass: its first and second derivatives there.

use burn::tensor::Tensor;

use super::parameters::{Gradient, Parts};

/// A tensor between layers, [examples, channels, height, width]. Features without an image are the channels of images of 1×1.
pub type Signal = Tensor<4>;

/// Tensors that a layer's tangent leaves for the second half of the same product.
pub type Kept = Vec<Signal>;

/// A layer y = f(x, w) at the x and w of one pass.
///
/// δ stands for the derivative of the summed loss with respect to y, and a dot for the derivative along a direction v in
/// parameter space, so that ẇ is the layer's part of v. A Hessian-vector product is the dotted gradient (Pearlmutter 1994): ẏ
/// runs forward through the layers, then δ̇ runs back. The x, y and δ of the pass itself are the same for every v.
///
/// | method | gives | for y = w x, element by element |
/// |---|---|---|
/// | [`Node::backward`] | (∂y/∂x)ᵀ δ and (∂y/∂w)ᵀ δ | w δ and x δ |
/// | [`Node::tangent`] | ẏ = (∂y/∂x) ẋ + (∂y/∂w) ẇ | w ẋ + x ẇ |
/// | [`Node::backward_tangent`] | the derivatives of both results of `backward` along v | w δ̇ + ẇ δ and x δ̇ + ẋ δ |
///
/// [`LinearMap`] is shorter for a layer without parameters that is linear near x.
pub trait Node {
    /// The derivative of the loss with respect to x, if `to_input`. That with respect to w is added to `gradient`, if there is
    /// one.
    fn backward(&self, delta: &Signal, to_input: bool, gradient: Option<&mut Gradient>) -> Option<Signal>;

    /// ẏ, from ẋ and the parameters' part of `v`; and whatever [`Node::backward_tangent`] needs of it for the same v.
    ///
    /// `None` is a tangent of zero: the layers in front of the first parameters have no ẋ.
    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept);

    /// The derivatives of both results of [`Node::backward`] along v, from δ, δ̇ and what [`Node::tangent`] kept for the same v:
    /// that to x is given back, if `to_input`, and that to w is added to `gradient`.
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
/// Its tangent is the layer itself, and its gradient has no derivative of its own. Whatever implements this is a [`Node`].
pub trait LinearMap {
    /// A x, or A ẋ.
    fn apply(&self, x: Signal) -> Signal;

    /// Aᵀ δ, or Aᵀ δ̇: the adjoint of [`LinearMap::apply`].
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

/// A signal as [examples, features], in the order channel, row, column.
pub fn flat(x: Signal) -> Tensor<2> {
    let [examples, channels, height, width] = x.dims();
    x.reshape([examples, channels * height * width])
}

/// [examples, features] as a signal of shape [examples, features, 1, 1].
pub fn signal(x: Tensor<2>) -> Signal {
    let [examples, features] = x.dims();
    x.reshape([examples, features, 1, 1])
}
