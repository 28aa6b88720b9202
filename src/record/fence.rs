//! The fence: a cell whose process may still be alive goes on in a new folder.
//!
//! The new owner copies what belongs to the checkpoint into a folder `NNN-new`, moves the old folder to `NNN-old-K`, and
//! moves the new one into its place. A process that was thought dead and wakes has the old folder open, and can write
//! only there: see [`super::cell::CellWriter`]. If the new owner is killed between the two moves, the next one makes the
//! second: `cells/NNN` is then missing, and `NNN-new` is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::error::At;
use super::{RecordError, names, sync};

/// Moves the folder of a cell aside, to a free name `NNN-old-K`.
pub(super) fn set_aside(cell_dir: &Path) -> Result<(), RecordError> {
    let name = name(cell_dir);
    let old = (1u32..).map(|count| cell_dir.with_file_name(format!("{name}-old-{count}")));
    let free = old
        .into_iter()
        .find(|old| !old.exists())
        .unwrap_or_else(|| cell_dir.with_extension("old"));
    fs::rename(cell_dir, &free).at("set aside the folder", cell_dir)
}

/// Puts a copy of the cell, as of a checkpoint, in the place of its folder. The claim of the cell must be held.
pub(super) fn renew(cell_dir: &Path, from: &Checkpoint) -> Result<(), RecordError> {
    let new = new_path(cell_dir);
    let making = cell_dir.with_file_name(format!("{}-making", name(cell_dir)));
    // A process that was killed while it copied left it.
    remove(&making)?;
    fs::create_dir(&making).at("create the folder", &making)?;
    let everything = u64::MAX;
    for (file, most_bytes) in [
        (names::CELL, everything),
        (names::ATTEMPTS, everything),
        (names::MODEL, everything),
        (names::METRICS, from.metrics_bytes),
        (from.slot.name(), everything),
    ] {
        let to = making.join(file);
        copy(&cell_dir.join(file), &to, most_bytes).at("copy to", &to)?;
    }
    sync::folder(&making)?;
    remove(&new)?;
    fs::rename(&making, &new).at("move the folder", &making)?;
    set_aside(cell_dir)?;
    fs::rename(&new, cell_dir).at("move the folder", &new)?;
    cell_dir.parent().map_or(Ok(()), |cells| sync::folder(cells).map(drop))
}

/// Completes what a process left that was killed within [`renew`]. The claim of the cell must be held.
pub(super) fn repair(cell_dir: &Path) -> Result<(), RecordError> {
    let new = new_path(cell_dir);
    if !new.exists() {
        return Ok(());
    }
    if cell_dir.exists() {
        remove(&new)
    } else {
        fs::rename(&new, cell_dir).at("move the folder", &new)
    }
}

fn new_path(cell_dir: &Path) -> PathBuf {
    cell_dir.with_file_name(format!("{}-new", name(cell_dir)))
}

fn name(cell_dir: &Path) -> String {
    cell_dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn remove(folder: &Path) -> Result<(), RecordError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).at("remove the folder", folder),
        _ => Ok(()),
    }
}

/// Copies the first bytes of a file, if it exists, and syncs the copy.
fn copy(from: &Path, to: &Path, most_bytes: u64) -> io::Result<()> {
    let file = match File::open(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let mut copy = OpenOptions::new().write(true).create_new(true).open(to)?;
    io::copy(&mut file.take(most_bytes), &mut copy)?;
    copy.flush()?;
    sync::file(&copy)
}
