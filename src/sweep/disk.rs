//! Reads a run that this process does not train from its run directory.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::SweepError;
use super::queue::to_do;
use super::{plan, queued, with_added};
use crate::config::Experiment;
use crate::event::{CellEnding, CellIndex, CellSize, Event, Summary, SweepEnding};
use crate::record::{
    CellFound, CellRow, QueueFile, RowState, RunInfo, RunState, find_config, host_name, read_cells, read_progress,
    read_run,
};

/// Returns the events of a run that no process trains, read from its directory: the plan, interrupted cells, how it
/// ended.
///
/// # Errors
///
/// Returns an error if the run directory cannot be read.
pub fn told_by_disk(run_dir: &Path) -> Result<Vec<Event>, SweepError> {
    let (experiment, kept) = with_added(Experiment::load(&find_config(run_dir)?)?, run_dir)?;
    // A process that was killed early has not written `run.json`.
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
    // The sweep's own time is not on disk, so the times of its cells are added up.
    plan.earlier_seconds = rows.iter().map(|row| row.summary.seconds).sum();
    let mut events = vec![Event::SweepStarted(plan)];
    events.extend(kept.again.iter().map(|&cell| Event::CellRetried { cell }));
    let held = Vec::new();
    events.push(Event::Queue { order, held });
    // Without an ending, the reader sees that no more events come.
    let ending = info.and_then(|info| info.state.ending());
    // The last task may not have seen on a network file system that the other cells had ended.
    let has_ended = |row: &CellRow| matches!(&row.state, RowState::Ended(ending) if *ending != CellEnding::Interrupted);
    let is_complete = kept.again.is_empty() && rows.iter().all(has_ended);
    let ending = match ending {
        Some(SweepEnding::Stopped) if is_complete => Some(SweepEnding::Complete),
        ending => ending,
    };
    events.extend(ending.map(Event::SweepEnded));
    Ok(events)
}

/// Returns the size of each of the cells, as written when the run began or was resumed. A cell that was added since has
/// the size of the cell that it copies.
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

/// Returns a notice if another machine may still be training this run: locks may not work across machines.
pub(super) fn trained_elsewhere(earlier: &RunInfo) -> Option<String> {
    let host = &earlier.host;
    (earlier.state == RunState::Running && *host != host_name()).then(|| {
        format!(
            "run.json says that {host} trains this run, and not that it ended: make sure that no process trains it there"
        )
    })
}

/// Returns the last values of a cell that has begun: those at its end, or the last ones before its process ended.
pub(super) fn left_at(found: &CellFound) -> Summary {
    let ended = found.ended.as_ref();
    ended.map_or_else(|| read_progress(&found.path), |ended| ended.summary.clone())
}
