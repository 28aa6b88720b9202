//! What can go wrong with a sweep, and how it is said.

use std::any::Any;
use std::error::Error;
use std::path::{Path, PathBuf};

use super::entries;
use crate::config::Settings;
use crate::record::{RecordError, read_settings};

/// Why a sweep cannot begin or be taken up.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The run directory cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A cell was run under other settings than its configuration has now.
    #[error(
        "{folder}: its cell.json has {field}: {then}, the run's config.ron now has {now}; \
         put config.ron back as it was, or start a new run"
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

/// Checks that the cell in `folder` was run under `settings`: results must never stand under others.
pub(super) fn check_settings(folder: &Path, settings: &Settings) -> Result<(), SweepError> {
    let then = read_settings(folder)?;
    let was = |name: &str| {
        then.iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.clone())
    };
    for (field, now) in entries(settings) {
        let then = was(&field).unwrap_or_else(|| "nothing".to_owned());
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

/// An error and what caused it, on one line. A cause that the error already quotes is not said twice.
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

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "of an unknown kind".to_owned())
}
