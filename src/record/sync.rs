//! What is to survive a loss of power, as far as the file system offers that.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use super::RecordError;
use super::error::At;

/// The error of a device that could not read or write.
const EIO: i32 = 5;

/// Makes sure that what was written to a file survives a loss of power; false where the file system does not do that.
pub(super) fn file(file: &File) -> Result<bool> {
    done_or_not_offered(file.sync_all())
}

/// Makes sure that names made in this folder survive a loss of power; false where the file system does not do that.
pub(super) fn folder(path: &Path) -> std::result::Result<bool, RecordError> {
    // `parent()` of a relative name is the empty path, which cannot be opened.
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    done_or_not_offered(File::open(path).and_then(|folder| folder.sync_all())).at("sync the folder", path)
}

/// Network and user-space file systems refuse in many words: EINVAL, EOPNOTSUPP, ENOSYS, EBADF, EACCES, ENOTSUPP (524). What
/// speaks of the disk itself is an error: no room, or a device that fails. So is a folder that is gone.
fn done_or_not_offered(synced: Result<()>) -> Result<bool> {
    match synced {
        Ok(()) => Ok(true),
        Err(error) if is_of_the_disk(&error) => Err(error),
        Err(_) => Ok(false),
    }
}

fn is_of_the_disk(error: &Error) -> bool {
    let kinds = [
        ErrorKind::NotFound,
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::StaleNetworkFileHandle,
    ];
    kinds.contains(&error.kind()) || error.raw_os_error() == Some(EIO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_that_does_not_sync_is_no_error_and_a_disk_that_fails_is() {
        for refused in [22, 95, 38, 9, 13, 1, 524, 30] {
            let refused = done_or_not_offered(Err(Error::from_raw_os_error(refused)));
            assert!(!refused.unwrap());
        }
        for (failed, what) in [
            (5, "EIO"),
            (28, "ENOSPC"),
            (122, "EDQUOT"),
            (116, "ESTALE"),
            (2, "ENOENT"),
        ] {
            assert!(
                done_or_not_offered(Err(Error::from_raw_os_error(failed))).is_err(),
                "{what}"
            );
        }
        assert!(folder(Path::new("")).is_ok());
    }
}
