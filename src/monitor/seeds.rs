//! Cells that differ only in their seed.

use super::{Cell, CellState, Monitor};
use crate::event::{CellEnding, CellIndex};

impl Monitor {
    /// Returns the cells of a cell's combination in their order, with the cell itself: those that have the same value of
    /// every swept setting except the seed.
    #[must_use]
    pub fn seeds_of(&self, cell: CellIndex) -> Vec<CellIndex> {
        let beside_seed = || self.swept.iter().filter(|swept| swept.name != "seed");
        let is_of_combination =
            |other: &CellIndex| beside_seed().all(|swept| swept.of_cells.get(*other) == swept.of_cells.get(cell));
        (0..self.cells.len()).filter(is_of_combination).collect()
    }
}

impl Cell {
    /// Returns whether the cell has finished and all its points were received: its curves will not grow.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let has_finished = matches!(self.state, CellState::Ended(CellEnding::Finished(_)));
        let received = self.curves.seconds.last_step();
        has_finished && received.is_some_and(|step| step >= self.progress.step)
    }
}
