//! Atomic replacement of files: write to a temporary file in the same folder, sync, rename.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::{At, json as json_error};
use super::{RecordError, sync};

/// Replaces the contents of the file, or leaves the file unchanged on error.
pub(super) fn replace(path: &Path, contents: &[u8]) -> Result<(), RecordError> {
    replace_by_way_of(&aside(path), path, contents)
}

/// Replaces a file from a process that does not hold the lock, such as a process that writes a report of a running
/// sweep. The temporary file has its own name, so it does not collide with that of another process.
///
/// # Errors
/// The operating system reports an error.
pub fn replace_unlocked(path: &Path, contents: &[u8]) -> Result<(), RecordError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    replace_by_way_of(&aside, path, contents)
}

fn replace_by_way_of(aside: &Path, path: &Path, contents: &[u8]) -> Result<(), RecordError> {
    let written = write_synced(aside, contents)
        .and_then(|()| fs::rename(aside, path))
        .at("write", path);
    if written.is_err() {
        // Only the first error is reported. The temporary file would take space on a full disk.
        let _ = fs::remove_file(aside);
    }
    written?;
    path.parent().map_or(Ok(()), |folder| sync::folder(folder).map(drop))
}

/// Creates a folder and its parents if they do not exist.
///
/// # Errors
/// The operating system reports an error.
pub fn make_folder(path: &Path) -> Result<(), RecordError> {
    fs::create_dir_all(path).at("create the folder", path)
}

/// Replaces a file with a value as indented JSON.
pub(super) fn replace_json(path: &Path, value: &impl Serialize) -> Result<(), RecordError> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|error| json_error(path, &error))?;
    json.push(b'\n');
    replace(path, &json)
}

/// Returns the path of the temporary file. One name per file is enough, because only the process that holds the lock
/// writes a run directory.
pub(super) fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

fn write_synced(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    sync::file(&file)
}
