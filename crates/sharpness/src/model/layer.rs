//! Layers: where their parameters lie, and what they make of an input.

use super::holding::{Holding, ImageShape};
use super::node::{Node, Signal};
use super::parameters::{Layout, Parts};
use super::pass::Pass;

/// A layer y = f(x, w). It knows which parameters are its own, but does not hold their numbers.
///
/// A layer of one's own implements this trait, and [`Node`] for what it remembers of a pass;
/// [`Builder::layer`](super::Builder::layer) puts it into a network. A network that is no chain of layers and residual
/// blocks is a single layer.
///
/// ```
/// use sharpness::model::{
///     Holding, ImageShape, Layer, Layout, LinearMap, Network, Node, Parts, Pass, Signal,
/// };
///
/// /// y = 3x.
/// struct Triple;
///
/// impl Layer for Triple {
///     fn forward(&self, _: &Parts, x: Signal, _: &mut Pass) -> (Signal, Box<dyn Node>) {
///         (Triple.apply(x), Box::new(Triple))
///     }
///
///     fn holding(&self, _: &Layout, input: ImageShape, _: bool) -> Holding {
///         Holding::nothing(input)
///     }
/// }
///
/// impl LinearMap for Triple {
///     fn apply(&self, x: Signal) -> Signal {
///         x * 3.0
///     }
///
///     fn adjoint(&self, delta: Signal) -> Signal {
///         delta * 3.0
///     }
/// }
///
/// let network = Network::build([1, 1, 4], |build| {
///     build.default_linear("fc1", 4, 2);
///     build.layer(Triple);
/// });
/// assert_eq!(network.layout().len(), 10);
/// ```
///
/// The example `lambda_max` has a layer with a parameter and second derivatives.
pub trait Layer: Send + Sync {
    /// y, of as many examples as x, and what the derivatives at this x and w need.
    ///
    /// `parameters` has the parameters of the whole network; a layer takes its own by the indices that
    /// [`Builder::parameter`](super::Builder::parameter) gave.
    fn forward(&self, parameters: &Parts, x: Signal, pass: &mut Pass) -> (Signal, Box<dyn Node>);

    /// The shape of y for one example of shape `input`, and how many numbers the layer holds of that example.
    ///
    /// `with_dropout` says whether the pass has dropout.
    fn holding(&self, layout: &Layout, input: ImageShape, with_dropout: bool) -> Holding;
}
