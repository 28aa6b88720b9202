//! The lock of a run directory: one process writes, and the lock is released when that process ends for any reason.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::error::At;
use super::{RecordError, names};

/// How long a writer waits for the lock: readers take it for an instant to check whether a run is being written.
const PATIENCE: Duration = Duration::from_millis(500);
const GLANCE: Duration = Duration::from_millis(10);

/// Acquires the lock. Returns none if the file system has no locks, which it reports as ENOSYS, EOPNOTSUPP, ENOLCK, or
/// NFS's own ENOTSUPP (524).
pub(super) fn acquire(run_dir: &Path) -> Result<Option<File>, RecordError> {
    acquire_within(run_dir, PATIENCE)
}

fn acquire_within(run_dir: &Path, patience: Duration) -> Result<Option<File>, RecordError> {
    let path = run_dir.join(names::LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .at("open", &path)?;
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if since.elapsed() < patience => thread::sleep(GLANCE),
            Err(TryLockError::WouldBlock) => {
                return Err(RecordError::Locked {
                    path: run_dir.to_owned(),
                });
            }
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}

/// Returns whether a process writes the run directory, whichever user runs it; on a network file system with locks,
/// also on another machine. None if this is unknown.
#[must_use]
pub fn is_being_written(run_dir: &Path) -> Option<bool> {
    let file = File::open(run_dir.join(names::LOCK)).ok()?;
    match file.try_lock_shared() {
        Ok(()) => Some(false),
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_learns_whether_somebody_writes_and_keeps_nobody_from_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(is_being_written(folder.path()), None, "no process ever wrote there");
        let lock = acquire(folder.path()).unwrap();
        if lock.is_none() {
            eprintln!("skipped: the file system has no locks");
            return;
        }
        assert_eq!(is_being_written(folder.path()), Some(true));
        drop(lock);
        assert_eq!(is_being_written(folder.path()), Some(false));
        let asking = File::open(folder.path().join(names::LOCK)).unwrap();
        asking.lock_shared().unwrap();
        let asks = thread::spawn(move || {
            thread::sleep(3 * GLANCE);
            drop(asking);
        });
        let patience = Duration::from_mins(1);
        assert!(acquire_within(folder.path(), patience).unwrap().is_some());
        asks.join().unwrap();
    }
}
