//! Cells that were running when an earlier process was killed or crashed.

use std::path::Path;

use crate::event::CellIndex;
use crate::record::{has_checkpoint, read_attempts};

/// A cell that began and did not end.
#[derive(Clone, Copy, Debug)]
pub(super) struct BrokenOff {
    pub(super) cell: CellIndex,
    /// The number of processes that ended while running it.
    attempts: u32,
    /// Whether it has a checkpoint.
    continues: bool,
}

impl BrokenOff {
    /// Reads the cell of this folder.
    pub(super) fn read(cell: CellIndex, folder: &Path) -> Self {
        Self {
            cell,
            attempts: read_attempts(folder),
            continues: has_checkpoint(folder),
        }
    }

    /// Returns whether the cell runs after all others. The cell may be the cause of the crash, and then must not
    /// prevent the others from running. A single kill of a cell that has a checkpoint does not suggest this.
    pub(super) fn comes_last(self) -> bool {
        !self.continues || self.attempts > 1
    }

    /// Returns whether the cell has a checkpoint to go on from.
    pub(super) fn continues(self) -> bool {
        self.continues
    }

    /// Returns the number of the next attempt.
    pub(super) fn next_attempt(self) -> u32 {
        self.attempts.saturating_add(1)
    }

    /// Returns the notice for the person watching.
    pub(super) fn words(self) -> String {
        let killed = match self.attempts {
            1 => "an earlier process ended without a last checkpoint".to_owned(),
            times => format!("{times} earlier processes ended without a last checkpoint"),
        };
        let how = if self.continues {
            "goes on from its checkpoint"
        } else {
            "begins again"
        };
        let when = if self.comes_last() { " after the others" } else { "" };
        format!("it was running when {killed}, perhaps killed because memory ran out; it {how}{when}")
    }
}
