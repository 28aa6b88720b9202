//! LibTorch's own operations on burn's tensors, where burn-tch has none or only slow ones.
//!
//! A caller checks [`is_here`] first, and otherwise uses burn's operations: an operation panics on tensors of another
//! back end. Tests of the program compare each operation with burn's.
//!
//! An exception of LibTorch, for example out of memory, becomes a panic with its message, as in burn's own operations.
//!
//! All `unsafe` code is in `raw`, next to the C++ file that it calls.

mod convolution;
mod elementwise;
mod normalization;
mod pool;
mod process;
mod raw;
mod tensors;
mod transfer;

pub use convolution::{Derivatives, Wanted, convolution_backward};
pub use elementwise::{add_product, add_products, add_scaled, linear, relu_backward};
pub use normalization::Normalized;
pub use pool::{Pooled, max_pool};
pub use process::{
    allow_tf32, autotune_convolutions, cuda_devices, deterministic_convolutions, other_version_loaded, try_out,
};
pub use raw::LibTorchError;
pub use tensors::is_here;
pub use transfer::{Reading, upload, upload_indices, works_behind};
