//! The sets of examples on which λ_max is measured.

use serde::{Deserialize, Serialize};

use super::Extent;

/// A fixed set of examples on which λ_max is measured. It is drawn once per cell, from the cell's seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The split that its examples come from (default `HeldOut`).
    #[serde(default)]
    pub from: Split,
    /// The number of examples (default 1000).
    #[serde(default = "Probe::default_examples")]
    pub examples: Extent,
    /// The batch-norm statistics that it uses (default `Batch`).
    #[serde(default)]
    pub statistics: Statistics,
    /// With batch statistics: the number of examples that share them. `Full` is the whole probe (default).
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
    /// Returns the number that the published experiments used. With it, the top eigenvalue varies little between draws.
    fn default_examples() -> Extent {
        Extent::Count(1000)
    }

    fn default_group() -> Extent {
        Extent::Full
    }
}

/// A split of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Split {
    /// The test images. Training never uses them.
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
