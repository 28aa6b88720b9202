//! λ_max: the largest algebraic eigenvalue of the Hessian of the mean loss.
//!
//! [`MeanLoss`] is the function and the examples it is averaged over; its exact Hessian-vector products feed
//! [`largest_eigenvalue`], or [`largest_eigenvalue_rounded_first`] where rounded products are faster; [`Tracker`] follows the
//! eigenvalue along a training run and audits itself.

mod lanczos;
mod mean_loss;
mod operator;
mod rounded;
mod rows;
mod space;
mod track;

pub use lanczos::{Estimate, Search, largest_eigenvalue};
pub use mean_loss::{Hessian, MeanLoss};
pub use operator::{Interrupted, SymmetricOperator};
pub use rounded::largest_eigenvalue_rounded_first;
pub use rows::Rows;
pub use track::{KEPT_VECTORS, Measurement, Rules, TrackState, Tracker};
