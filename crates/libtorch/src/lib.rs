//! LibTorch's own operations on burn's tensors, where burn-tch has none or only slow ones.
//!
//! A caller asks [`is_here`] first, and goes burn's way otherwise: an operation panics at tensors of another back end. Each
//! is held to burn's way by tests of the program.
//!
//! What LibTorch throws, say that memory ran out, arrives as a panic with its words, as it does from burn's own operations.
//!
//! All `unsafe` code is in `raw`, beside the C++ file that it calls.

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
