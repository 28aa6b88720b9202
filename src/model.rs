//! A configuration's network, each layer with its value and its tangent side by side.
//!
//! Every layer maps a [`Dual`] (a value and, when a Hessian-vector product is wanted, its directional derivative) to
//! a `Dual`. Training and evaluation are the same code without tangents.

mod activation;
mod batch_norm;
mod conv;
mod dropout;
mod dual;
mod examples;
mod gradient;
mod linear;
mod loss;
mod network;
mod parameters;
mod pool;
mod seed;

pub use batch_norm::{Normalization, RunningStatistics};
pub use dual::{Dual, Signal};
pub use examples::Examples;
pub use gradient::loss_and_gradient;
pub use loss::{loss_sum, loss_tangent_sum};
pub use network::{Network, Pass};
pub use parameters::{Entry, Layout, Leaves};
pub use seed::{Purpose, stream};

/// The loss belongs to the function that is differentiated, so it is met here.
pub use crate::config::Loss;
