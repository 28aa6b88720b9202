//! The folder of one cell while the cell runs.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::checkpoint::{self, Slot};
use super::claim::Claim;
use super::error::{At, json};
use super::folder::Folder;
use super::read::CellSummary;
use super::tensors::{NamedTensor, tensors_to_bytes};
use super::{RecordError, attempts, names, replace, sync};
use crate::event::{CellEnding, Point, Summary};

/// The time after which a process looks again whether it still holds its claim before it writes a line. A process that
/// was stopped for longer than this looks before it writes anything.
const CLAIM_IS_SURE_FOR: Duration = Duration::from_secs(1);

/// Writes the files of one cell.
///
/// Every file is written through the open folder. If another process has taken the cell over and put another folder in
/// its place, this writer can no longer reach the new one.
#[derive(Debug)]
pub struct CellWriter {
    folder: Folder,
    claim: Option<Claim>,
    /// When the claim was last seen.
    checked: Instant,
    metrics: File,
    /// Length of `metrics.jsonl`, complete lines only.
    metrics_bytes: u64,
    /// The step of the last line, and the file length before the first line of that step.
    last_step: Option<(u64, u64)>,
    /// The file for the next checkpoint.
    slot: Slot,
}

impl CellWriter {
    /// Writes the settings and creates `metrics.jsonl` in a folder that has none.
    pub(super) fn begin(path: PathBuf, settings: &impl Serialize, claim: Claim) -> Result<Self, RecordError> {
        let file = path.join(names::METRICS);
        let folder = Folder::at(path);
        let metrics = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&file)
            .at("create", &file)?;
        let mut writer = Self {
            folder,
            claim: Some(claim),
            checked: Instant::now(),
            metrics,
            metrics_bytes: 0,
            last_step: None,
            slot: Slot::A,
        };
        // A process that takes the cell over puts another folder here afterwards.
        writer.check_claim()?;
        replace::replace_json_in(&writer.folder, names::CELL, settings)?;
        Ok(writer)
    }

    /// Opens `metrics.jsonl` of a cell that continues from the checkpoint in `slot`, and cuts the file to
    /// `metrics_bytes`.
    pub(super) fn go_on(path: PathBuf, (slot, metrics_bytes): (Slot, u64), claim: Claim) -> Result<Self, RecordError> {
        let file = path.join(names::METRICS);
        let folder = Folder::at(path);
        let metrics = OpenOptions::new().append(true).open(&file).at("open", &file)?;
        let mut writer = Self {
            folder,
            claim: Some(claim),
            checked: Instant::now(),
            metrics,
            metrics_bytes,
            last_step: None,
            slot: slot.other(),
        };
        // A process that takes the cell over puts another folder here afterwards.
        writer.check_claim()?;
        writer.metrics.set_len(metrics_bytes).at("cut", &file)?;
        sync::file(&writer.metrics).at("sync", &file)?;
        // The cell runs again, so its ending is no longer valid.
        replace::remove_in(&writer.folder, names::SUMMARY)?;
        Ok(writer)
    }

    /// Checks that no other process has taken the cell over.
    fn check_claim(&mut self) -> Result<(), RecordError> {
        if let Some(claim) = &mut self.claim {
            claim.check()?;
        }
        self.checked = Instant::now();
        Ok(())
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
        if self.checked.elapsed() > CLAIM_IS_SURE_FOR {
            self.check_claim()?;
        }
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
        let path = self.folder.path().join(names::MODEL);
        replace::replace_in(&self.folder, names::MODEL, &tensors_to_bytes(&path, tensors, metadata)?)
    }

    /// Writes the checkpoint after `step` steps to a file of its own, which stays after the cell has ended.
    ///
    /// # Errors
    /// Tensors contradict their shapes, or the operating system reports an error.
    pub fn write_lasting(
        &self,
        step: u64,
        tensors: &[NamedTensor],
        metadata: &BTreeMap<String, String>,
    ) -> Result<(), RecordError> {
        let name = checkpoint::lasting_name(step);
        let path = self.folder.path().join(&name);
        replace::replace_in(&self.folder, &name, &tensors_to_bytes(&path, tensors, metadata)?)
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
        self.check_claim()?;
        let metrics_bytes = match self.last_step {
            Some((last, before)) if last == step && !observed => before,
            _ => self.metrics_bytes,
        };
        metadata.insert(checkpoint::METRICS_BYTES.to_owned(), metrics_bytes.to_string());
        // A checkpoint must not be newer than the metrics before it.
        sync::file(&self.metrics).at("sync", &self.folder.place().join(names::METRICS))?;
        checkpoint::write(&self.folder, self.slot, tensors, &metadata)?;
        self.slot = self.slot.other();
        Ok(())
    }

    /// Records that this is the `attempt`-th start of the cell, because processes were killed while it ran.
    ///
    /// # Errors
    /// The operating system reports an error.
    pub fn count_attempt(&self, attempt: u32) -> Result<(), RecordError> {
        attempts::write(&self.folder, attempt)
    }

    /// Syncs the metrics to disk, then writes `summary.json`, which marks the cell as ended.
    ///
    /// # Errors
    /// The operating system reports an error, or another process has taken the cell over.
    pub fn finish(&mut self, ending: &CellEnding, summary: &Summary) -> Result<(), RecordError> {
        self.check_claim()?;
        sync::file(&self.metrics).at("sync", &self.folder.place().join(names::METRICS))?;
        end(&self.folder, ending, summary)
    }
}

/// Writes `summary.json`, which marks the cell in this folder as ended.
pub(super) fn end(cell: &Folder, ending: &CellEnding, summary: &Summary) -> Result<(), RecordError> {
    let ended = CellSummary {
        ending: ending.clone(),
        summary: summary.clone(),
    };
    replace::replace_json_in(cell, names::SUMMARY, &ended)?;
    clear_away(cell, &ended)
}

/// Returns whether [`clear_away`] has something to remove.
pub(super) fn has_leftovers(cell_dir: &Path, ended: &CellSummary) -> bool {
    cell_dir.join(names::ATTEMPTS).exists() || (!ended.ending.is_run_again() && checkpoint::has_any_file(cell_dir))
}

/// Removes files that an ended cell no longer needs. A process may be killed after it wrote `summary.json` and before
/// it removed them; the next process that opens the run directory then removes them.
pub(super) fn clear_away(cell: &Folder, ended: &CellSummary) -> Result<(), RecordError> {
    attempts::forget(cell)?;
    if ended.ending.is_run_again() {
        return Ok(());
    }
    checkpoint::remove(cell)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_error_of_append() {
        let metrics = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let mut cell = CellWriter {
            folder: Folder::at(PathBuf::from("cells/000")),
            claim: None,
            checked: Instant::now(),
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
