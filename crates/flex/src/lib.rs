//! Operations on the tensors of burn-flex, where its own are slow.
//!
//! A caller asks [`is_here`] first, and goes burn's way otherwise: an operation panics at tensors of another back end, or that
//! are neither in 32 nor in 64 bits. Each is held to burn's way by tests of the program.
//!
//! They split the examples among the threads of burn-flex in a way that depends on the shapes alone, so that the number of
//! threads changes no bit of a result.

mod convolution;
mod memory;
mod number;
mod pool;
mod relu;
mod tensors;

pub use convolution::{Derivatives, Term, backward, convolve};
pub use pool::{Choices, max_pool};
pub use relu::{relu, times_slope};
pub use tensors::{device, is_here};
