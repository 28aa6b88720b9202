//! The sets of examples on which λ_max is measured.

use serde::{Deserialize, Serialize};

use super::Extent;

/// A fixed set of examples on which λ_max is measured, drawn once per cell from its seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Where its examples come from (default `HeldOut`).
    #[serde(default)]
    pub from: Split,
    /// How many (default 1000).
    #[serde(default = "Probe::default_examples")]
    pub examples: Extent,
    /// Which batch-norm statistics it uses (default `Batch`).
    #[serde(default)]
    pub statistics: Statistics,
    /// With batch statistics: how many examples share them, `Full` for the whole probe (default).
    #[serde(default = "Probe::default_group")]
    pub group: Extent,
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            from: Split::default(),
            examples: Self::default_examples(),
            statistics: Statistics::default(),
            group: Self::default_group(),
        }
    }
}

impl Probe {
    /// As many as the published experiments used; enough for the top eigenvalue to be stable over draws.
    fn default_examples() -> Extent {
        Extent::Count(1000)
    }

    fn default_group() -> Extent {
        Extent::Full
    }
}

/// A half of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Split {
    /// The test images, which are never trained on.
    #[default]
    HeldOut,
    /// The training images.
    Training,
}

/// Batch-norm statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statistics {
    /// Mean and variance of the examples themselves.
    #[default]
    Batch,
    /// The running averages gathered during training.
    Running,
}
