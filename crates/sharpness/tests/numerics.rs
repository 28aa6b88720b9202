//! The numbers are right: products, eigenvalues, their track along a run, and PyTorch's on the same networks.
//!
//! All of it in float64, where a wrong rule cannot hide behind rounding. As `numerics` it runs on flex, and, built with
//! the feature `tch`, as `numerics_on_libtorch` on LibTorch.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test may panic, and may ask for the very bits"
)]

#[path = "numerics/eigenvalue.rs"]
mod eigenvalue;
#[path = "numerics/failures.rs"]
mod failures;
#[path = "numerics/forward.rs"]
mod forward;
#[path = "numerics/initial.rs"]
mod initial;
#[path = "numerics/problem.rs"]
mod problem;
#[path = "numerics/product.rs"]
mod product;
#[path = "numerics/pytorch.rs"]
mod pytorch;
#[path = "numerics/rounded.rs"]
mod rounded;
#[path = "numerics/track.rs"]
mod track;
#[path = "numerics/vectors.rs"]
mod vectors;
