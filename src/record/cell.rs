//! The folder of one cell, while it runs.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::At;
use super::read::CellSummary;
use super::tensors::{NamedTensor, write_tensors};
use super::{RecordError, names, replace};
use crate::event::{CellEnding, Point, Summary};

/// Writes what happens in one cell.
#[derive(Debug)]
pub struct CellWriter {
    path: PathBuf,
    metrics: File,
    /// Length of `metrics.jsonl`, whole lines all.
    metrics_bytes: u64,
}

impl CellWriter {
    /// Makes the metrics in a folder that has none yet.
    pub(super) fn begin(path: PathBuf) -> Result<Self, RecordError> {
        let file = path.join(names::METRICS);
        let metrics = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&file)
            .at("create", &file)?;
        replace::sync_folder(&path)?;
        Ok(Self {
            path,
            metrics,
            metrics_bytes: 0,
        })
    }

    /// The folder of the cell.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one line to `metrics.jsonl`. Once this returns, the end of this process cannot lose it.
    ///
    /// # Errors
    /// A full disk and the like; then the file ends as before, so that a later line does not join half a line.
    pub fn append(&mut self, point: &Point) -> Result<(), RecordError> {
        let path = self.path.join(names::METRICS);
        let mut line = serde_json::to_vec(point).map_err(|source| RecordError::Json {
            path: path.clone(),
            source,
        })?;
        line.push(b'\n');
        if let Err(error) = self.metrics.write_all(&line) {
            // If this fails too, the torn line stays, and readers say so.
            let _ = self.metrics.set_len(self.metrics_bytes);
            return Err(error).at("append to", &path);
        }
        self.metrics_bytes += line.len() as u64;
        Ok(())
    }

    /// Replaces `model.safetensors`.
    ///
    /// # Errors
    /// Tensors that contradict their shapes, or whatever the operating system refuses.
    pub fn write_model(&self, tensors: &[NamedTensor], metadata: &BTreeMap<String, String>) -> Result<(), RecordError> {
        write_tensors(&self.path.join(names::MODEL), tensors, metadata)
    }

    /// Makes sure that the metrics survive a loss of power, then writes `summary.json`, which marks the cell as ended.
    ///
    /// # Errors
    /// Whatever the operating system refuses.
    pub fn finish(self, ending: &CellEnding, summary: &Summary) -> Result<(), RecordError> {
        self.metrics.sync_all().at("sync", &self.path.join(names::METRICS))?;
        let ended = CellSummary {
            ending: ending.clone(),
            summary: summary.clone(),
        };
        replace::replace_json(&self.path.join(names::SUMMARY), &ended)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_error_of_append() {
        let metrics = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let mut cell = CellWriter {
            path: PathBuf::from("cells/000"),
            metrics,
            metrics_bytes: 0,
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
