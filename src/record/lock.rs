//! One process writes a run directory: it holds a lock that ends with it, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use super::error::At;
use super::{RecordError, names};

/// The lock; none where the file system has no locks.
pub(super) fn acquire(run_dir: &Path) -> Result<Option<File>, RecordError> {
    let path = run_dir.join(names::LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .at("open", &path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(RecordError::Locked {
            path: run_dir.to_owned(),
        }),
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).at("lock", &path),
    }
}
