//! The probes of a cell: their numbers of examples and their descriptions, for given settings.

use std::fmt;

use super::Settings;
use crate::config::{Extent, Probe, Split, Statistics};

impl Probe {
    /// Returns the number of examples that it can be drawn from in a cell with these settings.
    #[must_use]
    pub fn available(&self, settings: &Settings) -> usize {
        match self.from {
            Split::HeldOut => settings.test_len(),
            Split::Training => settings.train_len(),
        }
    }

    /// Returns its number of examples in a cell with these settings.
    #[must_use]
    pub fn example_count(&self, settings: &Settings) -> usize {
        self.examples.of(self.available(settings))
    }

    /// Returns the examples and statistics that λ_max is measured on in a cell with these settings.
    #[must_use]
    pub fn measured_on(&self, settings: &Settings) -> MeasuredOn {
        let examples = self.example_count(settings);
        let statistics = settings.batch_norm.then_some(match (self.statistics, self.group) {
            (Statistics::Running, _) => NormalizedBy::Running,
            (Statistics::Batch, Extent::Count(group)) if group < examples => NormalizedBy::Groups(group),
            (Statistics::Batch, _) => NormalizedBy::WholeProbe,
        });
        MeasuredOn {
            from: self.from,
            examples,
            is_all: examples == self.available(settings),
            statistics,
        }
    }

    /// Describes the same in words: "held-out, 1000 examples"; with batch norm "training, all 1000 examples, batch
    /// statistics of groups of 250".
    #[must_use]
    pub fn describe(&self, settings: &Settings) -> String {
        self.measured_on(settings).to_string()
    }
}

/// The examples and statistics that λ_max is measured on in one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeasuredOn {
    from: Split,
    examples: usize,
    /// Whether these are all examples of the split in use.
    is_all: bool,
    /// The batch-norm statistics, if the network has batch norm.
    statistics: Option<NormalizedBy>,
}

/// Batch-norm statistics of a probe in one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NormalizedBy {
    Running,
    WholeProbe,
    Groups(usize),
}

impl MeasuredOn {
    /// Returns whether `self` and `other` differ only in batch norm: `self` is measured in a network without it,
    /// `other` in one with it.
    #[must_use]
    pub fn lacks_only_the_statistics_of(&self, other: &Self) -> bool {
        self.statistics.is_none()
            && other.statistics.is_some()
            && *self
                == Self {
                    statistics: None,
                    ..*other
                }
    }
}

impl fmt::Display for MeasuredOn {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let split = match self.from {
            Split::HeldOut => "held-out",
            Split::Training => "training",
        };
        let all = if self.is_all { "all " } else { "" };
        let examples = if self.examples == 1 { "example" } else { "examples" };
        write!(f, "{split}, {all}{} {examples}", self.examples)?;
        match self.statistics {
            None => Ok(()),
            Some(NormalizedBy::Running) => f.write_str(", running statistics"),
            Some(NormalizedBy::Groups(group)) => write!(f, ", batch statistics of groups of {group}"),
            Some(NormalizedBy::WholeProbe) => f.write_str(", batch statistics of the whole probe"),
        }
    }
}
