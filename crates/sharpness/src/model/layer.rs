//! What a layer is.

use super::holding::{Holding, ImageShape};
use super::node::{Node, Signal};
use super::parameters::{Layout, Parts};
use super::pass::Pass;

/// A layer y = f(x, w): where its parameters w lie, but not the parameters.
///
/// A layer of one's own implements this trait, and [`Node`] for what it remembers of a pass;
/// [`Builder::layer`](super::Builder::layer) puts it into a network. A network that is no chain of layers and residual
/// blocks is a single layer.
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
