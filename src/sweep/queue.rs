//! The queue: the cells that are still to run, in order. The person watching can change it while a cell trains.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::broken_off::BrokenOff;
use super::table::Rows;
use super::{cell_plan, queued_row};
use crate::config::Experiment;
use crate::event::{CellEnding, CellIndex, CellSize, Command, Event};
use crate::record::{Added, CellRow, QueueFile, RecordError, RowState, RunDir};
use crate::train::{Applied, Desk, Verdict};

/// The queue of a sweep, and all cells of the sweep.
pub(super) struct Queue {
    pub(super) experiment: Experiment,
    /// The size of each cell.
    pub(super) sizes: Vec<CellSize>,
    run_dir: Arc<RunDir>,
    table: Rows,
    /// The cells that wait, in order.
    order: Vec<CellIndex>,
    held: BTreeSet<CellIndex>,
    /// Cells that had ended and will run again from the start.
    again: BTreeSet<CellIndex>,
    /// Cells that were aborted before their turn; they are left out when their turn comes.
    left_out: BTreeSet<CellIndex>,
    added: Vec<Added>,
    running: BTreeSet<CellIndex>,
    /// Running cells that must be set aside.
    skipped: BTreeSet<CellIndex>,
}

impl Queue {
    /// Returns the queue as an earlier process left it, with the cells that are `to_do`. Cells that may have caused a
    /// crash come last.
    pub(super) fn new(
        (experiment, sizes): (Experiment, Vec<CellSize>),
        (run_dir, table): (Arc<RunDir>, Rows),
        kept: &QueueFile,
        to_do: impl Fn(CellIndex) -> bool,
        broken_off: &[BrokenOff],
    ) -> Self {
        let again: BTreeSet<CellIndex> = kept.again.iter().copied().collect();
        let waits = |cell: &CellIndex| to_do(*cell) || again.contains(cell);
        // Unfinished cells that are not in the kept order had begun before the others.
        let begun = (0..experiment.cells.len()).filter(|cell| !kept.order.contains(cell));
        let mut order: Vec<CellIndex> = begun.chain(kept.order.iter().copied()).filter(waits).collect();
        // A cell that crashes the process must not prevent the others from running.
        let comes_last = |cell: CellIndex| {
            let mut last = broken_off.iter().filter(|broken_off| broken_off.comes_last());
            last.any(|broken_off| broken_off.cell == cell)
        };
        order.sort_by_cached_key(|cell| comes_last(*cell));
        Self {
            experiment,
            sizes,
            run_dir,
            table,
            order,
            held: BTreeSet::new(),
            again,
            left_out: kept.left_out.iter().copied().collect(),
            added: kept.added.clone(),
            running: BTreeSet::new(),
            skipped: BTreeSet::new(),
        }
    }

    /// Takes the next cell that is not held, or that will only be left out.
    pub(super) fn take_next(&mut self) -> Option<CellIndex> {
        let is_next = |cell: &CellIndex| !self.held.contains(cell) || self.left_out.contains(cell);
        let at = self.order.iter().position(is_next)?;
        let cell = self.order.remove(at);
        self.running.insert(cell);
        Some(cell)
    }

    /// Notes that a running cell has ended or was set aside.
    pub(super) fn ended(&mut self, cell: CellIndex) {
        self.running.remove(&cell);
        self.skipped.remove(&cell);
    }

    /// Returns whether this cell had ended and begins again from the start. From then on it is treated like any other
    /// cell.
    pub(super) fn begins_anew(&mut self, cell: CellIndex) -> bool {
        self.again.remove(&cell)
    }

    /// Returns whether cells wait that had ended and will run again.
    pub(super) fn has_again(&self) -> bool {
        !self.again.is_empty()
    }

    /// Returns the number of cells that wait.
    pub(super) fn waiting(&self) -> usize {
        self.order.len()
    }

    /// Returns a notice about the held cells, if there are any.
    pub(super) fn held_words(&self) -> Option<String> {
        let numbers: Vec<String> = self.held.iter().map(ToString::to_string).collect();
        (!numbers.is_empty()).then(|| {
            format!(
                "held and not run: cells {}; `sharptui resume` runs them",
                numbers.join(", ")
            )
        })
    }

    /// Returns the state of the queue as an event.
    pub(super) fn event(&self) -> Event {
        Event::Queue {
            order: self.order.clone(),
            held: self.held.iter().copied().collect(),
        }
    }

    /// Writes the queue for a later process. Held cells come last in the file.
    pub(super) fn keep(&self) -> Result<(), RecordError> {
        let is_held = |cell: &&CellIndex| self.held.contains(cell);
        let free = self.order.iter().filter(|cell| !is_held(cell));
        self.run_dir.write_queue(&QueueFile {
            order: free.chain(self.order.iter().filter(is_held)).copied().collect(),
            again: self.again.iter().copied().collect(),
            added: self.added.clone(),
            left_out: self.left_out.iter().copied().collect(),
        })
    }

    fn place(&self, cell: CellIndex) -> Option<usize> {
        self.order.iter().position(|waits| *waits == cell)
    }

    /// Updates the table's state of a cell, if the cell waits.
    fn show(&self, cell: CellIndex) {
        if self.place(cell).is_some() {
            let is_held = self.held.contains(&cell);
            let state = if is_held { RowState::Held } else { RowState::Queued };
            self.table.put_state(cell, state);
        }
    }

