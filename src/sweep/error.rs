//! The errors of a sweep, and their texts.

use std::any::Any;
use std::error::Error;
use std::path::{Path, PathBuf};

use super::entries;
use crate::config::{ConfigError, Experiment, Settings};
use crate::event::{CellIndex, cell_name};
use crate::record::{DataMark, RecordError, RunInfo, read_settings};

/// Why a sweep cannot begin or be resumed.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The run directory cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The configuration in the run directory, a cell that was added to it, or a value that is to be added is not valid.
    #[error(transparent)]
    Unreadable(#[from] ConfigError),
    /// `config.ron` has changed since the run began.
    #[error("{file}: {what}; restore the file (run.json has the text), or start a new run")]
    Config {
        /// The file.
        file: PathBuf,
        /// The difference, in words.
        what: String,
    },
    /// A cell was named that the run does not have.
    #[error("there is no cell {cell}: the run has the cells 0 to {}", cells - 1)]
    NoSuchCell {
        /// The cell.
        cell: CellIndex,
        /// The number of cells.
        cells: usize,
    },
    /// A data set has changed since the run began.
    #[error(
        "the data set {set} is not the one that the run began with (checksum {then} then, {now} now); \
         restore its files, or start a new run"
    )]
    Data {
        /// The data set.
        set: String,
        /// Its checksum when the run began.
        then: String,
        /// Its checksum now.
        now: String,
    },
    /// A cell was run with other settings than the configuration has now.
    #[error(
        "{folder}: its cell.json has {field}: {then}, the run's config.ron now has {now}; \
         restore config.ron, or start a new run"
    )]
    Changed {
        /// The cell's folder.
        folder: PathBuf,
        /// The first setting that differs.
        field: String,
        /// Its value when the cell ran.
        then: String,
        /// Its value now.
        now: String,
    },
}

/// Checks that the cell in `folder` was run with these `settings`: results must never appear under other settings.
pub(super) fn check_settings(folder: &Path, settings: &Settings) -> Result<(), SweepError> {
    let then = read_settings(folder)?;
    let was = |name: &str| {
        then.iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.clone())
    };
    // An earlier version that did not have a setting behaved as the setting's default.
    let by_default = |name: &str| {
        let mut known = entries(&settings.with_default(name)?).into_iter();
        known.find(|(field, _)| field == name).map(|(_, value)| value)
    };
    for (field, now) in entries(settings) {
        let then = was(&field).or_else(|| by_default(&field));
        let then = then.unwrap_or_else(|| "nothing".to_owned());
        if then != now {
            return Err(SweepError::Changed {
                folder: folder.to_owned(),
                field,
                then,
                now,
            });
        }
    }
    Ok(())
}

/// Checks that a run continues with the configuration and the data sets that it began with.
pub(super) fn check_same(
    then: &RunInfo,
    file: PathBuf,
    now: &Experiment,
    marks: &[DataMark],
) -> Result<(), SweepError> {
    // Runs of earlier versions do not have the configuration in `run.json`.
    if let Ok(before) = Experiment::parse(&then.config, &file)
        && let Some(what) = difference(&before, now)
    {
        return Err(SweepError::Config { file, what });
    }
    match then.data.iter().zip(marks).find(|(then, now)| then != now) {
        None => Ok(()),
        Some((then, now)) => Err(SweepError::Data {
            set: now.set.clone(),
            then: then.crc32.clone(),
            now: now.crc32.clone(),
        }),
    }
}

/// Returns the first difference, in words.
fn difference(then: &Experiment, now: &Experiment) -> Option<String> {
    if then.name != now.name {
        return Some(format!(
            "name was `{}` when the run began, now it is `{}`",
            then.name, now.name
        ));
    }
    if then.cells.len() != now.cells.len() {
        return Some(format!(
            "the run began with {} cells, now there are {}",
            then.cells.len(),
            now.cells.len()
        ));
    }
    let cells = then.cells.iter().zip(&now.cells).enumerate();
    cells
        .flat_map(|(cell, (then, now))| {
            let fields = entries(&then.settings).into_iter().zip(entries(&now.settings));
            fields.map(move |(then, now)| (cell, then, now))
        })
        .find(|(_, then, now)| then != now)
        .map(|(cell, (field, then), (_, now))| {
            format!(
                "{field} of {} was {then} when the run began, now it is {now}",
                cell_name(cell)
            )
        })
}

/// Returns the text of an error and its causes, on one line. A cause that the text already contains is not repeated.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

/// Returns the message of a panic.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}
