//! Exports of a run, finished or not, for other programs: TensorBoard's event files, or a table with one row per
//! measurement, as CSV or Parquet.
//!
//! ```text
//! run directory ─ run ─▶ points of cells, clock ─▶ columns ─▶ csv, parquet
//!                                               └─▶ tensorboard: folder, scalars, hparams ─▶ event_files
//! ```
//!
//! An export only reads the run and takes no lock, so it works while the run is training, also on another host. Columns
//! and curves are found through the declarations of the quantities. To add a format, implement `run::Sink`.

mod aside;
mod clock;
mod columns;
mod csv;
#[cfg(feature = "parquet")]
mod parquet;
mod run;
mod series;
mod tensorboard;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::ConfigError;
use crate::event::CellIndex;
use crate::record::RecordError;
use run::Run;

/// Interval between looks at a run that is followed.
const EVERY: Duration = Duration::from_secs(1);

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One row per measurement.
    Csv,
    /// A folder of event files.
    TensorBoard,
    /// The rows of CSV as a Parquet file, in builds with the feature `parquet`.
    Parquet,
}

/// What is exported, and how.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The run directory.
    pub run_dir: &'a Path,
    /// The format.
    pub format: Format,
    /// The file or the folder to write to. Without it, CSV is printed, and event files go to `tensorboard` in the run
    /// directory, Parquet to `measurements.parquet`.
    pub to: Option<&'a Path>,
    /// How long the export goes on.
    pub follow: Follow,
}

/// How long an export goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It ends when everything that the run has was written.
    No,
    /// Until the run ends, or the host stops it.
    UntilTheRunEnds,
    /// Until the host stops it: then it writes what came last, and is complete. The process that trains the run follows
    /// it in this way.
    UntilStopped,
}

impl Follow {
    /// Waits, and returns whether to read the run one last time; `None` if the export was stopped before.
    fn wait(self, run: &Run, host: &mut dyn Host) -> Option<bool> {
        let goes_on = host.wait(EVERY);
        match self {
            Self::UntilStopped => Some(!goes_on),
            Self::No | Self::UntilTheRunEnds => goes_on.then(|| run.has_ended()),
        }
    }
}

/// The side of an export that talks to the user.
pub trait Host {
    /// Takes in the path of the export once its first part is written.
    fn written(&mut self, path: &Path);

    /// Shows a note.
    fn note(&mut self, words: &str);

    /// Waits this long. Returns false if the user wants the export to stop.
    fn wait(&mut self, time: Duration) -> bool;
}

/// How an export ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything that the run has was written.
    Complete,
    /// The user stopped it.
    Stopped,
}

/// The reason why a run cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The run directory cannot be read, or a file cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The configuration of the run is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is nothing to export.
    #[error("{} has no measurements yet; --follow waits for them", run_dir.display())]
    NothingMeasured {
        /// The run directory.
        run_dir: PathBuf,
    },
    /// Rows that were printed cannot be taken back.
    #[error(
        "--csv --follow needs --to FILE: a cell that goes on from its checkpoint measures steps again, and rows that \
         were printed cannot be taken back"
    )]
    NeedsFile,
    /// A Parquet file cannot grow.
    #[error("--parquet writes a file that cannot grow: leave out --follow, and export the run again when it has ended")]
    CannotGrow,
    /// This build has no Parquet.
    #[error(
        "this program was built without Parquet; `cargo install --path . --features parquet` builds it with Parquet, and \
         --csv writes the same columns"
    )]
    NoParquet,
    /// The folder has event files of another run.
    #[error("{} has the export of another run, {run}: name another folder with --to, or remove it", folder.display())]
    OtherRun {
        /// The folder.
        folder: PathBuf,
        /// The other run.
        run: String,
    },
    /// The run changed while its rows were printed.
    #[error("a cell began anew, or measured something new, while its rows were printed; export the run again")]
    Changed,
    /// Standard output refused.
    #[error("cannot write the output: {0}")]
    Output(#[source] io::Error),
}

/// Writes the measurements of a run. Rows without a file of their own go to `out`.
///
/// # Errors
/// The folder is not a run directory, has no measurements, or cannot be read, or the operating system refuses an
/// operation.
pub fn write(request: &Request, out: &mut dyn Write, host: &mut dyn Host) -> Result<Ended, ExportError> {
    if request.follow != Follow::No && request.format == Format::Csv && request.to.is_none() {
        return Err(ExportError::NeedsFile);
    }
    if request.format == Format::Parquet && request.follow != Follow::No {
        return Err(ExportError::CannotGrow);
    }
    let mut run = Run::open(request.run_dir)?;
    match (request.format, request.to) {
        (Format::Csv, None) => csv::print(&mut run, request.run_dir, out, host),
        (Format::Csv, Some(file)) => csv::write(&mut run, request, file, host),
        #[cfg(feature = "parquet")]
        (Format::Parquet, to) => {
            let file = to.map_or_else(|| request.run_dir.join("measurements.parquet"), Path::to_owned);
            parquet::write(&mut run, request, &file, host)
        }
        #[cfg(not(feature = "parquet"))]
        (Format::Parquet, _) => Err(ExportError::NoParquet),
        (Format::TensorBoard, to) => {
            let folder = to.map_or_else(|| request.run_dir.join("tensorboard"), Path::to_owned);
            tensorboard::write(&mut run, request, &folder, host)
        }
    }
}

/// Fails if nothing was measured, and says which cells have no measurements.
fn say_what_is_missing(run: &Run, run_dir: &Path, host: &mut dyn Host) -> Result<(), ExportError> {
    let empty = run.unmeasured();
    if empty.len() == run.cells.len() {
        let run_dir = run_dir.to_owned();
        return Err(ExportError::NothingMeasured { run_dir });
    }
    match &empty[..] {
        [] => {}
        [cell] => host.note(&format!("cell {cell} has no measurements")),
        [first, ..] => {
            let count = empty.len();
            host.note(&format!(
                "{count} cells have no measurements, the first is cell {first}"
            ));
        }
    }
    Ok(())
}

/// Says that the run that was followed may go on.
fn say_what_is_left(run: &Run, follow: Follow, host: &mut dyn Host) {
    if follow == Follow::UntilTheRunEnds && run.has_cells_left() {
        host.note("nobody trains the run any more, and cells are unfinished; after a resume, export it again");
    }
}

fn anew_words(cells: &[CellIndex], what: &str) -> String {
    let names: Vec<String> = cells.iter().map(CellIndex::to_string).collect();
    let noun = if cells.len() == 1 { "cell" } else { "cells" };
    format!("{noun} {} began anew: {what}", names.join(", "))
}

/// Adds the operation and the path to an error.
fn at<T>(result: io::Result<T>, operation: &'static str, path: &Path) -> Result<T, ExportError> {
    result.map_err(|source| {
        let path = path.to_owned();
        RecordError::Io {
            operation,
            path,
            source,
        }
        .into()
    })
}
