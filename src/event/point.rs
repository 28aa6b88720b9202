//! The measurements at one step of a cell, and the last values of a cell.

use serde::{Deserialize, Serialize};

use super::nulls::{nan_where_null, some_nan_where_null};
use super::{LayerPoint, SpectrumPoint, Values};

/// The measurements at one step of a cell: one line of its `metrics.jsonl`.
///
/// A non-finite number is written as null, and null is read as NaN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Optimizer steps taken before the measurement.
    pub step: u64,
    /// Passes over the training data.
    #[serde(deserialize_with = "nan_where_null")]
    pub epoch: f64,
    /// Seconds that the cell had run, excluding pauses.
    #[serde(deserialize_with = "nan_where_null")]
    pub seconds: f64,
    /// The largest eigenvalue of the Hessian, with the probe it was measured on.
    #[serde(flatten)]
    pub lambda: Option<LambdaPoint>,
    /// The preconditioned sharpness on the same probe, if the optimizer has a preconditioner and took a step.
    #[serde(flatten)]
    pub preconditioned: Option<PreconditionedPoint>,
    /// The spectral density on the first probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spectrum: Option<Box<SpectrumPoint>>,
    /// λ_max of each layer's block of the Hessian on the first probe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerPoint>,
    /// A change of the learning rate by the person watching, after this step and before the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by_hand: Option<RateChange>,
    /// All other measured values, by quantity key. This field must be the last: when read from disk, it takes every
    /// number that no other field takes.
    #[serde(flatten)]
    pub values: Values,
}

impl Point {
    /// Returns the point with one more value.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: f64) -> Self {
        self.values.set(key, value);
        self
    }
}

/// A change of the learning rate by the person watching.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateChange {
    /// η of the next step before the change.
    pub from: f64,
    /// η of the next step after the change.
    pub to: f64,
}

/// One measurement of λ_max, the largest algebraic eigenvalue of the Hessian of the mean loss.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LambdaPoint {
    /// The eigenvalue; NaN if Hessian-vector products or vectors were not finite.
    #[serde(deserialize_with = "nan_where_null")]
    pub lambda_max: f64,
    /// Residual ‖Hv − λv‖ for the unit eigenvector v: an eigenvalue lies within this distance of `lambda_max`.
    #[serde(deserialize_with = "nan_where_null")]
    pub lambda_residual: f64,
    /// Whether the residual met the tolerance. Unconverged values are always marked when shown.
    pub lambda_converged: bool,
    /// Number of Hessian-vector products.
    pub lambda_hvps: u64,
    /// Number of products computed with TF32 rounding. Value and residual come from the other products only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lambda_rounded_hvps: u64,
    /// Duration of the measurement in seconds.
    #[serde(deserialize_with = "nan_where_null")]
    pub lambda_seconds: f64,
    /// Index of the probe in [`CellPlan::probes`](super::CellPlan::probes).
    pub lambda_probe: usize,
    /// The probe and its batch-norm mode, as text.
    pub lambda_on: String,
    /// Whether a complete solve from a random vector (an audit) confirmed this value or produced it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lambda_audited: bool,
    /// The value of the warm-started solver, if an audit found a larger eigenvalue.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_nan_where_null"
    )]
    pub lambda_corrected_from: Option<f64>,
}

/// One measurement of the preconditioned sharpness, the largest eigenvalue of P^−½ (H + μI) P^−½, with the
/// preconditioner P of the last step. The probe is that of the point's λ_max.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PreconditionedPoint {
    /// The eigenvalue; NaN if products or vectors were not finite.
    #[serde(deserialize_with = "nan_where_null")]
    pub preconditioned_sharpness: f64,
    /// The residual for the unit eigenvector: an eigenvalue lies within this distance of the value.
    #[serde(deserialize_with = "nan_where_null")]
    pub preconditioned_residual: f64,
    /// Whether the residual met the tolerance.
    pub preconditioned_converged: bool,
    /// Number of Hessian-vector products.
    pub preconditioned_hvps: u64,
    /// Number of products computed with TF32 rounding.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub preconditioned_rounded_hvps: u64,
    /// Whether an audit confirmed this value or produced it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preconditioned_audited: bool,
    /// The value of the warm-started solver, if an audit found a larger eigenvalue.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_nan_where_null"
    )]
    pub preconditioned_corrected_from: Option<f64>,
}

/// The last values of a cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Optimizer steps taken.
    pub steps: u64,
    /// Passes over the training data.
    pub epochs: f64,
    /// Seconds that the cell ran, excluding pauses.
    pub seconds: f64,
    /// Whether a finished cell reached its aim (a training loss or accuracy) before it used up its budget; none if it
    /// has no aim.
    #[serde(default)]
    pub reached_aim: Option<bool>,
    /// Whether the person watching changed the learning rate during training.
    #[serde(default)]
    pub changed_by_hand: bool,
    /// Whether the last measurement of λ_max on the first probe converged.
    pub lambda_converged: Option<bool>,
    /// Whether the last measurement of the preconditioned sharpness on the first probe converged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preconditioned_converged: Option<bool>,
    /// Number of optimizer steps taken at the last measurement of λ_max; less than `steps` if the cell was stopped later.
    #[serde(default)]
    pub lambda_step: Option<u64>,
    /// The probe of that measurement and its batch-norm mode, as text.
    #[serde(default)]
    pub lambda_on: Option<String>,
    /// The last value of each quantity, by key; for quantities measured on probes, the value on the first probe. This
    /// field must be the last: when read from disk, it takes every number that no other field takes.
    #[serde(flatten)]
    pub values: Values,
}

// serde requires this signature.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
