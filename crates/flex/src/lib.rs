//! Operations on the tensors of burn-flex, where its own are slow.
//!
//! Every operation gives `None` where its tensors are on another back end, or are neither in 32 nor in 64 bits, so that a
//! caller writes the general way once and asks here first. Each is held to that general way by tests of the program.
//!
//! They split the examples among the threads of burn-flex in a way that depends on the shapes alone, so that the number of
//! threads changes no bit of a result.

mod convolution;
mod memory;
mod number;
mod pool;
mod relu;
mod tensors;

pub use convolution::{Term, backward, convolve};
pub use pool::{Choices, max_pool};
pub use relu::{relu, times_slope};
pub use tensors::{device, is_here};
