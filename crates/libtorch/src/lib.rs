//! LibTorch's own operations on burn's tensors, where burn-tch has none or only slow ones.
//!
//! Every operation gives `None` where its tensors are on another back end, so that a caller writes the general way once and
//! asks here first. Each is held to that general way by tests of the program.
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

pub use convolution::{Wanted, convolution_backward};
pub use elementwise::{affine, linear, relu_backward};
pub use normalization::Normalized;
pub use pool::{Pooled, max_pool};
pub use process::{
    allow_tf32, autotune_convolutions, cuda_devices, deterministic_convolutions, other_version_loaded, try_out,
};
pub use raw::LibTorchError;
pub use tensors::is_here;
pub use transfer::{Reading, upload};
