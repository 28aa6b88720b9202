//! The number of times a cell was started since it last ended, or for the first time. It exceeds 1 if processes were
//! killed while the cell ran.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::folder::Folder;
use super::read::read_json;
use super::{RecordError, names, replace};

/// Size limit of the file; one number with its key is shorter.
const MOST_BYTES: u64 = 1 << 10;

#[derive(Serialize, Deserialize)]
struct Attempts {
    attempts: u32,
}

/// Returns how often the unfinished cell in this folder was started. The first start is not recorded.
#[must_use]
pub fn read_attempts(cell_dir: &Path) -> u32 {
    // The count only affects the order of cells, so a damaged file is treated as missing.
    let read: Option<Attempts> = read_json(&cell_dir.join(names::ATTEMPTS), MOST_BYTES).ok();
    read.map_or(1, |read| read.attempts.max(1))
}

pub(super) fn write(cell: &Folder, attempts: u32) -> Result<(), RecordError> {
    replace::replace_json_in(cell, names::ATTEMPTS, &Attempts { attempts })
}

pub(super) fn forget(cell: &Folder) -> Result<(), RecordError> {
    replace::remove_in(cell, names::ATTEMPTS)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn attempts_are_read_back_and_where_nobody_counted_there_was_one() {
        let folder = tempfile::tempdir().unwrap();
        let cell = Folder::at(folder.path().to_owned());
        assert_eq!(read_attempts(folder.path()), 1);
        write(&cell, 3).unwrap();
        assert_eq!(read_attempts(folder.path()), 3);
        fs::write(folder.path().join(names::ATTEMPTS), "{\"attempts\": -1").unwrap();
        assert_eq!(read_attempts(folder.path()), 1);
        forget(&cell).unwrap();
        forget(&cell).unwrap();
        assert_eq!(read_attempts(folder.path()), 1);
    }
}
