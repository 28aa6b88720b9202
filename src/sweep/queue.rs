//! The queue: the cells that are still to run, in order. The person watching can change it while a cell trains.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::broken_off::BrokenOff;
use super::table::Rows;
use super::{cell_plan, queued_row};
use crate::config::Experiment;
use crate::event::{CellEnding, CellIndex, CellSize, Command, Event};
use crate::record::{Added, CellRow, QueueFile, RecordError, RowState, RunDir};

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
        }
    }

    /// Returns the next cell that is not held, or that will only be left out. A cell that is being set aside is next
    /// only once it has ended.
    pub(super) fn next(&self) -> Option<CellIndex> {
        let is_next = |cell: &&CellIndex| {
            (!self.held.contains(cell) || self.left_out.contains(cell)) && !self.running.contains(cell)
        };
        self.order.iter().find(is_next).copied()
    }

    /// Returns whether a queued cell was aborted before its turn.
    pub(super) fn is_left_out(&self, cell: CellIndex) -> bool {
        self.left_out.contains(&cell)
    }

    /// Returns a queued cell that was aborted before its turn and will only be left out.
    pub(super) fn next_left_out(&self) -> Option<CellIndex> {
        let is_next = |cell: &&CellIndex| self.left_out.contains(cell) && !self.running.contains(cell);
        self.order.iter().find(is_next).copied()
    }

    /// Notes that a queued cell is running from now on.
    pub(super) fn begin(&mut self, cell: CellIndex) {
        self.order.retain(|waits| *waits != cell);
        self.running.insert(cell);
    }

    /// Notes that a running cell has ended or was interrupted. A cell may end by itself, or be aborted, after a skip
    /// has given it a place in the queue; it loses that place. Returns whether the queue changed.
    pub(super) fn ended(&mut self, cell: CellIndex, ending: &CellEnding) -> bool {
        self.running.remove(&cell);
        let waiting = self.order.len();
        if *ending != CellEnding::Interrupted {
            self.order.retain(|waits| *waits != cell);
        }
        self.order.len() < waiting
    }

    /// Notes that another process has a cell, or has ended it: it is neither running nor waiting here.
    pub(super) fn leave(&mut self, cell: CellIndex) {
        self.running.remove(&cell);
        self.order.retain(|waits| *waits != cell);
    }

    /// Returns whether a cell is running.
    pub(super) fn is_running(&self, cell: CellIndex) -> bool {
        self.running.contains(&cell)
    }

    /// Puts a running cell at the front of the queue: it goes on as soon as it has ended here.
    pub(super) fn put_first(&mut self, cell: CellIndex) {
        if self.place(cell).is_none() {
            self.order.insert(0, cell);
        }
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

    /// Returns the number of cells that run, or will run unless they are held.
    pub(super) fn unended(&self) -> usize {
        let waits = |cell: &&CellIndex| {
            !self.held.contains(cell) && !self.left_out.contains(cell) && !self.running.contains(cell)
        };
        self.running.len() + self.order.iter().filter(waits).count()
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
                let mut others = self.order.iter().filter(|waits| **waits != cell);
                if others.all(|waits| self.held.contains(waits)) {
                    return Err(refused(
                        cell,
                        "no other cell is queued, so it is not skipped".to_owned(),
                    ));
                }
                if self.place(cell).is_none() {
                    self.order.push(cell);
                }
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
                self.added.push(Added {
                    like,
                    seed,
                    values: String::new(),
                });
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

/// The result of a command about the queue, to be published and logged.
#[derive(Debug)]
pub(super) struct Applied {
    /// Whether the queue accepted the command.
    pub(super) is_done: bool,
    /// The events to publish.
    pub(super) events: Vec<Event>,
}

impl Queue {
    /// Applies a command about the queue, and keeps the queue for a later process.
    pub(super) fn apply(&mut self, command: Command) -> Applied {
        let mut events = match self.change(command) {
            Ok(Some(events)) => events,
            Ok(None) => {
                return Applied {
                    is_done: true,
                    events: Vec::new(),
                };
            }
            Err(Refused { cell, why }) => {
                return Applied {
                    is_done: false,
                    events: vec![notice(Some(cell), why)],
                };
            }
        };
        // In this process the change is still valid.
        if let Err(error) = self.keep() {
            let words = format!("{error}; the changed queue is lost if this process ends now");
            events.push(notice(None, words));
        }
        Applied { is_done: true, events }
    }
}

/// Returns whether a cell in this state is still to run.
pub(super) fn to_do(state: &RowState) -> bool {
    match state {
        RowState::Ended(ending) => ending.is_run_again(),
        RowState::Queued | RowState::Held | RowState::Running => true,
    }
}
