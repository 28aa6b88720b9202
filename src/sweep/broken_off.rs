//! Cells that ran when an earlier process was killed, or fell over: what is said of them, and when they are run.

use std::path::Path;

use crate::event::CellIndex;
use crate::record::{has_checkpoint, read_attempts};

/// A cell that has begun and not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct BrokenOff {
    pub(super) cell: CellIndex,
    /// How often it was taken up, and a process killed.
    attempts: u32,
    /// Whether it has a checkpoint.
    continues: bool,
}

impl BrokenOff {
    /// The cell of this folder.
    pub(super) fn read(cell: CellIndex, folder: &Path) -> Self {
        Self {
            cell,
            attempts: read_attempts(folder),
            continues: has_checkpoint(folder),
        }
    }

    /// Whether it is run after the others: it may be the reason, and must not keep them from their turn. A single kill of one that
    /// can go on is no sign of that.
    pub(super) fn comes_last(self) -> bool {
        !self.continues || self.attempts > 1
    }

    /// Which attempt the next one is.
    pub(super) fn next_attempt(self) -> u32 {
        self.attempts.saturating_add(1)
    }

    /// What the person watching is told.
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
