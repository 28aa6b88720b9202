//! The run directory: what is on disk is the truth, written as it happens.
//!
//! ```text
//! runs/NAME/                 NAME from the configuration, -2, -3, … if it exists
//!   config.ron               as resolved, defaults filled in
//!   run.json                 version, device, host, seeds, start, state, sizes of the cells
//!   summary.csv              one row a cell
//!   queue.json               what is still to be run, where it was changed by hand
//!   events.jsonl             what happened, for people: cells, changes by hand, notices; only ever appended to
//!   cells/000/               one folder a cell, in queue order
//!     cell.json              its settings
//!     metrics.jsonl          one point a line, only ever appended to
//!     model.safetensors      its last parameters
//!     checkpoint-a, -b       what it goes on with after a crash, a stop or a failure; gone once nothing is left to do
//!     summary.json           how it ended; absent while it has not
//!     attempts.json          how often it was taken up, once processes were killed while it ran; gone once it has ended
//! ```
//!
//! `metrics.jsonl` and `events.jsonl` grow at their ends. Every other file is replaced as a whole, so a reader never meets half of one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::event::CellIndex;

mod attempts;
mod cell;
mod checkpoint;
mod error;
mod folder;
mod lock;
mod log;
mod metrics;
mod queue;
mod read;
mod replace;
mod run_info;
mod sync;
mod table;
mod tensors;

pub use attempts::read_attempts;
pub use cell::CellWriter;
pub use checkpoint::{Checkpoint, Slot, has_checkpoint, read_checkpoints};
pub use error::RecordError;
pub use lock::is_being_written;
pub use log::{Logbook, NewEntries, read_log};
pub use metrics::{Metrics, NewPoints, TornLine, read_metrics, read_points, read_progress};
pub use queue::{Added, QueueFile, read_queue};
pub use read::{
    CellFound, CellSummary, find_config, read_cells, read_config, read_run, read_settings, read_summary, silence,
};
pub use replace::{make_folder, replace_unlocked};
pub use run_info::{AlikeCells, DataMark, RunInfo, RunState, host_name, rfc3339};
pub use table::{CellRow, RowState};
pub use tensors::{NamedTensor, TensorValues, Tensors, read_tensors, write_tensors};

use error::At;
use folder::Folder;

/// File systems take names of 255 bytes; room is left for a number at the end.
const LONGEST_NAME_BYTES: usize = 200;

/// Where a process without a terminal prints, in the run directory.
pub const PRINTED: &str = "log.txt";

/// The folder of what leads to the process that trains, in the run directory.
pub const LIVE: &str = ".live";

/// File names within a run directory and within the folder of a cell.
mod names {
    pub(super) const CONFIG: &str = "config.ron";
    pub(super) const RUN: &str = "run.json";
    pub(super) const TABLE: &str = "summary.csv";
    pub(super) const LOG: &str = "events.jsonl";
    pub(super) const PRINTED: &str = super::PRINTED;
    pub(super) const QUEUE: &str = "queue.json";
    pub(super) const CELLS: &str = "cells";
    pub(super) const LOCK: &str = ".lock";
    pub(super) const CELL: &str = "cell.json";
    pub(super) const METRICS: &str = "metrics.jsonl";
    pub(super) const MODEL: &str = "model.safetensors";
    pub(super) const SUMMARY: &str = "summary.json";
    pub(super) const ATTEMPTS: &str = "attempts.json";
}

/// A run directory that this process alone writes, for as long as this value lives.
#[derive(Debug)]
pub struct RunDir {
    folder: Folder,
    lock: Option<File>,
    /// Whether names made in it survive a loss of power.
    syncs: bool,
    /// Whether it was made, and not taken up.
    is_new: bool,
}

impl RunDir {
    /// Makes `parent/name`, or `parent/name-2`, `-3`, … where that exists, and locks it.
    ///
    /// # Errors
    /// A name that is not one part of a path, or whatever the operating system refuses.
    pub fn create(parent: &Path, name: &str) -> Result<Self, RecordError> {
        let is_part = !name.starts_with('.') && !name.contains(['/', '\\']) && !name.contains(char::is_control);
        if !is_part || !(1..=LONGEST_NAME_BYTES).contains(&name.len()) {
            return Err(RecordError::Name {
                name: error::shortened(name),
            });
        }
        if parent.exists() && !parent.is_dir() {
            return Err(std::io::Error::from(std::io::ErrorKind::NotADirectory)).at("use as a folder", parent);
        }
        fs::create_dir_all(parent).at("create the folder", parent)?;
        let path = (1u32..)
            .map(|count| {
                parent.join(if count == 1 {
                    name.to_owned()
                } else {
                    format!("{name}-{count}")
                })
            })
            // Making a folder tells in one step whether it was there: two processes never take the same one.
            .find_map(|path| match fs::create_dir(&path) {
                Ok(()) => Some(Ok(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => None,
                Err(error) => Some(Err(error).at("create the folder", &path)),
            })
            .unwrap_or_else(|| Err(RecordError::Name { name: name.to_owned() }))?;
        let taken = sync::folder(parent).and_then(|_| Self::take(path.clone(), true));
        if taken.is_err() {
            discard(&path);
        }
        taken
    }

    fn take(path: PathBuf, is_new: bool) -> Result<Self, RecordError> {
        let lock = lock::acquire(&path)?;
        let syncs = sync::folder(&path)?;
        Ok(Self {
            folder: Folder::at(path),
            lock,
            syncs,
            is_new,
        })
    }

    /// Takes up a run directory that exists, to go on with it.
    ///
    /// # Errors
    /// A folder that is no run directory, or that another process is writing.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        find_config(path)?;
        Self::take(path.to_owned(), false)
    }

    /// Where it was when it was made or taken up. Files are written where it is now.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where its configuration is.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.folder.place().join(names::CONFIG)
    }

