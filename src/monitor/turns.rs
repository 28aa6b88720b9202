//! Which cells are running, which are queued, and which have ended.

use std::collections::{BTreeMap, BTreeSet};

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
    /// The cell that the screen follows. It stays the same until it ends. Then it is the cell that the same runner
    /// begins next; if that runner begins none, the running cell that started first.
    pub followed: Option<CellIndex>,
    /// The cells that a runner has taken and not started yet, in the order in which they were taken.
    taken: Vec<CellIndex>,
    /// The runner of each cell that is taken or running, and of the followed cell.
    runner_of: BTreeMap<CellIndex, u32>,
    /// The numbers of all runners.
    runners: BTreeSet<u32>,
    /// The queued cells that are held.
    held: BTreeSet<CellIndex>,
}

impl Turns {
    /// Applies an event. An event about a cell that is not in the plan is ignored.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::SweepStarted(plan) => *self = Self::planned(&plan.cells),
            Event::Assigned { cell, runner } if *cell < self.cells => {
                self.runner_of.insert(*cell, *runner);
                self.taken.retain(|taken| taken != cell);
                self.taken.push(*cell);
            }
            Event::Runners(runners) => self.runners = runners.iter().map(|runner| runner.number).collect(),
            Event::CellStarted { cell } if *cell < self.cells => {
                self.leave(*cell);
                self.ended.remove(cell);
                self.running.push(*cell);
            }
            Event::CellEnded { cell, ending, .. } if *cell < self.cells => {
                self.running.retain(|running| running != cell);
                self.taken.retain(|taken| taken != cell);
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
            Event::Queue { order, held } => {
                self.held = held.iter().copied().collect();
                // The trainer leaves out the cells that runners have taken. They are shown as the next ones.
                let waits = |cell: &CellIndex| *cell < self.cells && !self.taken.contains(cell);
                let order = order.iter().copied().filter(waits);
                self.queue = self.taken.iter().copied().chain(order).collect();
            }
            Event::SweepEnded(_) | Event::TrainerLost => {
                self.running.clear();
                self.taken.clear();
            }
            _ => {}
        }
        self.follow(event);
    }

    /// Chooses the cell to follow. A cell that runs is never left for another one.
    fn follow(&mut self, event: &Event) {
        let is_left = match event {
            // The runner of a cell that has just ended takes its next cell at once.
            Event::CellEnded { cell, .. } if self.followed == Some(*cell) => !self.is_any_ahead(),
            Event::CellStarted { .. } | Event::CellEnded { .. } | Event::Runners(_) => true,
            Event::Queue { .. } => !self.is_any_ahead(),
            _ => return,
        };
        let runner = match self.followed {
            Some(cell) if self.is_running(cell) => return,
            Some(cell) => self.runner_of.get(&cell).filter(|runner| self.runners.contains(runner)),
            None => None,
        };
        let is_of_runner = |cell: &&CellIndex| runner.is_some() && self.runner_of.get(cell) == runner;
        let next = self.running.iter().find(is_of_runner);
        let begins_one = self.taken.iter().any(|cell| is_of_runner(&cell));
        if let Some(next) = next.or(self
            .running
            .first()
            .filter(|_| runner.is_none() || is_left && !begins_one))
        {
            self.followed = Some(*next);
        }
    }

    /// Returns whether a cell waits that a runner could take.
    fn is_any_ahead(&self) -> bool {
        let is_free = |cell: &&CellIndex| !self.held.contains(cell) && !self.taken.contains(cell);
        self.queue.iter().any(|cell| is_free(&cell))
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
            taken: Vec::new(),
            runner_of: BTreeMap::new(),
            runners: BTreeSet::new(),
            held: BTreeSet::new(),
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
