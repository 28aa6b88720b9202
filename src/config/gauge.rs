//! Gauges: what is measured in addition to λ_max.

use serde::{Deserialize, Serialize};

/// A measurement that a cell makes in addition to λ_max.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Gauge {
    /// Batch sharpness E[gᵀHg/‖g‖²] over fresh batches.
    BatchSharpness {
        /// The relative standard error at which no further batches are drawn.
        #[serde(default = "error")]
        error: f64,
        /// The largest number of batches.
        #[serde(default = "batches")]
        batches: u64,
        /// How often it is measured.
        #[serde(default)]
        every: When,
    },
}

/// How often a gauge is measured. All are also measured at the start and at the end of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// With each measurement of λ_max.
    #[default]
    WithLambda,
    /// Each time after this number of optimizer steps.
    Steps(u64),
    /// Each time after this number of epochs.
    Epochs(u64),
    /// Only at the start and at the end.
    Ends,
}

fn error() -> f64 {
    0.05
}

fn batches() -> u64 {
    256
}

impl Gauge {
    /// Returns how often it is measured.
    #[must_use]
    pub fn every(&self) -> When {
        match *self {
            Self::BatchSharpness { every, .. } => every,
        }
    }

    /// Returns its name in a configuration.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::BatchSharpness { .. } => "BatchSharpness",
        }
    }
}
