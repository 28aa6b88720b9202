//! The requests to pause cells.

use std::collections::BTreeSet;

use crate::event::{CellIndex, Cells};

/// The last request for all cells, and the cells for which the opposite was requested since then.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    all: bool,
    otherwise: BTreeSet<CellIndex>,
}

impl Pauses {
    /// Pauses cells, or lets them continue.
    pub(super) fn set(&mut self, cells: Cells, paused: bool) {
        match cells {
            Cells::All => {
                self.all = paused;
                self.otherwise.clear();
            }
            Cells::One(cell) if paused == self.all => {
                self.otherwise.remove(&cell);
            }
            Cells::One(cell) => {
                self.otherwise.insert(cell);
            }
        }
    }

    /// Returns whether a cell must pause.
    pub(super) fn has(&self, cell: CellIndex) -> bool {
        self.all != self.otherwise.contains(&cell)
    }

    /// Drops the request for this cell alone, because the cell has ended.
    pub(super) fn forget(&mut self, cell: CellIndex) {
        self.otherwise.remove(&cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_request_about_a_cell_or_all_of_them_holds() {
        let mut pauses = Pauses::default();
        let has = |pauses: &Pauses| [0, 1, 2].map(|cell| pauses.has(cell));
        pauses.set(Cells::One(1), true);
        assert_eq!(has(&pauses), [false, true, false]);
        pauses.set(Cells::All, true);
        assert_eq!(has(&pauses), [true, true, true]);
        pauses.set(Cells::One(2), false);
        pauses.set(Cells::One(2), false);
        assert_eq!(has(&pauses), [true, true, false]);
        pauses.forget(2);
        assert_eq!(has(&pauses), [true, true, true]);
        pauses.set(Cells::All, false);
        assert_eq!(has(&pauses), [false, false, false]);
    }
}
