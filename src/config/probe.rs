//! The sets of examples on which λ_max is measured.

use serde::{Deserialize, Serialize};

use super::{Extent, Settings};

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

    /// How many examples it can be drawn from in a cell with these settings.
    #[must_use]
    pub fn available(&self, settings: &Settings) -> usize {
        match self.from {
            Split::HeldOut => settings.test_len(),
            Split::Training => settings.train_len(),
        }
    }

    /// How many examples it has in a cell with these settings.
    #[must_use]
    pub fn example_count(&self, settings: &Settings) -> usize {
        self.examples.of(self.available(settings))
    }

    /// In words, what λ_max is measured on in a cell with these settings.
    ///
    /// "held-out, 1000 examples", and with batch norm "training, all 1000 examples, batch statistics of groups of 250".
    #[must_use]
    pub fn describe(&self, settings: &Settings) -> String {
        let split = match self.from {
            Split::HeldOut => "held-out",
            Split::Training => "training",
        };
        let count = self.example_count(settings);
        let all = if count == self.available(settings) { "all " } else { "" };
        let examples = if count == 1 { "example" } else { "examples" };
        let words = format!("{split}, {all}{count} {examples}");
        if !settings.batch_norm {
            return words;
        }
        match (self.statistics, self.group) {
            (Statistics::Running, _) => format!("{words}, running statistics"),
            (Statistics::Batch, Extent::Count(group)) if group < count => {
                format!("{words}, batch statistics of groups of {group}")
            }
            (Statistics::Batch, _) => format!("{words}, batch statistics of the whole probe"),
        }
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