    /// Whether this process made it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// What the file system does not offer, and what the person watching should know of it. A run goes on all the same.
    #[must_use]
    pub fn shortcomings(&self) -> Vec<String> {
        let place = self.path().display();
        let locks = self
            .lock
            .is_none()
            .then(|| format!("the file system of {place} has no locks: make sure that no other process writes there"));
        let syncs = (!self.syncs).then(|| {
            format!("the file system of {place} cannot sync folders: a loss of power may take the newest files")
        });
        locks.into_iter().chain(syncs).collect()
    }

    /// Replaces `config.ron`.
    ///
    /// # Errors
    /// Whatever the operating system refuses.
    pub fn write_config(&self, ron: &str) -> Result<(), RecordError> {
        replace::replace(&self.folder.place().join(names::CONFIG), ron.as_bytes())
    }

    /// Replaces `run.json`.
    ///
    /// # Errors
    /// Whatever the operating system refuses.
    pub fn write_run(&self, info: &RunInfo) -> Result<(), RecordError> {
        replace::replace_json(&self.folder.place().join(names::RUN), info)
    }

    /// Replaces `summary.csv`, one row a cell, and gives its length in bytes.
    ///
    /// # Errors
    /// Whatever the operating system refuses.
    pub fn write_table(&self, rows: &[CellRow]) -> Result<usize, RecordError> {
        let table = table::csv(rows);
        replace::replace(&self.folder.place().join(names::TABLE), table.as_bytes())?;
        Ok(table.len())
    }

    /// Where what happens is written down for people.
    #[must_use]
    pub fn logbook(&self) -> Logbook {
        Logbook::at(self.folder.place().join(names::LOG))
    }

    /// Replaces `queue.json`.
    ///
    /// # Errors
    /// Whatever the operating system refuses.
    pub fn write_queue(&self, queue: &QueueFile) -> Result<(), RecordError> {
        replace::replace_json(&self.folder.place().join(names::QUEUE), queue)
    }

    /// Makes the folder of a cell that begins at step 0, with its settings. What an earlier attempt measured is
    /// kept beside it as `000-old-1`.
    ///
    /// # Errors
    /// Whatever the operating system refuses.
    pub fn begin_cell(&self, cell: CellIndex, settings: &[(String, String)]) -> Result<CellWriter, RecordError> {
        let path = self.cell_path(cell);
        if path.exists() && !has_metrics(&path) {
            fs::remove_dir_all(&path).at("remove the folder", &path)?;
        }
        if path.exists() {
            let old = (1u32..).map(|count| path.with_file_name(format!("{cell:03}-old-{count}")));
            let free = old
                .into_iter()
                .find(|old| !old.exists())
                .unwrap_or_else(|| path.with_extension("old"));
            fs::rename(&path, &free).at("set aside the folder", &path)?;
        }
        fs::create_dir_all(&path).at("create the folder", &path)?;
        sync::folder(&self.folder.place().join(names::CELLS))?;
        sync::folder(&self.folder.place())?;
        replace::replace_json(&path.join(names::CELL), &InOrder(settings))?;
        CellWriter::begin(path)
    }

    /// Takes up the folder of a cell that goes on with a checkpoint. Of its metrics, what came later is removed: the cell
    /// will measure it again.
    ///
    /// # Errors
    /// Whatever the operating system refuses.
    pub fn continue_cell(&self, cell: CellIndex, from: &Checkpoint) -> Result<CellWriter, RecordError> {
        CellWriter::go_on(self.cell_path(cell), from.slot, from.metrics_bytes)
    }

    /// Removes what a cell that has ended no longer needs, such as its checkpoints, where the process that wrote how it ended
    /// was killed before it did so.
    ///
    /// # Errors
    /// Whatever the operating system refuses.
    pub fn clear_away(&self, found: &CellFound) -> Result<(), RecordError> {
        match &found.ended {
            Some(ended) => cell::clear_away(&self.cell_path(found.cell), ended),
            None => Ok(()),
        }
    }

    /// The folder of a cell, whether it exists or not.
    #[must_use]
    pub fn cell_path(&self, cell: CellIndex) -> PathBuf {
        cell_path(&self.folder.place(), cell)
    }
}

/// Takes away a run directory in which no cell has begun; any other, and one with files of somebody else, stays.
pub fn discard(run_dir: &Path) {
    if run_dir.join(names::CELLS).exists() {
        return;
    }
    for name in [
        names::CONFIG,
        names::RUN,
        names::TABLE,
        names::LOG,
        names::QUEUE,
        names::PRINTED,
        names::LOCK,
    ] {
        let _ = fs::remove_file(run_dir.join(name));
    }
    let _ = fs::remove_dir(run_dir.join(LIVE));
    let _ = fs::remove_dir(run_dir);
}

/// The folder of a cell in a run directory, whether it exists or not.
#[must_use]
pub fn cell_path(run_dir: &Path, cell: CellIndex) -> PathBuf {
    run_dir.join(names::CELLS).join(format!("{cell:03}"))
}

/// Whether anything was measured in the folder of a cell.
fn has_metrics(cell_dir: &Path) -> bool {
    fs::metadata(cell_dir.join(names::METRICS)).is_ok_and(|metrics| metrics.len() > 0)
}

/// Pairs as a JSON object that keeps their order.
struct InOrder<'a>(&'a [(String, String)]);

impl Serialize for InOrder<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
