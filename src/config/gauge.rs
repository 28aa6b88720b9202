//! Gauges: what is measured in addition to λ_max.

use serde::{Deserialize, Serialize};

/// A measurement that a cell makes in addition to λ_max.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Gauge {
    /// Batch sharpness E[gᵀHg/‖g‖²] over fresh batches.
    BatchSharpness {
        /// The relative standard error for which batches are drawn.
        #[serde(default = "error")]
        error: f64,
        /// The largest number of batches.
        #[serde(default = "batches")]
        batches: u64,
        /// How often it is measured.
        #[serde(default)]
        every: When,
    },
    /// The share of gradients in the space of the tracked eigenvectors, and the curvature along the last step. It is
    /// measured with λ_max, because it needs the eigenvectors.
    Alignment {},
    /// λ_max of the Gauss–Newton matrix G, and the share of λ_max that comes from H − G.
    GaussNewton {
        /// How often it is measured.
        #[serde(default)]
        every: When,
    },
    /// The trace of the Hessian.
    Trace {
        /// The number of Hessian-vector products.
        #[serde(default = "products")]
        products: u64,
        /// The estimator.
        #[serde(default)]
        by: TraceBy,
        /// How often it is measured.
        #[serde(default)]
        every: When,
    },
    /// The spectral density and the smallest eigenvalue.
    Spectrum {
        /// The number of random vectors.
        #[serde(default = "vectors")]
        vectors: u64,
        /// The number of Lanczos steps from each.
        #[serde(default = "steps")]
        steps: u64,
        /// How often it is measured.
        #[serde(default = "ends")]
        every: When,
    },
    /// λ_max of each layer's block of the Hessian.
    Layers {
        /// How often it is measured.
        #[serde(default = "ends")]
        every: When,
    },
}

/// An estimator of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TraceBy {
    /// Hutch++ (Meyer et al. 2021).
    #[default]
    HutchPlusPlus,
    /// Hutchinson's estimator (1990).
    Hutchinson,
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

fn products() -> u64 {
    40
}

fn vectors() -> u64 {
    4
}

fn steps() -> u64 {
    60
}

fn ends() -> When {
    When::Ends
}

impl Gauge {
    /// Returns how often it is measured.
    #[must_use]
    pub fn every(&self) -> When {
        match *self {
            Self::BatchSharpness { every, .. }
            | Self::GaussNewton { every }
            | Self::Trace { every, .. }
            | Self::Spectrum { every, .. }
            | Self::Layers { every } => every,
            Self::Alignment {} => When::WithLambda,
        }
    }

    /// Returns its name in a configuration.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::BatchSharpness { .. } => "BatchSharpness",
            Self::Alignment {} => "Alignment",
            Self::GaussNewton { .. } => "GaussNewton",
            Self::Trace { .. } => "Trace",
            Self::Spectrum { .. } => "Spectrum",
            Self::Layers { .. } => "Layers",
        }
    }
}
