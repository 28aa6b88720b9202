//! The probes of a cell: how many examples they have with its settings, and their description in words.

use super::Settings;
use crate::config::{Extent, Probe, Split, Statistics};

impl Probe {
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
