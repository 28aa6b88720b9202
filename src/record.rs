//! The run directory. The files on disk are authoritative; they are written while the sweep runs.
//!
//! ```text
//! runs/NAME/                 NAME from the configuration, -2, -3, … if it exists
//!   config.ron               the resolved configuration, defaults included
//!   run.json                 version, device, host, seeds, start, state, sizes of the cells
//!   summary.csv              one row per cell
//!   queue.json               the cells still to run, if the queue was changed by hand
//!   events.jsonl             log for people: cells, changes by hand, notices; append-only
//!   claims/000-1.json        the process that writes cell 0 now
//!   commands/                orders of screens to the processes that train cells; see `command_files`
//!   tasks/HOST-PID/          what belongs to a process that trains some cells of the run beside others
//!     task.json              where it runs, and which cells it was given
//!     events.jsonl           its log
//!   cells/000/               one folder per cell, in queue order
//!     cell.json              its settings
//!     metrics.jsonl          one point per line; append-only
//!     model.safetensors      its last parameters
//!     checkpoint-a, -b       state to continue from after a crash, a stop or a failure; removed when the cell is done
//!     summary.json           how the cell ended; absent until then
//!     attempts.json          number of starts, if processes were killed while the cell ran; removed when it ends
//! ```
//!
//! `metrics.jsonl` and `events.jsonl` grow at their ends. Every other file is replaced atomically, so a reader never
//! sees a partial one.
//!
//! The folder of a cell is written by the process that holds its claim, whatever host it is on. `config.ron`,
//! `queue.json` and `events.jsonl` are written by the process that made the run or resumes it, which holds the lock.
//! `run.json` and `summary.csv` are also replaced by tasks, which read every cell before they do.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::event::{CellEnding, CellIndex, Summary};

mod attempts;
mod cell;
mod checkpoint;
mod claim;
mod command_files;
mod csv;
mod error;
mod fence;
mod folder;
mod follow;
mod lock;
mod log;
mod merged_log;
mod metrics;
mod queue;
mod read;
mod replace;
mod run_info;
mod sync;
mod table;
mod task;
mod tensors;

pub use attempts::read_attempts;
pub use cell::CellWriter;
pub use checkpoint::{Checkpoint, Slot, has_checkpoint, lasting_checkpoints, read_checkpoints};
pub use claim::{Claim, Holder, Job, Seen, claim_names, read_claim};
pub use command_files::{CommandFiles, OrderName};
pub use csv::{line as csv_line, number as csv_number};
pub use error::RecordError;
pub use follow::MetricsReader;
pub use lock::is_being_written;
pub use log::{Logbook, NewEntries, read_log};
pub use merged_log::MergedLog;
pub use metrics::{Metrics, NewPoints, TornLine, read_metrics, read_points, read_progress};
pub use queue::{Added, QueueFile, read_queue};
pub use read::{
    CellFound, CellSummary, age, begun_at, begun_cells, find_config, measured_at, now, read_cells, read_cells_of,
    read_config, read_run, read_settings, read_summary, silence,
};
pub use replace::{make_folder, replace_unlocked};
pub use run_info::{AlikeCells, DataMark, RunInfo, RunState, host_name, rfc3339, rfc3339_millis};
pub use table::{CellRow, RowState};
pub use task::{TaskInfo, read_task};
pub use tensors::{NamedTensor, TensorValues, Tensors, read_tensors, write_tensors};

use error::At;
use folder::Folder;

/// File systems allow names of 255 bytes; the rest is for a number at the end.
const LONGEST_NAME_BYTES: usize = 200;

/// The file in the run directory that collects the output of a training process without a terminal.
pub const PRINTED: &str = "log.txt";

/// The folder in the run directory that holds the socket of the training process.
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
    pub(super) const CLAIMS: &str = "claims";
    pub(super) const COMMANDS: &str = "commands";
    pub(super) const TASKS: &str = "tasks";
    pub(super) const TASK: &str = "task.json";
    pub(super) const LOCK: &str = ".lock";
    pub(super) const CELL: &str = "cell.json";
    pub(super) const METRICS: &str = "metrics.jsonl";
    pub(super) const MODEL: &str = "model.safetensors";
    pub(super) const SUMMARY: &str = "summary.json";
    pub(super) const ATTEMPTS: &str = "attempts.json";
}

/// A run directory that this process writes: alone, or as one of several tasks.
#[derive(Debug)]
pub struct RunDir {
    folder: Folder,
    /// The folder of this task, relative to the run directory; none if this process has the run directory alone.
    task: Option<PathBuf>,
    lock: Option<File>,
    /// Whether the file system can sync folders, so that new files survive a power failure.
    syncs: bool,
    /// Whether this process created the directory, rather than opening an existing one.
    is_new: bool,
}

