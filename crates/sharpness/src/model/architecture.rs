//! Architectures: plans of whole networks.

use super::builder::Builder;
use super::layers::Activation;

/// A plan of a network for images of any shape and any number of classes.
///
/// [`Network::new`](super::Network::new) builds the network. A user-defined architecture:
///
/// ```
/// use sharpness::model::{Activation, Architecture, Builder, Filters, Initial, Network};
///
/// struct OneConvolution(usize);
///
/// impl Architecture for OneConvolution {
///     fn build(&self, build: &mut Builder, [channels, height, width]: [usize; 3], classes: usize) {
///         let filters = Filters::three_by_three(channels, self.0);
///         build.conv("conv", filters, Initial::he(filters.fan_in()), Some(Initial::ZERO));
///         build.activation(Activation::Relu);
///         build.default_linear("fc", self.0 * height * width, classes);
///     }
/// }
///
/// let network = Network::new(&OneConvolution(2), [1, 5, 5], 3);
/// assert_eq!(network.layout().len(), 2 * 9 + 2 + 50 * 3 + 3);
/// ```
pub trait Architecture {
    /// Adds the layers for images of shape `input` [channels, height, width], in the order of a forward pass.
    fn build(&self, build: &mut Builder, input: [usize; 3], classes: usize);
}

/// The operations after the affine map of a hidden layer: batch norm (optional), activation, dropout (optional).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hidden {
    /// The activation function.
    pub activation: Activation,
    /// Whether batch norm comes before the activation.
    pub batch_norm: bool,
    /// The probability that a unit is dropped in training, in [0, 1); 0 is no dropout.
    pub dropout: f64,
}

impl Default for Hidden {
    /// Returns ReLU without batch norm and without dropout.
    fn default() -> Self {
        Self {
            activation: Activation::Relu,
            batch_norm: false,
            dropout: 0.0,
        }
    }
}

impl Hidden {
    /// Adds batch norm if it is enabled.
    pub fn batch_norm(self, build: &mut Builder, name: &str, channels: usize) {
        if self.batch_norm {
            build.batch_norm(name, channels);
        }
    }

    /// Adds the activation.
    pub fn activation(self, build: &mut Builder) {
        build.activation(self.activation);
    }

    /// Adds dropout if its probability is above 0.
    pub fn dropout(self, build: &mut Builder) {
        if self.dropout > 0.0 {
            build.dropout(self.dropout);
        }
    }
}
