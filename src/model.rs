//! A configuration's network, each layer with its value and its first and second derivatives side by side.
//!
//! A pass leaves a node for every layer: what it remembers, with explicit rules for the gradient and for the gradient's
//! derivative along a direction. Training uses the former; a [`Linearization`] keeps the nodes for as many
//! Hessian-vector products as are wanted at the same parameters.

mod activation;
mod average;
mod batch_norm;
mod builder;
mod conv;
mod dropout;
mod examples;
mod footprint;
mod gradient;
mod initial;
mod layer;
mod linear;
mod loss;
mod network;
mod node;
mod parameters;
mod plain;
mod pool;
mod resnet;
mod rounding;
mod seed;
mod subsample;
mod transfer;
mod vectors;
mod vgg;
mod wiring;

pub use batch_norm::{Normalization, RunningStatistics};
pub use examples::Examples;
pub use footprint::Footprint;
pub use gradient::{Linearization, loss_and_gradient};
pub use initial::Initial;
pub use loss::loss_sum;
pub use network::{Network, Pass};
use parameters::Gradient;
pub use parameters::{Entry, Layout, Parts};
pub use rounding::{Rounding, can_round};
pub use seed::{Purpose, stream};
pub use transfer::{Reading, upload, upload_bytes, upload_indices, works_behind};
pub use vectors::add_scaled;

/// Counts the ways in which the same operations have been rounded: one more whenever numbers of an earlier version come out
/// the same to rounding, and no longer to the last bit. The first is 1.
pub const ROUNDING: u32 = 2;

/// The loss belongs to the function that is differentiated, so it is met here.
pub use crate::config::Loss;
