//! Which cells are running, which are queued, and which have ended.

use std::collections::BTreeSet;

use crate::event::{CellEnding, CellIndex, CellPlan, Event};

/// Which cells are running, which are queued, and which have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// Number of cells of the sweep.
    pub cells: usize,
    /// Running cells, in the order in which they started.
    pub running: Vec<CellIndex>,
    /// Queued cells, in the order in which they will run.
    pub queue: Vec<CellIndex>,
    /// Ended cells, including interrupted ones that will continue.
    pub ended: BTreeSet<CellIndex>,
    /// The cell that the screen follows: the running cell that started first. When it ends, the one that started next
    /// is followed. If no cell is running, the last one that was followed.
    pub followed: Option<CellIndex>,
}

impl Turns {
    /// Applies an event. An event about a cell that is not in the plan is ignored.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::SweepStarted(plan) => *self = Self::planned(&plan.cells),
            Event::CellStarted { cell } if *cell < self.cells => {
                self.leave(*cell);
                self.ended.remove(cell);
                self.running.push(*cell);
            }
            Event::CellEnded { cell, ending, .. } if *cell < self.cells => {
                self.running.retain(|running| running != cell);
                self.ended.insert(*cell);
                if *ending != CellEnding::Interrupted {
                    self.leave(*cell);
                } else if !self.queue.contains(cell) {
                    self.queue.push(*cell);
                }
            }
            Event::CellRetried { cell } if *cell < self.cells => {
                self.leave(*cell);
                self.ended.remove(cell);
                self.queue.push(*cell);
            }
            Event::CellAdded(_) => {
                self.queue.push(self.cells);
                self.cells += 1;
            }
            Event::Queue { order, .. } => {
                self.queue = order.iter().copied().filter(|cell| *cell < self.cells).collect();
            }
            Event::SweepEnded(_) | Event::TrainerLost => self.running.clear(),
            _ => {}
        }
        self.followed = self.running.first().copied().or(self.followed);
    }

    fn planned(cells: &[CellPlan]) -> Self {
        let with = |wanted: fn(&CellPlan) -> bool| {
            let cells = cells.iter().enumerate().filter(move |(_, cell)| wanted(cell));
            cells.map(|(index, _)| index)
        };
        let was_left = |cell: &CellPlan| matches!(cell.ended, Some((CellEnding::Interrupted, _)));
        Self {
            cells: cells.len(),
            running: Vec::new(),
            queue: with(|cell| matches!(cell.ended, None | Some((CellEnding::Interrupted, _)))).collect(),
            ended: with(|cell| cell.ended.is_some()).collect(),
            followed: with(was_left).next_back(),
        }
    }

    /// Returns whether a cell is running.
    #[must_use]
    pub fn is_running(&self, cell: CellIndex) -> bool {
        self.running.contains(&cell)
    }

    /// Returns every cell in the order in which they run: ended cells first, then running cells, then the queue.
    #[must_use]
    pub fn in_order(&self) -> Vec<CellIndex> {
        let mut is_ahead = vec![false; self.cells];
        for &cell in self.queue.iter().chain(&self.running) {
            is_ahead[cell] = true;
        }
        let ended = (0..self.cells).filter(|cell| !is_ahead[*cell]);
        // A skipped cell is already in the queue while it takes its last step.
        let queue = self.queue.iter().filter(|cell| !self.is_running(**cell));
        ended
            .chain(self.running.iter().copied())
            .chain(queue.copied())
            .collect()
    }

    fn leave(&mut self, cell: CellIndex) {
        self.queue.retain(|waits| *waits != cell);
        self.running.retain(|running| *running != cell);
    }
}
