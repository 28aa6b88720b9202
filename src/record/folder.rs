//! An open folder whose current path is found after it was moved.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// None if the folder cannot be opened; then its original path is used.
    open: Option<File>,
}

impl Folder {
    pub(super) fn at(path: PathBuf) -> Self {
        let open = File::open(&path).ok();
        Self { path, open }
    }

    /// Returns the folder itself, wherever it is now; none if it could not be opened. What is written through this file
    /// can never reach another folder that has taken its place.
    pub(super) fn open(&self) -> Option<&File> {
        self.open.as_ref()
    }

    /// Returns the path at which it was opened.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns its current path, or the original path if the system does not tell.
    pub(super) fn place(&self) -> PathBuf {
        let here = || self.path.clone();
        let Some(open) = &self.open else { return here() };
        let (Ok(known), found) = (open.metadata(), fs::metadata(&self.path)) else {
            return here();
        };
        if found.is_ok_and(|found| (found.dev(), found.ino()) == (known.dev(), known.ino())) {
            return here();
        }
        // Only Linux gives the path of an open folder. For a deleted folder, the result is not a folder.
        fs::read_link(format!("/proc/self/fd/{}", open.as_raw_fd()))
            .ok()
            .filter(|place| place.is_dir())
            .unwrap_or_else(here)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_where_it_was_moved_to_and_one_that_is_gone_where_it_was() {
        let parent = tempfile::tempdir().unwrap();
        let (first, second) = (parent.path().join("first"), parent.path().join("second"));
        fs::create_dir(&first).unwrap();
        let folder = Folder::at(first.clone());
        assert_eq!(folder.place(), first);
        fs::rename(&first, &second).unwrap();
        assert_eq!(folder.place(), second.canonicalize().unwrap());
        fs::create_dir(&first).unwrap();
        assert_eq!(
            folder.place(),
            second.canonicalize().unwrap(),
            "a different folder with the same name is not used"
        );
        fs::remove_dir(&second).unwrap();
        assert_eq!(folder.place(), first);
    }
}
