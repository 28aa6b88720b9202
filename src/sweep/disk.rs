//! What a run directory tells of a run that this process does not train.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::SweepError;
use super::queue::to_do;
use super::{plan, queued, with_added};
use crate::config::Experiment;
use crate::event::{CellEnding, CellIndex, CellSize, Event, Summary};
use crate::record::{
    CellFound, QueueFile, RowState, RunInfo, RunState, find_config, host_name, read_cells, read_progress, read_run,
};

/// A run that no process trains, as its directory tells it: the plan, cells that were broken off, how it ended.
///
/// # Errors
///
/// A run directory that cannot be read.
pub fn told_by_disk(run_dir: &Path) -> Result<Vec<Event>, SweepError> {
    let (experiment, kept) = with_added(Experiment::load(&find_config(run_dir)?)?, run_dir)?;
    // A process that was killed early enough left none.
    let info = read_run(run_dir)
        .map(Some)
        .or_else(|error| error.is_missing().then_some(None).ok_or(error))?;
    let mut rows = queued(&experiment);
    for found in read_cells(run_dir)? {
        if let Some(row) = rows.get_mut(found.cell) {
            row.summary = left_at(&found);
            row.state = RowState::Ended(found.ended.map_or(CellEnding::Interrupted, |ended| ended.ending));
        }
    }
    for cell in &kept.left_out {
        if let Some(row) = rows.get_mut(*cell).filter(|row| to_do(&row.state)) {
            row.state = RowState::Ended(CellEnding::Aborted);
        }
    }
    let (listed, again) = (set(&kept.order), set(&kept.again));
    let waits = |cell: &CellIndex| rows.get(*cell).is_some_and(|row| to_do(&row.state)) || again.contains(cell);
    let others = (0..rows.len()).filter(|cell| waits(cell) && !listed.contains(cell));
    let order = others.chain(kept.order.iter().copied().filter(waits)).collect();
    let sizes = info
        .as_ref()
        .map_or_else(Vec::new, |info| sizes(info, &kept, rows.len()));
    let mut plan = plan(
        &experiment,
        &rows,
        |cell| sizes.get(cell).copied().flatten(),
        (run_dir, info.as_ref().map_or("-", |info| &info.device)),
    );
    // What the sweep took is not on disk; what its cells took is.
    plan.earlier_seconds = rows.iter().map(|row| row.summary.seconds).sum();
    let mut events = vec![Event::SweepStarted(plan)];
    events.extend(kept.again.iter().map(|&cell| Event::CellRetried { cell }));
    let held = Vec::new();
    events.push(Event::Queue { order, held });
    // Where none is told, whoever reads this finds that nothing more comes.
    events.extend(info.and_then(|info| info.state.ending()).map(Event::SweepEnded));
    Ok(events)
}

/// How large each of so many cells is, as it was written down when the run was begun or taken up. A cell that was added since is as
/// large as the one it is like.
fn sizes(info: &RunInfo, kept: &QueueFile, cells: usize) -> Vec<Option<CellSize>> {
    let planned = cells - kept.added.len();
    let mut sizes: Vec<Option<CellSize>> = Vec::with_capacity(cells);
    for cell in 0..cells {
        let added = cell.checked_sub(planned).and_then(|at| kept.added.get(at));
        let of_like = || sizes.get(added?.like).copied().flatten();
        sizes.push(info.size(cell).or_else(of_like));
    }
    sizes
}

fn set(cells: &[CellIndex]) -> BTreeSet<CellIndex> {
    cells.iter().copied().collect()
}

/// Locks need not reach from machine to machine: whoever takes up a run that another one may still train has to know.
pub(super) fn trained_elsewhere(earlier: &RunInfo) -> Option<String> {
    let host = &earlier.host;
    (earlier.state == RunState::Running && *host != host_name()).then(|| {
        format!(
            "run.json says that {host} trained this run, and not that it ended: make sure that no process trains it there"
        )
    })
}

/// The last values of a cell that has begun: as it ended, or as far as it had come when its process was ended.
pub(super) fn left_at(found: &CellFound) -> Summary {
    let ended = found.ended.as_ref();
    ended.map_or_else(|| read_progress(&found.path), |ended| ended.summary.clone())
}
