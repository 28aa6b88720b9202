//! Files that are replaced as a whole: written aside in the same folder, synced, renamed.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::{At, json as json_error};
use super::{RecordError, sync};

/// Puts `contents` in place of the file, or leaves it as it was.
pub(super) fn replace(path: &Path, contents: &[u8]) -> Result<(), RecordError> {
    replace_by_way_of(&aside(path), path, contents)
}

/// The same for a process that does not hold the lock, such as one that writes a report of a run that goes on: what
/// another one writes aside at the same time has another name.
///
/// # Errors
/// Whatever the operating system refuses.
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
        // The first error is the one to tell; on a full disk, what is left aside takes space.
        let _ = fs::remove_file(aside);
    }
    written?;
    path.parent().map_or(Ok(()), |folder| sync::folder(folder).map(drop))
}

/// Makes a folder, with its parents, where there is none.
///
/// # Errors
/// Whatever the operating system refuses.
pub fn make_folder(path: &Path) -> Result<(), RecordError> {
    fs::create_dir_all(path).at("create the folder", path)
}

/// The same for a value as indented JSON.
pub(super) fn replace_json(path: &Path, value: &impl Serialize) -> Result<(), RecordError> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|error| json_error(path, &error))?;
    json.push(b'\n');
    replace(path, &json)
}

/// Where the new contents of a file are written first. One name a file is enough, since one process, holding the lock, writes
/// a run directory.
pub(super) fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

fn write_synced(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    sync::file(&file)
}
