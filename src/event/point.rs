//! What was measured at one step of a cell, and what a cell came to.

use serde::{Deserialize, Deserializer, Serialize};

use super::Values;

/// What was measured at one step of a cell: one line of its `metrics.jsonl`.
///
/// A number that is not finite is written as null, and null is read as NaN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Optimizer steps taken before this was measured.
    pub step: u64,
    /// Passes over the training data.
    #[serde(deserialize_with = "nan_where_null")]
    pub epoch: f64,
    /// Seconds the cell had run, pauses excluded.
    #[serde(deserialize_with = "nan_where_null")]
    pub seconds: f64,
    /// The largest eigenvalue of the Hessian and what it was measured on.
    #[serde(flatten)]
    pub lambda: Option<LambdaPoint>,
    /// That the person watching changed the learning rate here, before the next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by_hand: Option<RateChange>,
    /// Everything else that was measured, by the keys of the quantities. Last: on disk it takes every number that no
    /// other field takes.
    #[serde(flatten)]
    pub values: Values,
}

impl Point {
    /// The same with a further value.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: f64) -> Self {
        self.values.set(key, value);
        self
    }
}

/// A change of the learning rate by the person watching.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateChange {
    /// η of the next step as it was.
    pub from: f64,
    /// η of the next step as it is.
    pub to: f64,
}

/// One measurement of λ_max, the largest algebraic eigenvalue of the Hessian of the mean loss.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LambdaPoint {
    /// The eigenvalue; NaN where it could not be had, since products or vectors were not finite.
    #[serde(deserialize_with = "nan_where_null")]
    pub lambda_max: f64,
    /// ‖Hv − λv‖ for the unit eigenvector v: an eigenvalue lies within this of `lambda_max`.
    #[serde(deserialize_with = "nan_where_null")]
    pub lambda_residual: f64,
    /// Whether the residual met the tolerance; a value that did not is never shown unmarked.
    pub lambda_converged: bool,
    /// Hessian-vector products spent.
    pub lambda_hvps: u64,
    /// How many of them were rounded to TF32; value and residual are of the others alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lambda_rounded_hvps: u64,
    /// Seconds spent.
    #[serde(deserialize_with = "nan_where_null")]
    pub lambda_seconds: f64,
    /// Which of the cell's probes, as an index into [`CellPlan::probes`](super::CellPlan::probes).
    pub lambda_probe: usize,
    /// In words, the probe and its batch-norm mode.
    pub lambda_on: String,
    /// Whether a cold start from a fresh vector, brought to its end, agrees with this value or gave it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lambda_audited: bool,
    /// What the warm track said, where an audit found a larger eigenvalue.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_nan_where_null"
    )]
    pub lambda_corrected_from: Option<f64>,
}

/// The last values of a cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Optimizer steps taken.
    pub steps: u64,
    /// Passes over the training data.
    pub epochs: f64,
    /// Seconds the cell ran, pauses excluded.
    pub seconds: f64,
    /// Of a finished cell that aims at a training loss or accuracy: whether it got there, or used up its budget first.
    #[serde(default)]
    pub reached_aim: Option<bool>,
    /// Whether the person watching changed its learning rate on the way.
    #[serde(default)]
    pub changed_by_hand: bool,
    /// Whether λ_max on the first probe converged, as last measured.
    pub lambda_converged: Option<bool>,
    /// After how many steps it was measured: fewer than `steps` where a cell was stopped.
    #[serde(default)]
    pub lambda_step: Option<u64>,
    /// In words, the probe it was measured on and its batch-norm mode.
    #[serde(default)]
    pub lambda_on: Option<String>,
    /// What was measured last, by the keys of the quantities; of what is measured on probes, that of the first.
    /// Last: on disk it takes every number that no other field takes.
    #[serde(flatten)]
    pub values: Values,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn nan_where_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

fn some_nan_where_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    nan_where_null(deserializer).map(Some)
}
