//! The cells of other processes, read from their files for `summary.csv`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::event::{CellEnding, CellIndex, Summary};
use crate::record::{CellRow, RowState, RunDir, begun_cells, claim_names, read_points, read_summary};

/// Reads the cells of other processes. Lines of metrics are read once, and cells that have ended for good are not read
/// again.
#[derive(Debug, Default)]
pub(super) struct Survey {
    over: BTreeSet<CellIndex>,
    /// The number of bytes of the metrics that were read, and the last values.
    read: BTreeMap<CellIndex, (u64, Summary)>,
}

impl Survey {
    /// Brings the rows of these cells up to date.
    pub(super) fn look(&mut self, run_dir: &RunDir, rows: &mut [CellRow], foreign: &BTreeSet<CellIndex>) {
        if foreign.is_empty() {
            return;
        }
        // What cannot be read keeps its state.
        let Ok(begun) = begun_cells(run_dir.path()) else { return };
        let Ok(claims) = claim_names(run_dir.path()) else {
            return;
        };
        let claimed: BTreeSet<CellIndex> = claims.into_iter().map(|(cell, _)| cell).collect();
        for row in rows.iter_mut().filter(|row| foreign.contains(&row.cell)) {
            if self.over.contains(&row.cell) {
                continue;
            }
            if begun.contains(&row.cell) {
                self.look_at(&run_dir.cell_path(row.cell), claimed.contains(&row.cell), row);
            } else if matches!(row.state, RowState::Running | RowState::Ended(CellEnding::Interrupted)) {
                row.state = RowState::Queued;
            }
        }
    }

    fn look_at(&mut self, folder: &Path, is_claimed: bool, row: &mut CellRow) {
        match read_summary(folder) {
            Ok(ended) => {
                if !ended.ending.is_run_again() {
                    self.over.insert(row.cell);
                    self.read.remove(&row.cell);
                }
                row.state = RowState::Ended(ended.ending);
                row.summary = ended.summary;
            }
            Err(error) if error.is_missing() => {
                row.state = if is_claimed {
                    RowState::Running
                } else {
                    RowState::Ended(CellEnding::Interrupted)
                };
                row.summary = self.progress(folder, row.cell);
            }
            Err(_) => {}
        }
    }

    fn progress(&mut self, folder: &Path, cell: CellIndex) -> Summary {
        let (read, summary) = self.read.entry(cell).or_default();
        while let Ok(found) = read_points(folder, *read) {
            if found.begins_anew {
                *summary = Summary::default();
            }
            found.points.iter().for_each(|point| summary.take_in(point));
            *read = found.read;
            if !found.more {
                break;
            }
        }
        summary.clone()
    }
}
