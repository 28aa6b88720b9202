//! Checkpoints of a running cell, in two files that are written alternately.
//!
//! A new checkpoint replaces the older of the two files, so a crash at any byte leaves a valid one. The first line of a
//! file contains the length and the CRC-32 of the rest, which is a safetensors file. A file that was cut short or has a
//! flipped bit is detected, and the other file is used.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::At;
use super::folder::Folder;
use super::tensors::{NamedTensor, Tensors, tensors_from_bytes, tensors_to_bytes};
use super::{RecordError, names, replace};

/// Start of the first line. The number changes with the meaning of the file.
const MAGIC: &str = "sharptui-checkpoint 1";

/// Metadata key for the length of `metrics.jsonl` in bytes.
pub(super) const METRICS_BYTES: &str = "metrics_bytes";

/// A checkpoint that was read.
pub struct Checkpoint {
    /// The file that holds it.
    pub slot: Slot,
    /// Length of the part of `metrics.jsonl` that belongs to it, in bytes.
    pub metrics_bytes: u64,
    /// Its contents.
    pub tensors: Tensors,
}

/// One of the two checkpoint files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    #[default]
    A,
    /// The second.
    B,
}

impl Slot {
    /// Returns the other file.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Returns the name of the file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::A => "checkpoint-a",
            Self::B => "checkpoint-b",
        }
    }

    fn path(self, cell_dir: &Path) -> PathBuf {
        cell_dir.join(self.name())
    }
}

/// Returns the name of the checkpoint after `step` steps that stays after the cell has ended.
pub(super) fn lasting_name(step: u64) -> String {
    format!("checkpoint-{step:09}.safetensors")
}

/// Returns the steps of the checkpoints in the folder of a cell that stay after it has ended, in ascending order, with
/// their files.
#[must_use]
pub fn lasting_checkpoints(cell_dir: &Path) -> Vec<(u64, PathBuf)> {
    let step_of = |path: &Path| -> Option<u64> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("checkpoint-")?
            .strip_suffix(".safetensors")?
            .parse()
            .ok()
    };
    let entries = fs::read_dir(cell_dir).into_iter().flatten().flatten();
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter_map(|entry| Some((step_of(&entry.path())?, entry.path())))
        .collect();
    found.sort();
    found
}

/// Replaces one of the two files.
pub(super) fn write(
    cell: &Folder,
    slot: Slot,
    tensors: &[NamedTensor],
    metadata: &BTreeMap<String, String>,
) -> Result<(), RecordError> {
    let payload = tensors_to_bytes(&slot.path(cell.path()), tensors, metadata)?;
    let mut file = format!("{MAGIC} {} {:08x}\n", payload.len(), crc32fast::hash(&payload)).into_bytes();
    file.extend_from_slice(&payload);
    replace::replace_in(cell, slot.name(), &file)
}

/// Removes both files of an ended cell, and temporary files that a killed process left.
pub(super) fn remove(cell: &Folder) -> Result<(), RecordError> {
    [Slot::A, Slot::B]
        .into_iter()
        .try_for_each(|slot| replace::remove_in(cell, slot.name()))
}

/// Returns whether [`remove`] has something to remove.
pub(super) fn has_any_file(cell_dir: &Path) -> bool {
    let files = [Slot::A, Slot::B].map(|slot| slot.path(cell_dir));
    files.iter().any(|path| path.exists() || replace::aside(path).exists())
}

/// Returns whether the folder of a cell has a checkpoint, valid or not.
#[must_use]
pub fn has_checkpoint(cell_dir: &Path) -> bool {
    [Slot::A, Slot::B].iter().any(|slot| slot.path(cell_dir).exists())
}

/// Reads the checkpoints that exist in the folder of a cell.
#[must_use]
pub fn read_checkpoints(cell_dir: &Path) -> Vec<Result<Checkpoint, RecordError>> {
    let slots = [Slot::A, Slot::B].into_iter();
    let there = slots.filter(|slot| slot.path(cell_dir).exists());
    there.map(|slot| read(cell_dir, slot)).collect()
}

fn read(cell_dir: &Path, slot: Slot) -> Result<Checkpoint, RecordError> {
    let path = &slot.path(cell_dir);
    let wrong = |reason: &str| RecordError::Tensors {
        path: path.clone(),
        reason: reason.to_owned(),
    };
    let bytes = fs::read(path).at("read", path)?;
    let end = bytes.iter().take(100).position(|&byte| byte == b'\n');
    let (head, payload) = end
        .map(|end| (&bytes[..end], &bytes[end + 1..]))
        .ok_or_else(|| wrong("it does not begin with the first line of a checkpoint"))?;
    let expected = format!("{MAGIC} {} {:08x}", payload.len(), crc32fast::hash(payload));
    if head != expected.as_bytes() {
        return Err(wrong("the file is damaged or cut short (its checksum differs)"));
    }
    let tensors = tensors_from_bytes(path, payload)?;
    let metrics_bytes = tensors.metadata.get(METRICS_BYTES).and_then(|text| text.parse().ok());
    let metrics_bytes = metrics_bytes.ok_or_else(|| wrong("its metadata lacks the length of metrics.jsonl"))?;
    let metrics = cell_dir.join(names::METRICS);
    let there = fs::metadata(&metrics).at("read", &metrics)?.len();
    if there < metrics_bytes {
        return Err(wrong(&format!(
            "it needs a metrics.jsonl of at least {metrics_bytes} bytes, but that file has {there}"
        )));
    }
    Ok(Checkpoint {
        slot,
        metrics_bytes,
        tensors,
    })
}
