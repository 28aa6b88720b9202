//! Checks the numbers: products, eigenvalues, their track along a run, and PyTorch's numbers for the same networks.
//!
//! All tests use float64, where rounding cannot hide a wrong rule. As `numerics` they run on flex and, built with the
//! feature `tch`, as `numerics_on_libtorch` on LibTorch.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test may panic, and may compare exact bits"
)]

#[path = "numerics/batch.rs"]
mod batch;
#[path = "numerics/block.rs"]
mod block;
#[path = "numerics/eigenvalue.rs"]
mod eigenvalue;
#[path = "numerics/failures.rs"]
mod failures;
#[path = "numerics/forward.rs"]
mod forward;
#[path = "numerics/gauss_newton.rs"]
mod gauss_newton;
#[path = "numerics/initial.rs"]
mod initial;
#[path = "numerics/preconditioned.rs"]
mod preconditioned;
#[path = "numerics/problem.rs"]
mod problem;
#[path = "numerics/product.rs"]
mod product;
#[path = "numerics/pytorch.rs"]
mod pytorch;
#[path = "numerics/rounded.rs"]
mod rounded;
#[path = "numerics/several.rs"]
mod several;
#[path = "numerics/spectrum.rs"]
mod spectrum;
#[path = "numerics/trace.rs"]
mod trace;
#[path = "numerics/track.rs"]
mod track;
#[path = "numerics/vectors.rs"]
mod vectors;
