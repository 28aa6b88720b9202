//! What a config may ask for: one function per rule.
//!
//! `examples` looks at what is asked of the data set's files, `values` at each other setting by itself, `combinations` at
//! settings that must fit together, `file` at what is not a setting: the name and the form of the sweep.

mod combinations;
mod examples;
mod file;
mod values;

use std::fmt::{Debug, Display};
use std::path::Path;

use super::error::{LONGEST_MESSAGE, shortened};
use super::sweep::Sweep;
use super::{ConfigError, FilesHold, Settings};

pub(super) use combinations::idle;
pub(super) use examples::{files_hold, files_unchanged};
pub(super) use file::{missing, name, sweep};

/// What one rule says of a cell.
type Verdict = Result<(), Refusal>;

/// Checks the settings of one cell by every rule, where the files of its data set hold so many examples.
pub(super) fn settings(settings: &Settings, hold: FilesHold) -> Verdict {
    examples::within_files(settings, hold)?;
    values::RULES
        .iter()
        .chain(combinations::RULES)
        .try_for_each(|rule| rule(settings))
        .map_err(|refusal| refusal.told_of(hold))
}

/// Why a rule refuses something.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The setting at fault, or where the file gives it.
    field: String,
    /// Which part of it: `.widths[2]`.
    part: String,
    /// The value, what is allowed, and what to do.
    message: String,
    /// Other settings that the message speaks of.
    because_of: &'static [&'static str],
}

impl Refusal {
    fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
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

    /// Says what the files hold, where the message is about that and it is not what one expects.
    fn told_of(mut self, hold: FilesHold) -> Self {
        if self.because_of.contains(&"data") && hold != FilesHold::of(hold.data, &[]) {
            self.message = format!("{}; {}", self.message, examples::in_words(hold));
        }
        self
    }

    /// Says where the file gives this: a sweep overrides what is given for all cells.
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

    pub(super) fn in_file(self, path: &Path) -> ConfigError {
        ConfigError::Refused {
            path: path.to_owned(),
            field: self.field + &self.part,
            message: shortened(&self.message, LONGEST_MESSAGE),
        }
    }
}

/// Refuses a value outside what is allowed.
fn in_range(allowed: bool, setting: &str, value: impl Debug, range: impl Display) -> Verdict {
    if allowed {
        return Ok(());
    }
    Err(Refusal::new(
        setting,
        format!("{value:?} is out of range: it must be {range}"),
    ))
}
