//! The folder of one cell while the cell runs.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::checkpoint::{self, Slot};
use super::error::{At, json};
use super::folder::Folder;
use super::read::CellSummary;
use super::tensors::{NamedTensor, write_tensors};
use super::{RecordError, attempts, names, replace, sync};
use crate::event::{CellEnding, Point, Summary};

/// Writes the files of one cell.
#[derive(Debug)]
pub struct CellWriter {
    folder: Folder,
    metrics: File,
    /// Length of `metrics.jsonl`, complete lines only.
    metrics_bytes: u64,
    /// The step of the last line, and the file length before the first line of that step.
    last_step: Option<(u64, u64)>,
    /// The file for the next checkpoint.
    slot: Slot,
}

impl CellWriter {
    /// Creates `metrics.jsonl` in a folder that has none.
    pub(super) fn begin(path: PathBuf) -> Result<Self, RecordError> {
        let file = path.join(names::METRICS);
        let metrics = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&file)
            .at("create", &file)?;
        sync::folder(&path)?;
        Ok(Self {
            folder: Folder::at(path),
            metrics,
            metrics_bytes: 0,
            last_step: None,
            slot: Slot::A,
        })
    }

    /// Opens `metrics.jsonl` of a cell that continues from the checkpoint in `slot`, and cuts the file to
    /// `metrics_bytes`.
    pub(super) fn go_on(path: PathBuf, slot: Slot, metrics_bytes: u64) -> Result<Self, RecordError> {
        let file = path.join(names::METRICS);
        let metrics = OpenOptions::new().append(true).open(&file).at("open", &file)?;
        metrics.set_len(metrics_bytes).at("cut", &file)?;
        sync::file(&metrics).at("sync", &file)?;
        // The cell runs again, so its ending is no longer valid.
        let summary = path.join(names::SUMMARY);
        match std::fs::remove_file(&summary) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).at("remove", &summary),
            _ => {}
        }
        Ok(Self {
            folder: Folder::at(path),
            metrics,
            metrics_bytes,
            last_step: None,
            slot: slot.other(),
        })
    }

    /// Returns the folder of the cell.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Appends one line to `metrics.jsonl`. After this returns, a crash of this process cannot lose the line.
    ///
    /// # Errors
    /// The line cannot be written, for example on a full disk. The file is then cut to its former length, so a later
    /// line does not join half a line.
    pub fn append(&mut self, point: &Point) -> Result<(), RecordError> {
        let path = self.folder.path().join(names::METRICS);
        let mut line = serde_json::to_vec(point).map_err(|error| json(&path, &error))?;
        line.push(b'\n');
        // Writing to a deleted file would succeed, and the data would be lost silently.
        if self.metrics.metadata().is_ok_and(|metrics| metrics.nlink() == 0) {
            return Err(std::io::Error::from(std::io::ErrorKind::NotFound)).at("append to", &path);
        }
        if let Err(error) = self.metrics.write_all(&line) {
            // If this fails too, the torn line stays, and readers report it.
            let _ = self.metrics.set_len(self.metrics_bytes);
            return Err(error).at("append to", &path);
        }
        if self.last_step.is_none_or(|(step, _)| step != point.step) {
            self.last_step = Some((point.step, self.metrics_bytes));
        }
        self.metrics_bytes += line.len() as u64;
        Ok(())
    }

    /// Replaces `model.safetensors`.
    ///
    /// # Errors
    /// Tensors contradict their shapes, or the operating system reports an error.
    pub fn write_model(&self, tensors: &[NamedTensor], metadata: &BTreeMap<String, String>) -> Result<(), RecordError> {
        write_tensors(&self.folder.place().join(names::MODEL), tensors, metadata)
    }

    /// Writes a checkpoint after `step` steps, alternating between two files. If the step is not yet `observed`, it
    /// will be observed again, so the checkpoint excludes the lines already written about it.
    ///
    /// # Errors
    /// The operating system reports an error; the earlier checkpoint is then unchanged.
    pub fn write_checkpoint(
        &mut self,
        (step, observed): (u64, bool),
        tensors: &[NamedTensor],
        mut metadata: BTreeMap<String, String>,
    ) -> Result<(), RecordError> {
        let metrics_bytes = match self.last_step {
            Some((last, before)) if last == step && !observed => before,
            _ => self.metrics_bytes,
        };
        metadata.insert(checkpoint::METRICS_BYTES.to_owned(), metrics_bytes.to_string());
        // A checkpoint must not be newer than the metrics before it.
        sync::file(&self.metrics).at("sync", &self.folder.place().join(names::METRICS))?;
        checkpoint::write(&self.folder.place(), self.slot, tensors, &metadata)?;
        self.slot = self.slot.other();
        Ok(())
    }

    /// Records that this is the `attempt`-th start of the cell, because processes were killed while it ran.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn count_attempt(&self, attempt: u32) -> Result<(), RecordError> {
        attempts::write(&self.folder.place(), attempt)
    }

    /// Syncs the metrics to disk, then writes `summary.json`, which marks the cell as ended.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn finish(&self, ending: &CellEnding, summary: &Summary) -> Result<(), RecordError> {
        sync::file(&self.metrics).at("sync", &self.folder.place().join(names::METRICS))?;
        end(&self.folder.place(), ending, summary)
    }
}

/// Writes `summary.json`, which marks the cell in this folder as ended.
pub(super) fn end(cell_dir: &Path, ending: &CellEnding, summary: &Summary) -> Result<(), RecordError> {
    let ended = CellSummary {
        ending: ending.clone(),
        summary: summary.clone(),
    };
    replace::replace_json(&cell_dir.join(names::SUMMARY), &ended)?;
    clear_away(cell_dir, &ended)
}

/// Removes files that an ended cell no longer needs. A process may be killed after it wrote `summary.json` and before
/// it removed them; the next process that opens the run directory then removes them.
pub(super) fn clear_away(cell_dir: &Path, ended: &CellSummary) -> Result<(), RecordError> {
    attempts::forget(cell_dir)?;
    if ended.ending.is_run_again() {
        return Ok(());
    }
    checkpoint::remove(cell_dir)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_error_of_append() {
        let metrics = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let mut cell = CellWriter {
            folder: Folder::at(PathBuf::from("cells/000")),
            metrics,
            metrics_bytes: 0,
            last_step: None,
            slot: Slot::A,
        };
        let error = cell.append(&Point::default()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot append to cells/000/metrics.jsonl: No space left"),
            "{error}"
        );
        assert_eq!(cell.metrics_bytes, 0);
    }
}