    /// Changes the queue and returns the events to publish; `None` if the command changes nothing.
    fn change(&mut self, command: Command) -> Result<Option<Vec<Event>>, Refused> {
        let refused = |cell: CellIndex, why: String| Refused { cell, why };
        let place = |queue: &Self, cell: CellIndex, what: &str| {
            let at = queue.place(cell);
            at.ok_or_else(|| refused(cell, format!("it is not queued, so it cannot be {what}")))
        };
        let mut events = Vec::new();
        match command {
            Command::Skip(cell) if self.running.contains(&cell) => {
                if self.order.iter().all(|waits| self.held.contains(waits)) {
                    return Err(refused(
                        cell,
                        "no other cell is queued, so it is not skipped".to_owned(),
                    ));
                }
                self.skipped.insert(cell);
                self.order.push(cell);
            }
            Command::Skip(cell) => {
                let at = place(self, cell, "skipped")?;
                let cell = self.order.remove(at);
                self.order.push(cell);
            }
            Command::Retry(cell) if !self.running.contains(&cell) && cell < self.experiment.cells.len() => {
                self.left_out.remove(&cell);
                // A cell that waits already keeps its place and its checkpoint.
                if self.place(cell).is_none() {
                    self.order.push(cell);
                    self.again.insert(cell);
                    self.table.put(queued_row(cell, &self.experiment.cells[cell]));
                } else {
                    self.show(cell);
                }
                events.push(Event::CellRetried { cell });
            }
            Command::Retry(cell) => return Err(refused(cell, "it is running: it cannot be run again now".to_owned())),
            Command::Move { cell, by } => {
                let at = place(self, cell, "moved")?;
                let last = i64::try_from(self.order.len()).unwrap_or(i64::MAX) - 1;
                let to = i64::try_from(at).unwrap_or(0).saturating_add(by).clamp(0, last);
                let cell = self.order.remove(at);
                self.order.insert(usize::try_from(to).unwrap_or(0), cell);
            }
            Command::Hold(cell) => {
                place(self, cell, "held")?;
                self.held.insert(cell);
                self.show(cell);
            }
            Command::Release(cell) => {
                self.held.remove(&cell);
                self.show(cell);
            }
            Command::AddSeed(like) => {
                let none = || refused(like, "no cell was added: no such cell, or no seed is left".to_owned());
                let seed = self.experiment.next_seed(like).ok_or_else(none)?;
                let cell = self.experiment.with_seed(like, seed).ok_or_else(none)?;
                let index = self.experiment.cells.len();
                let row = queued_row(index, &cell);
                // The size does not depend on the seed.
                let size = self.sizes[like];
                let plan = cell_plan(&cell.settings, &row, Some(size));
                self.sizes.push(size);
                self.table.put(row);
                self.experiment.cells.push(cell);
                self.added.push(Added { like, seed });
                self.order.push(index);
                events.push(Event::CellAdded(Box::new(plan)));
            }
            // The cell is left out when its turn comes; the table and the file are updated now.
            Command::Abort(cell) if self.place(cell).is_some() => {
                self.left_out.insert(cell);
                self.table.put_state(cell, RowState::Ended(CellEnding::Aborted));
                return Ok(Some(events));
            }
            _ => return Ok(None),
        }
        events.push(self.event());
        Ok(Some(events))
    }

    /// Adds rows for cells that have none yet.
    pub(super) fn fill(&self, rows: &mut Vec<CellRow>) {
        let known = rows.len();
        let new = self.experiment.cells.iter().enumerate().skip(known);
        rows.extend(new.map(|(index, cell)| queued_row(index, cell)));
    }
}

/// A refused command, with the reason.
struct Refused {
    cell: CellIndex,
    why: String,
}

fn notice(cell: Option<CellIndex>, words: String) -> Event {
    Event::Notice { cell, words }
}

/// Returns the cell that a queue command is about, and the command in words for the log.
fn words(command: Command) -> (Option<CellIndex>, &'static str) {
    match command {
        Command::Abort(cell) => (Some(cell), "abort"),
        Command::Skip(cell) => (Some(cell), "skip: moved to the end of the queue"),
        Command::Retry(cell) => (Some(cell), "run again"),
        Command::Move { cell, by } if by < 0 => (Some(cell), "run earlier"),
        Command::Move { cell, .. } => (Some(cell), "run later"),
        Command::Hold(cell) => (Some(cell), "hold the cell"),
        Command::Release(cell) => (Some(cell), "release the cell"),
        Command::AddSeed(cell) => (Some(cell), "add a cell like it with a new seed"),
        Command::Pause(_)
        | Command::Resume(_)
        | Command::Audit(_)
        | Command::Keep(_)
        | Command::Measure(_)
        | Command::SetLearningRate { .. }
        | Command::Quit => (None, "not about the queue"),
    }
}

impl Desk for Queue {
    fn apply(&mut self, command: Command) -> Applied {
        let (cell, words) = words(command);
        let mut applied = Applied::done(cell, words);
        match self.change(command) {
            Ok(Some(events)) => applied.events = events,
            Ok(None) => return applied,
            Err(Refused { cell, why }) => {
                applied.events.push(notice(Some(cell), why));
                return applied;
            }
        }
        // In this process the change is still valid.
        if let Err(error) = self.keep() {
            let words = format!("{error}; the changed queue is lost if this process ends now");
            applied.events.push(notice(None, words));
        }
        applied
    }

    fn verdict(&self, cell: CellIndex) -> Verdict {
        if self.left_out.contains(&cell) {
            Verdict::Abort
        } else if self.skipped.contains(&cell) {
            Verdict::Skip
        } else {
            Verdict::Go
        }
    }
}

/// Returns whether a cell in this state is still to run.
pub(super) fn to_do(state: &RowState) -> bool {
    match state {
        RowState::Ended(ending) => ending.is_run_again(),
        RowState::Queued | RowState::Held | RowState::Running => true,
    }
}
