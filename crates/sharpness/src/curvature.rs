//! λ_max: the largest algebraic eigenvalue of the Hessian of the mean loss.
//!
//! [`MeanLoss`] is a network's loss averaged over a fixed set of examples. [`largest_eigenvalue`] searches for λ_max
//! with its exact Hessian-vector products, [`largest_eigenvalues`] for several eigenvalues.
//! [`largest_eigenvalue_rounded_first`] begins with rounded products, where these are faster. [`Tracker`] follows λ_max,
//! or several eigenvalues, along a training run and audits its own values.
//!
//! Other operators: [`Preconditioned`] is the Hessian as an adaptive optimizer sees it, [`GaussNewton`] its part without
//! the curvature of the network's outputs, [`Block`] its part of one layer,
//! [`Negated`] its negative, for the smallest eigenvalue. Other estimators: [`hutchinson`] and [`hutch_plus_plus`] for the
//! trace, [`spectral_density`] for the density of eigenvalues, [`BatchSharpness`] for the curvature along the gradients of
//! batches.

mod alignment;
mod batch;
mod block;
mod convergence;
mod gauss_newton;
mod identity;
mod kept;
mod lanczos;
mod mean_loss;
mod measurement;
mod negated;
mod operator;
mod preconditioned;
mod random_vectors;
mod rounded;
mod rows;
mod sampled;
mod space;
mod spectrum;
mod trace;
mod track;

pub use alignment::alignment;
pub use batch::{Along, BatchSharpness};
pub use block::Block;
pub use convergence::Eigenvalue;
pub use gauss_newton::GaussNewton;
pub use kept::KEPT_VECTORS;
pub use lanczos::{Estimate, Search, largest_eigenvalue, largest_eigenvalues};
pub use mean_loss::{Hessian, MeanLoss};
pub use measurement::Measurement;
pub use negated::Negated;
pub use operator::{Interrupted, SymmetricOperator};
pub use preconditioned::Preconditioned;
pub use rounded::largest_eigenvalue_rounded_first;
pub use rows::Rows;
pub use sampled::Sampled;
pub use spectrum::{Quadrature, Spectrum, spectral_density};
pub use trace::{Trace, hutch_plus_plus, hutchinson};
pub use track::{Rules, TrackState, Tracker};
