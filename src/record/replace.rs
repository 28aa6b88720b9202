//! Atomic replacement of files: write to a temporary file in the same folder, sync, rename.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::{Errno, retry_on_intr};
use serde::Serialize;

use super::error::{At, json as json_error};
use super::folder::Folder;
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

pub(super) fn replace_by_way_of(aside: &Path, path: &Path, contents: &[u8]) -> Result<(), RecordError> {
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

/// Replaces the contents of a file in an open folder, or leaves the file unchanged on error. The file is in this folder
/// even if another folder takes its place meanwhile.
pub(super) fn replace_in(folder: &Folder, name: &str, contents: &[u8]) -> Result<(), RecordError> {
    let Some(open) = folder.open() else {
        return replace(&folder.place().join(name), contents);
    };
    let path = || folder.place().join(name);
    let aside = aside_name(name);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
    let written = retry_on_intr(|| openat(open, &aside, flags, Mode::from_raw_mode(0o666)))
        .map_err(std::io::Error::from)
        .and_then(|file| {
            let mut file = File::from(file);
            file.write_all(contents)?;
            sync::file(&file)?;
            Ok(retry_on_intr(|| renameat(open, &aside, open, name))?)
        });
    if written.is_err() {
        // As in `replace_by_way_of`.
        let _ = unlinkat(open, &aside, AtFlags::empty());
    }
    written.at("write", &path())?;
    sync::open_folder(open).map(drop).at("sync the folder", &folder.place())
}

/// Replaces a file in an open folder with a value as indented JSON.
pub(super) fn replace_json_in(folder: &Folder, name: &str, value: &impl Serialize) -> Result<(), RecordError> {
    replace_in(folder, name, &json_bytes(folder.path(), value)?)
}

/// Removes a file of an open folder, with the temporary file that a killed process left, if they exist.
pub(super) fn remove_in(folder: &Folder, name: &str) -> Result<(), RecordError> {
    for name in [name, &aside_name(name)] {
        let removed = match folder.open() {
            Some(open) => match retry_on_intr(|| unlinkat(open, name, AtFlags::empty())) {
                Err(Errno::NOENT) => Ok(()),
                removed => removed.map_err(std::io::Error::from),
            },
            None => match fs::remove_file(folder.place().join(name)) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                removed => removed,
            },
        };
        removed.at("remove", &folder.place().join(name))?;
    }
    Ok(())
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
    replace(path, &json_bytes(path, value)?)
}

/// Returns a value as indented JSON; `path` is used in error messages only.
pub(super) fn json_bytes(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, RecordError> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|error| json_error(path, &error))?;
    json.push(b'\n');
    Ok(json)
}

/// Returns the path of the temporary file. One name per file is enough, because one process writes each: the one that
/// holds the lock of the run directory or the claim of the cell.
pub(super) fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(aside_name(&name))
}

fn aside_name(name: &str) -> String {
    format!(".{name}.new")
}

fn write_synced(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    sync::file(&file)
}
