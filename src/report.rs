//! A run, finished or not, as a report: what its settings did to λ_max and test accuracy, and how sure that is.
//!
//! ```text
//! run directory ─ run ─▶ cells that count ─ comparison ─▶ statistics ─ findings, tables, figures ─▶ page ─▶ html
//!                                                                                                       └─▶ markdown
//! ```
//!
//! It only reads, takes no lock, and so may be made while the run goes on. The same page gives `report.html`, which has
//! its figures inside, and `report.md`, which has them beside it.

mod axis;
mod comparison;
mod content;
mod figures;
mod findings;
mod html;
mod markdown;
mod methods;
mod number;
mod page;
mod run;
mod tables;

use std::path::{Path, PathBuf};

use crate::config::{ConfigError, Experiment};
use crate::record::{self, RecordError};
use run::Run;

/// A report that cannot be made, and why.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The run directory cannot be read, or the report not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The configuration of the run is not what it should be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A figure that cannot be made a PNG of.
    #[error("{}: the figure cannot be made: {reason}", path.display())]
    Figure {
        /// The file that was to be written.
        path: PathBuf,
        /// What the encoder said.
        reason: String,
    },
}

/// Writes `report.html`, `report.md` and `figures/` of a run into `into`, or into the run directory itself. Says which
/// page was written.
///
/// # Errors
/// A folder that is no run directory, a configuration that cannot be read, whatever the operating system refuses.
pub fn write(run_dir: &Path, into: Option<&Path>) -> Result<PathBuf, ReportError> {
    let experiment = Experiment::load(&record::find_config(run_dir)?)?;
    let queue = record::read_queue(run_dir, experiment.cells.len())?;
    let experiment = experiment.with_added(queue.added.iter().map(|added| (added.like, added.seed)));
    let page = content::page(&Run::read(run_dir, &experiment, &queue.again)?);
    let folder = into.unwrap_or(run_dir);
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
    record::replace_unlocked(&folder.join("report.md"), markdown::markdown(&page).as_bytes())?;
    let html = folder.join("report.html");
    record::replace_unlocked(&html, html::html(&page).as_bytes())?;
    Ok(html)
}
