//! Networks, each layer with its value and its first and second derivatives side by side.
//!
//! A pass leaves a node for every layer: what it remembers, with explicit rules for the gradient and for the gradient's
//! derivative along a direction. Training uses the former; a [`Linearization`] keeps the nodes for as many
//! Hessian-vector products as are wanted at the same parameters.

mod architecture;
mod builder;
mod examples;
mod footprint;
mod gradient;
mod holding;
mod initial;
mod layer;
mod layers;
mod loss;
mod network;
mod networks;
mod node;
mod parameters;
mod pass;
mod wiring;

pub use architecture::{Architecture, Hidden};
pub use builder::Builder;
pub use examples::Examples;
pub use footprint::Footprint;
pub use gradient::{Linearization, loss_and_gradient, mean_loss_and_gradient};
pub use holding::{Holding, ImageShape, Keeps};
pub use initial::Initial;
pub use layer::Layer;
pub use layers::{Activation, Filters, pooled};
pub use loss::{Loss, loss_sum};
pub use network::Network;
pub use networks::{Cnn, Mlp, ResNet18, ResNet20, Vgg11};
pub use node::{Kept, LinearMap, Node, Signal, flat, signal};
pub use parameters::{Entry, Gradient, Layout, ParameterIndex, Parts};
pub use pass::{Normalization, Pass, RunningStatistics};

/// Counts the ways in which the same operations have been rounded: one more whenever numbers of an earlier version come out
/// the same to rounding, and no longer to the last bit. The first is 1.
pub const ROUNDING: u32 = 2;
