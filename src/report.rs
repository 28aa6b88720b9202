//! The report of a sweep, finished or not: the effect of its settings on λ_max and test accuracy, with confidence
//! intervals.
//!
//! ```text
//! run directory ─ run ─▶ compared cells ─ comparison ─▶ statistics ─ findings, tables, figures ─▶ page ─▶ html
//!                                                                                                     └─▶ markdown
//! ```
//!
//! Making a report only reads the run and takes no lock, so it works while the run is training. The same page is
//! written as `report.html`, which contains the figures, and as `report.md`, which links to figure files.

mod across;
mod axis;
mod comparison;
mod content;
mod correlation;
mod figures;
mod findings;
mod foreign;
mod html;
mod interaction;
mod markdown;
mod methods;
mod number;
mod page;
mod run;
mod sheet;
mod tables;
mod two_runs;

use std::path::{Path, PathBuf};

use crate::config::{Added, ConfigError, Experiment};
use crate::curve::Across;
use crate::foreign::{self as others, Folder, ForeignError};
use crate::record::{self, RecordError};
use page::Page;
use run::Run;
use two_runs::Side;

/// The reason why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The run directory cannot be read, or the report cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The configuration of the run is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The files of another program cannot be read.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// A figure cannot be converted to PNG.
    #[error("{}: the figure cannot be made: {reason}", path.display())]
    Figure {
        /// The PNG file.
        path: PathBuf,
        /// The message of the encoder.
        reason: String,
    },
}

/// Writes `report.html`, `report.md` and `figures/` of a run into the folder `into`, or into the run directory if
/// `into` is `None`, with curves over `across`. Runs of another program are shown without what only our own files say.
/// Returns the path of `report.html`.
///
/// # Errors
/// The folder is no run directory and has no curves of another program, a file cannot be read, or the operating system
/// refuses an operation.
pub fn write(run_dir: &Path, into: Option<&Path>, across: Across) -> Result<PathBuf, ReportError> {
    if record::find_config(run_dir).is_err() && others::is_foreign(run_dir) {
        return write_foreign(run_dir, into, across);
    }
    let (run, _) = read(run_dir)?;
    write_page(&content::page(&run, across), into.unwrap_or(run_dir))
}

/// Writes the same files about the same cells of two runs into the folder `into`, or into a folder in the directory of the
/// first run if `into` is `None`. Returns the path of `report.html`.
///
/// # Errors
/// The same as for [`write()`].
pub fn write_two(first: &Path, second: &Path, into: Option<&Path>) -> Result<PathBuf, ReportError> {
    let side = |letter, place: &Path| {
        let (run, experiment) = read(place)?;
        let place = place.display().to_string();
        Ok::<_, ReportError>(Side {
            letter,
            place,
            run,
            experiment,
        })
    };
    let page = two_runs::page(&[side("A", first)?, side("B", second)?]);
    let other = second.canonicalize().unwrap_or_else(|_| second.to_owned());
    let name = other.file_name().unwrap_or_default().to_string_lossy();
    let own = first.join(format!("compared_with_{name}"));
    write_page(&page, into.unwrap_or(&own))
}

/// Reads a run, with the cells that were added to it.
fn read(run_dir: &Path) -> Result<(Run, Experiment), ReportError> {
    let experiment = Experiment::load(&record::find_config(run_dir)?)?;
    let queue = record::read_queue(run_dir, experiment.cells.len())?;
    let added = queue.added.iter().map(|added| Added {
        like: added.like,
        seed: added.seed,
        values: added.values.clone(),
    });
    let experiment = experiment.with_added(added, &run_dir.join("queue.json"))?;
    Ok((Run::read(run_dir, &experiment, &queue.again)?, experiment))
}

/// Writes the same files about runs of another program: `runs` is their folder, or one file of curves.
fn write_foreign(runs: &Path, into: Option<&Path>, across: Across) -> Result<PathBuf, ReportError> {
    let own = if runs.is_file() {
        runs.parent().unwrap_or(runs)
    } else {
        runs
    };
    write_page(&foreign::page(&Folder::open(runs)?, across), into.unwrap_or(own))
}

fn write_page(page: &Page, folder: &Path) -> Result<PathBuf, ReportError> {
    let figures = folder.join("figures");
    record::make_folder(&figures)?;
    for figure in &page.figures {
        let path = figures.join(format!("{}.png", figure.name));
        let png = figure.png().map_err(|reason| ReportError::Figure {
            path: path.clone(),
            reason,
        })?;
        record::replace_unlocked(&path, &png)?;
        record::replace_unlocked(&path.with_extension("svg"), figure.svg.as_bytes())?;
    }
    record::replace_unlocked(&folder.join("report.md"), markdown::markdown(page).as_bytes())?;
    let html = folder.join("report.html");
    record::replace_unlocked(&html, html::html(page).as_bytes())?;
    Ok(html)
}
