//! Layers: their parameters, and the function that maps an input to an output.

use super::holding::{Holding, ImageShape};
use super::node::{Node, Signal};
use super::parameters::{Layout, Parts};
use super::pass::Pass;

/// A layer y = f(x, w). It knows the indices of its parameters, but does not hold their numbers.
///
/// To define a layer, implement this trait, and [`Node`] for its derivatives at one pass.
/// [`Builder::layer`](super::Builder::layer) adds the layer to a network. A network that is not a chain of layers and
/// residual blocks can be a single layer.
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
/// The example `lambda_max` defines a layer with a parameter and second derivatives.
pub trait Layer: Send + Sync {
    /// Returns y, with as many examples as x, and the node for the derivatives at this x and w.
    ///
    /// `parameters` holds the parameters of the whole network. A layer gets its own parameters by the indices that
    /// [`Builder::parameter`](super::Builder::parameter) returned.
    fn forward(&self, parameters: &Parts, x: Signal, pass: &mut Pass) -> (Signal, Box<dyn Node>);

    /// Returns the shape of y for one example of shape `input`, and the count of numbers that the layer holds for this
    /// example.
    ///
    /// `with_dropout` says whether the pass has dropout.
    fn holding(&self, layout: &Layout, input: ImageShape, with_dropout: bool) -> Holding;
}
