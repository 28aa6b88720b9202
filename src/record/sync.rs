//! Syncing files and folders to disk, so that they survive a power failure if the file system supports it.

use std::fs::File;
#[cfg(test)]
use std::io::Error;
use std::io::Result;
use std::path::Path;

use super::RecordError;
use super::error::At;

/// Error numbers of file systems that do not sync folders: EPERM, EBADF, EACCES, EINVAL, EROFS, ENOSYS, EOPNOTSUPP, and
/// NFS's own ENOTSUPP.
const NOT_OFFERED: [i32; 8] = [1, 9, 13, 22, 30, 38, 95, 524];

/// Error numbers of file systems that do not sync files. Errors about permissions are not among them, because the file
/// was opened for writing.
const NOT_OFFERED_FOR_FILES: [i32; 4] = [22, 38, 95, 524];

/// Syncs a file to disk, if the file system supports it.
pub(super) fn file(file: &File) -> Result<()> {
    or_not_offered(file.sync_all(), &NOT_OFFERED_FOR_FILES).map(drop)
}

/// Syncs a folder to disk, so that new names in it survive a power failure. Returns false if the file system does not
/// support it.
pub(super) fn folder(path: &Path) -> std::result::Result<bool, RecordError> {
    // `parent()` of a relative name is the empty path, which cannot be opened.
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let synced = File::open(path).and_then(|folder| open_folder(&folder));
    synced.at("sync the folder", path)
}

/// Does the same with an open folder.
pub(super) fn open_folder(folder: &File) -> Result<bool> {
    or_not_offered(folder.sync_all(), &NOT_OFFERED)
}

/// Makes the system look at a folder of a network file system anew: its clients remember for up to a minute which names
/// do not exist, but not after they have changed the folder themselves. An error changes nothing: then the folder is
/// missing, or nothing can be written in it.
pub(super) fn refresh(folder: &Path) {
    let probe = folder.join(format!(".look-{}", std::process::id()));
    if File::create(&probe).is_ok() {
        let _ = std::fs::remove_file(&probe);
    }
}

/// Any other error means that the data may not be on disk: no space, a failing device, or a server that does not
/// answer.
fn or_not_offered(synced: Result<()>, not_offered: &[i32]) -> Result<bool> {
    match synced {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error().is_some_and(|number| not_offered.contains(&number)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_that_does_not_sync_is_no_error_and_a_disk_or_server_that_fails_is() {
        let said = |number, not_offered: &[i32]| or_not_offered(Err(Error::from_raw_os_error(number)), not_offered);
        for refused in NOT_OFFERED {
            assert!(!said(refused, &NOT_OFFERED).unwrap());
        }
        // EIO, ENOSPC, EDQUOT, ESTALE, ENOENT, ETIMEDOUT, ENOTCONN, ENXIO, ENOMEM.
        for failed in [5, 28, 122, 116, 2, 110, 107, 6, 12] {
            assert!(said(failed, &NOT_OFFERED).is_err(), "{failed}");
            assert!(said(failed, &NOT_OFFERED_FOR_FILES).is_err(), "{failed}");
        }
        assert!(said(9, &NOT_OFFERED_FOR_FILES).is_err(), "EBADF of a file");
        assert!(folder(Path::new("")).is_ok());
    }
}
