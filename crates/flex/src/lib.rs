//! Operations on the tensors of burn-flex that replace its slow ones.
//!
//! A caller checks [`is_here`] first, and otherwise uses burn's operations: an operation panics on tensors of another
//! back end, and on tensors that are neither in 32 nor in 64 bits. Tests of the program compare each operation with
//! burn's.
//!
//! The operations split the examples among the threads of burn-flex. The split depends only on the shapes, so the
//! number of threads changes no bit of a result.

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