impl RunDir {
    /// Creates `parent/name`, or `parent/name-2`, `-3`, … if that exists, and locks it.
    ///
    /// # Errors
    /// The name is not a single path component, or the operating system reports an error.
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
            // `create_dir` checks and creates in one step, so two processes never get the same folder.
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
            task: None,
            lock,
            syncs,
            is_new,
        })
    }

    /// Opens an existing run directory to continue the run.
    ///
    /// # Errors
    /// The folder is not a run directory, or another process is writing it.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        find_config(path)?;
        let run = Self::take(path.to_owned(), false)?;
        claim::remove_dead(path);
        Ok(run)
    }

    /// Opens a run directory that the process which started this one has locked, to write the folders of cells in it.
    #[must_use]
    pub fn of_runner(path: &Path) -> Self {
        Self {
            folder: Folder::at(path.to_owned()),
            task: None,
            lock: None,
            syncs: true,
            is_new: false,
        }
    }

    /// Opens a run directory to train some of its cells beside other processes, and creates the folder of this task.
    ///
    /// # Errors
    /// The folder is not a run directory, or the operating system reports an error.
    pub fn join(path: &Path, task: &TaskInfo) -> Result<Self, RecordError> {
        find_config(path)?;
        let name = task::create(path, task)?;
        let syncs = sync::folder(path)?;
        Ok(Self {
            folder: Folder::at(path.to_owned()),
            task: Some(name),
            lock: None,
            syncs,
            is_new: false,
        })
    }

    /// Returns whether other processes may write the run directory at the same time.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.task.is_some()
    }

    /// Returns the name of the folder of this task, such as `node7-4242`; none if this process has the run directory
    /// alone.
    #[must_use]
    pub fn task_name(&self) -> Option<String> {
        let name = self.task.as_ref()?.file_name()?;
        Some(name.to_string_lossy().into_owned())
    }

    /// Returns the file that is locked, if the file system has locks. The lock lasts until the last copy of the file is
    /// closed, in whatever process.
    #[must_use]
    pub fn lock(&self) -> Option<&File> {
        self.lock.as_ref()
    }

    /// Returns the path at which the run directory was created or opened. Files are written to its current place, which
    /// differs if the folder was moved.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns its current place, which differs from [`Self::path`] if it was moved.
    #[must_use]
    pub fn place(&self) -> PathBuf {
        self.folder.place()
    }

    /// Returns the path of its configuration.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.folder.place().join(names::CONFIG)
    }

    /// Returns whether this process created it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns warnings about features that the file system lacks. The run continues without them.
    #[must_use]
    pub fn shortcomings(&self) -> Vec<String> {
        let place = self.path().display();
        let locks = (self.lock.is_none() && !self.is_shared())
            .then(|| format!("the file system of {place} has no locks: make sure that no other process writes there"));
        let syncs = (!self.syncs).then(|| {
            format!("the file system of {place} cannot sync folders: a power failure may lose the newest files")
        });
        locks.into_iter().chain(syncs).collect()
    }

    /// Replaces `config.ron`.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn write_config(&self, ron: &str) -> Result<(), RecordError> {
        replace::replace(&self.folder.place().join(names::CONFIG), ron.as_bytes())
    }

    /// Replaces `run.json`.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn write_run(&self, info: &RunInfo) -> Result<(), RecordError> {
        self.put(names::RUN, &replace::json_bytes(&self.path().join(names::RUN), info)?)
    }

    /// Replaces `summary.csv`, one row per cell, and returns its length in bytes.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn write_table(&self, rows: &[CellRow]) -> Result<usize, RecordError> {
        let table = table::csv(rows);
        self.put(names::TABLE, table.as_bytes())?;
        Ok(table.len())
    }

    /// Replaces a file that tasks may replace, too. Each task has a temporary file of its own.
    fn put(&self, name: &str, contents: &[u8]) -> Result<(), RecordError> {
        let place = self.folder.place();
        match &self.task {
            Some(task) => replace::replace_by_way_of(&place.join(task).join(name), &place.join(name), contents),
            None => replace::replace(&place.join(name), contents),
        }
    }

    /// Returns the writer of the log for people; a task has its own.
    #[must_use]
    pub fn logbook(&self) -> Logbook {
        let place = self.folder.place();
        Logbook::at(
            self.task
                .as_ref()
                .map_or(place.clone(), |task| place.join(task))
                .join(names::LOG),
        )
    }

    /// Replaces `queue.json`. Does nothing in a task, which has no say about the queue.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn write_queue(&self, queue: &QueueFile) -> Result<(), RecordError> {
        if self.is_shared() {
            return Ok(());
        }
        replace::replace_json(&self.folder.place().join(names::QUEUE), queue)
    }

    /// Claims a cell for this process, which trains it on `device`. A claim of a dead process is taken over, and so is
    /// the claim with the token `over`, which the user gave up.
    ///
    /// # Errors
    /// [`RecordError::Claimed`] if another process holds the cell; otherwise an error of the operating system.
    pub fn claim_cell(&self, cell: CellIndex, device: &str, over: Option<&str>) -> Result<Claim, RecordError> {
        let claim = Claim::take(&self.folder.place(), cell, device, over)?;
        let path = self.cell_path(cell);
        fence::repair(&path)?;
        sync::refresh(&path);
        Ok(claim)
    }

    /// Returns the claims of all cells, in the order of the cells.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn claims(&self) -> Result<Vec<Seen>, RecordError> {
        read_claims(&self.folder.place())
    }

    /// Claims a cell and creates its folder, see [`Self::begin_claimed`].
    ///
    /// # Errors
    /// Another process holds the claim, or the operating system reports an error.
    pub fn begin_cell(&self, cell: CellIndex, settings: &[(String, String)]) -> Result<CellWriter, RecordError> {
        self.begin_claimed(cell, settings, self.claim_cell(cell, "", None)?)
    }

    /// Creates the folder of a cell that starts at step 0, with its settings. The measurements of an earlier attempt
    /// are kept beside it as `000-old-1`.
    ///
    /// # Errors
    /// Another process has taken the cell over, or the operating system reports an error.
    pub fn begin_claimed(
        &self,
        cell: CellIndex,
        settings: &[(String, String)],
        mut claim: Claim,
    ) -> Result<CellWriter, RecordError> {
        let path = self.cell_path(cell);
        claim.check()?;
        if path.exists() && !claim.needs_fence && !has_metrics(&path) {
            fs::remove_dir_all(&path).at("remove the folder", &path)?;
        }
        if path.exists() {
            fence::set_aside(&path)?;
        }
        fs::create_dir_all(&path).at("create the folder", &path)?;
        sync::folder(&self.folder.place().join(names::CELLS))?;
        sync::folder(&self.folder.place())?;
        CellWriter::begin(path, &InOrder(settings), claim)
    }

    /// Opens the folder of a cell that continues from a checkpoint. Metrics written after the checkpoint are removed,
    /// because the cell will measure them again. If the process that held the cell before may be alive, the cell
    /// continues in a new folder, and the old one is kept beside it.
    ///
    /// # Errors
    /// Another process has taken the cell over, or the operating system reports an error.
    pub fn continue_cell(
        &self,
        cell: CellIndex,
        from: &Checkpoint,
        mut claim: Claim,
    ) -> Result<CellWriter, RecordError> {
        let path = self.cell_path(cell);
        if claim.needs_fence {
            claim.check()?;
            fence::renew(&path, from)?;
        }
        CellWriter::go_on(path, (from.slot, from.metrics_bytes), claim)
    }

    /// Writes how a cell ended whose process did not write that itself.
    ///
    /// # Errors
    /// Another process holds the claim, or the operating system reports an error.
    pub fn end_cell(
        &self,
        cell: CellIndex,
        settings: &[(String, String)],
        ending: &CellEnding,
        summary: &Summary,
    ) -> Result<(), RecordError> {
        let claim = self.claim_cell(cell, "", None)?;
        let path = self.cell_path(cell);
        if path.join(names::METRICS).exists() && !claim.needs_fence {
            cell::end(&Folder::at(path), ending, summary)
        } else {
            self.begin_claimed(cell, settings, claim)?.finish(ending, summary)
        }
    }

    /// Removes files that an ended cell no longer needs, such as its checkpoints. This is needed if the process was
    /// killed between writing `summary.json` and removing them.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn clear_away(&self, found: &CellFound) -> Result<(), RecordError> {
        let path = self.cell_path(found.cell);
        let Some(ended) = found.ended.as_ref().filter(|ended| cell::has_leftovers(&path, ended)) else {
            return Ok(());
        };
        let claim = match self.claim_cell(found.cell, "", None) {
            // It runs again.
            Err(error) if error.is_of_another_process() => return Ok(()),
            claim => claim?,
        };
        if read_summary(&path).is_ok_and(|now| now.ending == ended.ending) {
            cell::clear_away(&Folder::at(path), ended)?;
        }
        drop(claim);
        Ok(())
    }

    /// Returns the path of the folder of a cell. The folder need not exist.
    #[must_use]
    pub fn cell_path(&self, cell: CellIndex) -> PathBuf {
        cell_path(&self.folder.place(), cell)
    }
}

/// Returns the claims of all cells of a run, in the order of the cells.
///
/// # Errors
/// The operating system reports an error.
pub fn read_claims(run_dir: &Path) -> Result<Vec<Seen>, RecordError> {
    let folder = run_dir.join(names::CLAIMS);
    claim::seen(&folder, None).at("list", &folder)
}

/// Removes a run directory in which no cell has started. A directory with started cells or with foreign files stays.
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
    for name in [LIVE, names::CLAIMS, names::COMMANDS] {
        let _ = fs::remove_dir(run_dir.join(name));
    }
    let _ = fs::remove_dir(run_dir);
}

/// Returns the path of the folder of a cell in a run directory. The folder need not exist.
#[must_use]
pub fn cell_path(run_dir: &Path, cell: CellIndex) -> PathBuf {
    run_dir.join(names::CELLS).join(format!("{cell:03}"))
}

/// Returns whether the folder of a cell contains measurements.
fn has_metrics(cell_dir: &Path) -> bool {
    fs::metadata(cell_dir.join(names::METRICS)).is_ok_and(|metrics| metrics.len() > 0)
}

/// Pairs, serialized as a JSON object in the given order.
struct InOrder<'a>(&'a [(String, String)]);

impl Serialize for InOrder<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
