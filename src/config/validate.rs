//! Validation of a config: one function per rule.
//!
//! `data` checks the data set, `examples` checks the numbers of examples against its files, `values` checks each other setting by
//! itself, `combinations` checks settings that must fit together, and `file` checks the name and the form of the sweep.

mod combinations;
mod data;
mod examples;
mod export;
mod file;
mod values;

use std::fmt::{Debug, Display};
use std::path::Path;

use super::error::{LONGEST_MESSAGE, shortened};
use super::sweep::Sweep;
use super::{ConfigError, FilesHold, Settings};

pub(super) use combinations::idle;
pub(super) use examples::{files_hold, files_unchanged};
pub(super) use export::export;
pub(super) use file::{missing, name, sweep};

/// The result of one rule for one cell.
type Verdict = Result<(), Refusal>;

/// A number of examples for files that are not read yet: more than any rule asks for. It leaves no group of one example
/// (see [`combinations`]), because the number before it, 10⁹ + 7, is prime.
const UNKNOWN_LEN: usize = 1_000_000_008;

/// A side of images for files that are not read yet.
const UNKNOWN_SIDE: usize = 1_000_000;

/// Checks the settings of one cell with every rule. `hold` has the numbers of examples in the files of its data set. If
/// they are not known yet, nothing is refused because of them; all is checked again when they are.
pub(super) fn settings(settings: &Settings, hold: Option<&FilesHold>) -> Verdict {
    data::RULES.iter().try_for_each(|rule| rule(settings))?;
    let each = |settings: &Settings| {
        let mut rules = values::RULES.iter().chain(combinations::RULES);
        rules.try_for_each(|rule| rule(settings))
    };
    let Some(hold) = hold else {
        let mut settings = settings.clone();
        settings.count_out(&FilesHold {
            data: settings.data.clone(),
            train: UNKNOWN_LEN,
            test: UNKNOWN_LEN,
            shape: Some([1, UNKNOWN_SIDE, UNKNOWN_SIDE]),
        });
        return each(&settings);
    };
    examples::within_files(settings, hold)?;
    each(settings).map_err(|refusal| refusal.told_of(hold))
}

/// Checks gauges by themselves.
pub(super) fn gauges(gauges: &[super::Gauge]) -> Verdict {
    values::check_gauges(gauges)
}

/// The reason why a rule refuses a value.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The refused setting, or its place in the file.
    field: String,
    /// The part of the setting, such as `.widths[2]`.
    part: String,
    /// The value, the allowed range, and what to do.
    message: String,
    /// Other settings that the message is about.
    because_of: &'static [&'static str],
}

impl Refusal {
    pub(super) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            part: String::new(),
            message: message.into(),
            because_of: &[],
        }
    }

    fn of_part(mut self, part: impl Into<String>) -> Self {
        self.part = part.into();
        self
    }

    fn because_of(mut self, settings: &'static [&'static str]) -> Self {
        self.because_of = settings;
        self
    }

    /// Adds the numbers of examples in the files if the message depends on them and they differ from the official
    /// numbers.
    fn told_of(mut self, hold: &FilesHold) -> Self {
        if self.because_of.contains(&"data") && !hold.is_official() {
            self.message = format!("{}; {}", self.message, examples::in_words(hold));
        }
        self
    }

    /// Adds the places in the sweep that gave the values: a sweep overrides the settings that are given for all cells.
    pub(super) fn in_cell(mut self, sweep: &Sweep, pick: &[usize]) -> Self {
        for name in self.because_of {
            if let Some((path, value)) = sweep.origin(pick, name) {
                self.message = format!("{} (here `{name}` is {value}, by {path})", self.message);
            }
        }
        if let Some((path, _)) = sweep.origin(pick, &self.field) {
            self.field = path;
        }
        self
    }

    /// Names the place of the refused value in a list of added values.
    pub(super) fn at(mut self, place: &str) -> Self {
        place.clone_into(&mut self.field);
        self
    }

    /// Leaves out the name `sweep` before the place: there is none in a list of added values.
    pub(super) fn without_sweep(mut self) -> Self {
        if let Some(rest) = self.field.strip_prefix("sweep.") {
            self.field = rest.to_owned();
        }
        self
    }

    /// Names the place of the refused setting if `place` knows it.
    pub(super) fn at_setting(mut self, place: impl Fn(&str) -> Option<String>) -> Self {
        if let Some(place) = place(&self.field) {
            self.field = place;
        }
        self
    }

    pub(super) fn in_file(self, path: &Path) -> ConfigError {
        ConfigError::Refused {
            path: path.to_owned(),
            field: self.field + &self.part,
            message: shortened(&self.message, LONGEST_MESSAGE),
        }
    }
}

/// Refuses a value that is not allowed, and names the allowed range.
fn in_range(allowed: bool, setting: &str, value: impl Debug, range: impl Display) -> Verdict {
    if allowed {
        return Ok(());
    }
    Err(Refusal::new(
        setting,
        format!("{value:?} is out of range: it must be {range}"),
    ))
}
