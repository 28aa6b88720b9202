//! Networks. Each layer implements its value and its first and second derivatives in one file.
//!
//! A forward pass creates a node for every layer. The node stores the tensors that the derivatives need, and has
//! explicit rules for the gradient and for the gradient's derivative along a direction. Training uses the gradient. A
//! [`Linearization`] keeps the nodes for any number of Hessian-vector products at the same parameters.

mod architecture;
mod builder;
mod examples;
mod footprint;
mod gradient;
mod holding;
mod initial;
mod jacobian;
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
pub use jacobian::Jacobian;
pub use layer::Layer;
pub use layers::{Activation, Filters, pooled};
pub use loss::{Loss, loss_sum};
pub use network::Network;
pub use networks::{Cnn, Mlp, ResNet18, ResNet20, Vgg11};
pub use node::{Kept, LinearMap, Node, Signal, flat, signal};
pub use parameters::{Entry, Gradient, Layout, ParameterIndex, Parts};
pub use pass::{Normalization, Pass, RunningStatistics};

/// Version of the rounding of results, counted from 1. It increases by one whenever a change of the code makes results
/// differ from those of an earlier version by rounding only, so that they are no longer equal to the last bit.
pub const ROUNDING: u32 = 2;
