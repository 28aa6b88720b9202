//! One process writes a run directory: it holds a lock that ends with it, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::error::At;
use super::{RecordError, names};

/// A reader that asks [`is_being_written`] holds a lock for a moment, so a writer tries for a moment too.
const ATTEMPTS: u32 = 10;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);

/// The lock; none where the file system has no locks.
pub(super) fn acquire(run_dir: &Path) -> Result<Option<File>, RecordError> {
    let path = run_dir.join(names::LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .at("open", &path)?;
    for _ in 0..ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_ATTEMPTS),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error).at("lock", &path),
        }
    }
    Err(RecordError::Locked {
        path: run_dir.to_owned(),
    })
}

/// Whether some process is writing this run directory now. False where that cannot be known.
#[must_use]
pub fn is_being_written(run_dir: &Path) -> bool {
    let file = File::open(run_dir.join(names::LOCK));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
