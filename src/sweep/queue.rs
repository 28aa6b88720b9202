//! What is still to be run, and in which order; changed by hand while a cell trains.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::broken_off::BrokenOff;
use super::table::Rows;
use super::{cell_plan, queued_row};
use crate::config::Experiment;
use crate::event::{CellEnding, CellIndex, CellSize, Command, Event};
use crate::record::{Added, CellRow, QueueFile, RecordError, RowState, RunDir};
use crate::train::{Applied, Desk, Verdict};

/// The queue of a sweep, and the cells it is of.
pub(super) struct Queue {
    pub(super) experiment: Experiment,
    /// How large each cell is.
    pub(super) sizes: Vec<CellSize>,
    run_dir: Arc<RunDir>,
    table: Rows,
    /// Cells that wait, the next one first.
    order: Vec<CellIndex>,
    held: BTreeSet<CellIndex>,
    /// Cells that had ended and begin anew.
    again: BTreeSet<CellIndex>,
    /// Cells that were aborted before their turn; they are left out when it comes.
    left_out: BTreeSet<CellIndex>,
    added: Vec<Added>,
    running: BTreeSet<CellIndex>,
    /// Running cells that are to be set aside.
    skipped: BTreeSet<CellIndex>,
}

impl Queue {
    /// The queue of a run as an earlier process left it, where the cells `to_do` are to be run, and last those that were broken off and may be the reason.
    pub(super) fn new(
        (experiment, sizes): (Experiment, Vec<CellSize>),
        (run_dir, table): (Arc<RunDir>, Rows),
        kept: &QueueFile,
        to_do: impl Fn(CellIndex) -> bool,
        broken_off: &[BrokenOff],
    ) -> Self {
        let again: BTreeSet<CellIndex> = kept.again.iter().copied().collect();
        let waits = |cell: &CellIndex| to_do(*cell) || again.contains(cell);
        // What is unfinished and did not wait was begun before the others.
        let begun = (0..experiment.cells.len()).filter(|cell| !kept.order.contains(cell));
        let mut order: Vec<CellIndex> = begun.chain(kept.order.iter().copied()).filter(waits).collect();
        // A cell that brings the process down must not keep the others from their turn.
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

    /// Takes the next cell that is not held out, or that is only to be left out.
    pub(super) fn take_next(&mut self) -> Option<CellIndex> {
        let is_next = |cell: &CellIndex| !self.held.contains(cell) || self.left_out.contains(cell);
        let at = self.order.iter().position(is_next)?;
        let cell = self.order.remove(at);
        self.running.insert(cell);
        Some(cell)
    }

    /// A cell that ran has ended, or was set aside.
    pub(super) fn ended(&mut self, cell: CellIndex) {
        self.running.remove(&cell);
        self.skipped.remove(&cell);
    }

    /// Whether this cell, which had ended, begins anew; from here on it is one like any other.
    pub(super) fn begins_anew(&mut self, cell: CellIndex) -> bool {
        self.again.remove(&cell)
    }

    /// Whether cells that had ended are to be run again, and were not begun.
    pub(super) fn has_again(&self) -> bool {
        !self.again.is_empty()
    }

    /// How many cells wait.
    pub(super) fn waiting(&self) -> usize {
        self.order.len()
    }

    /// Cells that are held out, in words.
    pub(super) fn held_words(&self) -> Option<String> {
        let numbers: Vec<String> = self.held.iter().map(ToString::to_string).collect();
        (!numbers.is_empty()).then(|| {
            format!(
                "held out and not run: cells {}; `sharptui resume` runs them",
                numbers.join(", ")
            )
        })
    }

    /// How the queue stands.
    pub(super) fn event(&self) -> Event {
        Event::Queue {
            order: self.order.clone(),
            held: self.held.iter().copied().collect(),
        }
    }

    /// Writes down what a later process needs; cells that are held out come last there.
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

    /// Says in the table how a cell waits, if it does.
    fn show(&self, cell: CellIndex) {
        if self.place(cell).is_some() {
            let is_held = self.held.contains(&cell);
            let state = if is_held { RowState::Held } else { RowState::Queued };
            self.table.put_state(cell, state);
        }
    }

    /// Changes the queue and returns the events to publish; none where the command changes nothing.
    fn change(&mut self, command: Command) -> Result<Option<Vec<Event>>, Refused> {
        let refused = |cell: CellIndex, why: String| Refused { cell, why };
        let place = |queue: &Self, cell: CellIndex, what: &str| {
            let at = queue.place(cell);
            at.ok_or_else(|| refused(cell, format!("it does not wait, so it cannot be {what}")))
        };
        let mut events = Vec::new();
        match command {
            Command::Skip(cell) if self.running.contains(&cell) => {
                if self.order.iter().all(|waits| self.held.contains(waits)) {
                    return Err(refused(cell, "no other cell waits, so it is not skipped".to_owned()));
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
                // One that waits already begins where it is, unless it had ended before.
                if self.place(cell).is_none() {
                    self.order.push(cell);
                    self.again.insert(cell);
                    self.table.put(queued_row(cell, &self.experiment.cells[cell]));
                } else {
                    self.show(cell);
                }
                events.push(Event::CellRetried { cell });
            }
            Command::Retry(cell) => return Err(refused(cell, "it runs, so it cannot be run again now".to_owned())),
            Command::Move { cell, by } => {
                let at = place(self, cell, "moved")?;
                let last = i64::try_from(self.order.len()).unwrap_or(i64::MAX) - 1;
                let to = i64::try_from(at).unwrap_or(0).saturating_add(by).clamp(0, last);
                let cell = self.order.remove(at);
                self.order.insert(usize::try_from(to).unwrap_or(0), cell);
            }
            Command::Hold(cell) => {
                place(self, cell, "held out")?;
                self.held.insert(cell);
                self.show(cell);
            }
            Command::Release(cell) => {
                self.held.remove(&cell);
                self.show(cell);
            }
            Command::AddSeed(like) => {
                let none = || {
                    refused(
                        like,
                        "there is no such cell, or no seed is left: none is added".to_owned(),
                    )
                };
                let seed = self.experiment.next_seed(like).ok_or_else(none)?;
                let cell = self.experiment.with_seed(like, seed).ok_or_else(none)?;
                let index = self.experiment.cells.len();
                let row = queued_row(index, &cell);
                // A seed changes no network.
                let size = self.sizes[like];
                let plan = cell_plan(&cell.settings, &row, Some(size));
                self.sizes.push(size);
                self.table.put(row);
                self.experiment.cells.push(cell);
                self.added.push(Added { like, seed });
                self.order.push(index);
                events.push(Event::CellAdded(Box::new(plan)));
            }
            // It is left out when its turn comes; the table and the file say so now.
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

    /// Rows for cells that have none yet.
    pub(super) fn fill(&self, rows: &mut Vec<CellRow>) {
        let known = rows.len();
        let new = self.experiment.cells.iter().enumerate().skip(known);
        rows.extend(new.map(|(index, cell)| queued_row(index, cell)));
    }
}

/// Why nothing is done about a cell.
struct Refused {
    cell: CellIndex,
    why: String,
}

fn notice(cell: Option<CellIndex>, words: String) -> Event {
    Event::Notice { cell, words }
}

/// A command about the queue in words, for the log, and the cell that it is about.
fn words(command: Command) -> (Option<CellIndex>, &'static str) {
    match command {
        Command::Abort(cell) => (Some(cell), "abort"),
        Command::Skip(cell) => (Some(cell), "skip: it goes on at the end of the queue"),
        Command::Retry(cell) => (Some(cell), "run again"),
        Command::Move { cell, by } if by < 0 => (Some(cell), "run earlier"),
        Command::Move { cell, .. } => (Some(cell), "run later"),
        Command::Hold(cell) => (Some(cell), "hold out"),
        Command::Release(cell) => (Some(cell), "let in again"),
        Command::AddSeed(cell) => (Some(cell), "add a cell like it with a new seed"),
        Command::Pause(_)
        | Command::Resume(_)
        | Command::Audit(_)
        | Command::Keep(_)
        | Command::Measure(_)
        | Command::SetLearningRate { .. }
        | Command::Quit => (None, "what is not about the queue"),
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
        // It holds in this process all the same.
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

/// Whether a cell in this state is still to be run.
pub(super) fn to_do(state: &RowState) -> bool {
    match state {
        RowState::Ended(ending) => ending.is_run_again(),
        RowState::Queued | RowState::Held | RowState::Running => true,
    }
}
