//! Events → what is known now: every cell with its state, its curves, and how long the rest may take.
//!
//! ```text
//! Event ──apply──▶ Monitor ── cells ─▶ Cell ── curves ─▶ Curve (bounded, spikes kept)
//!                     ├─ activity, notices, ending
//!                     └─ clock: elapsed, paused, time left
//! ```
//!
//! It reads no clock: whoever applies an event says when that was, so tests decide what time it is.

mod cell;
mod clock;
mod curve;
mod outcome;
mod swept;
mod trend;

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use os_display::Quotable;

use crate::event::{Activity, CellEnding, CellIndex, Event, LogEntry, SweepEnding, SweepPlan};
use crate::statistics::Kendall;

pub use cell::{Cell, CellState, Curves, Latest};
pub use clock::TimeLeft;
pub use curve::{Bucket, Curve};
pub use outcome::Outcome;
pub use swept::Swept;
pub use trend::{PARTS, Trend};

/// Older notices are dropped; nobody scrolls further back than this on a screen.
const KEPT_NOTICES: usize = 50;

/// Older lines of the log are dropped here; they are in its file.
const KEPT_LOG: usize = 10_000;

/// What is known about the sweep now.
#[derive(Clone, Debug, Default)]
pub struct Monitor {
    /// Name of the sweep.
    pub name: String,
    /// The run directory.
    pub run_dir: PathBuf,
    /// What it runs on, in words.
    pub device: String,
    /// Every cell, in queue order.
    pub cells: Vec<Cell>,
    /// The settings that the cells differ in.
    pub swept: Vec<Swept>,
    /// The cell that is being trained.
    pub running: Option<CellIndex>,
    /// The one that was trained last, as far as that is known.
    pub last_running: Option<CellIndex>,
    /// What the training thread is busy with; nothing before it said so and after the end.
    pub activity: Option<Activity>,
    /// The cells that are still to be run, but for the running one, in the order they will be.
    pub queue: Vec<CellIndex>,
    /// The run's log, oldest line first.
    pub log: VecDeque<LogEntry>,
    /// What the person watching should read, oldest first, each with the time it came.
    pub notices: VecDeque<(Instant, String)>,
    /// Measurements that did not reach us; they are on disk.
    pub skipped_points: u64,
    /// How the sweep ended.
    pub ending: Option<SweepEnding>,
    /// The training thread went away without saying how the sweep ended.
    pub lost: bool,
    /// Where it is trained, if requests of ours do not arrive there.
    pub elsewhere: Option<String>,
    clock: clock::Clock,
    /// Of many cells it takes a while: not before it is asked for, and once for each cell that ends.
    rank_correlation: OnceCell<Option<Kendall>>,
}

impl Monitor {
    /// Takes in one event that came at `now`.
    ///
    /// An event about a cell that is not in the plan is ignored: it is on disk, and a screen is no place to stop a run.
    pub fn apply(&mut self, event: Event, now: Instant) {
        match event {
            Event::SweepStarted(plan) => self.start(plan, now),
            Event::CellStarted { cell } => {
                if let Some(started) = self.cells.get_mut(cell) {
                    started.start();
                    (self.running, self.last_running) = (Some(cell), Some(cell));
                    self.queue.retain(|queued| *queued != cell);
                }
            }
            Event::Progress { cell, progress } => {
                if let Some(known) = self.cells.get_mut(cell) {
                    known.advance(progress);
                }
            }
            Event::Measured { cell, point } => {
                if let Some(known) = self.cells.get_mut(cell) {
                    known.measure(&point);
                }
            }
            Event::History { cell } => {
                if let Some(known) = self.cells.get_mut(cell) {
                    known.forget_curves();
                }
            }
            Event::PointsSkipped { count, .. } => self.skipped_points += count,
            Event::Queue { order, held } => self.reorder(order, &held),
            Event::CellAdded(plan) => {
                self.queue.push(self.cells.len());
                self.cells.push(Cell::new(*plan));
                self.know_settings();
            }
            Event::CellRetried { cell } => {
                if let Some(retried) = self.cells.get_mut(cell) {
                    *retried = Cell::new(retried.plan.clone());
                    self.rank_correlation.take();
                    self.enqueue(cell);
                }
            }
            Event::Logged(entry) => {
                if self.log.len() == KEPT_LOG {
                    self.log.pop_front();
                }
                self.log.push_back(entry);
            }
            Event::Activity(activity) => {
                if self.activity != Some(activity) {
                    self.activity = Some(activity);
                    self.clock.activity(activity, now);
                }
            }
            Event::CellEnded { cell, ending, summary } => {
                if let CellEnding::Failed(why) = &ending {
                    self.note(format!("cell {} failed: {why}", cell + 1), now);
                }
                if let Some(ended) = self.cells.get_mut(cell) {
                    let is_to_be_run = ending == CellEnding::Interrupted;
                    ended.end(ending, &summary);
                    self.rank_correlation.take();
                    if is_to_be_run {
                        self.enqueue(cell);
                    } else {
                        self.queue.retain(|queued| *queued != cell);
                    }
                }
                if self.running == Some(cell) {
                    self.running = None;
                }
            }
            Event::Notice(words) => self.note(words, now),
            Event::SweepEnded(ending) => {
                if let SweepEnding::Failed(why) = &ending {
                    self.note(format!("the sweep failed: {why}"), now);
                }
                self.ending = Some(ending);
                self.stop(now);
            }
            Event::TrainerLost => self.lose(None, now),
            Event::Elsewhere(words) => self.elsewhere = Some(words),
        }
    }

    /// The training thread is gone; unless it had said how the sweep ended, that is worth a notice.
    pub fn lose(&mut self, reason: Option<String>, now: Instant) {
        if self.is_over() {
            return;
        }
        self.lost = true;
        let reason = reason.unwrap_or_else(|| {
            let place = self.run_dir.maybe_quote();
            format!(
                "the training process ended without saying why; `sharptui resume {place}` goes on from the last checkpoint"
            )
        });
        self.note(reason, now);
        self.stop(now);
    }

    /// Adds a notice of our own making.
    pub fn note(&mut self, words: String, now: Instant) {
        if self.notices.len() == KEPT_NOTICES {
            self.notices.pop_front();
        }
        self.notices.push_back((now, words));
    }

    /// Whether nothing more will come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ending.is_some() || self.lost
    }

    /// Whether the sweep ended in a way that needs explaining.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.lost || matches!(self.ending, Some(SweepEnding::Failed(_)))
    }

    /// Whether the training thread waits to be resumed.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.activity == Some(Activity::Paused)
    }

    /// The state of a cell, pauses included.
    #[must_use]
    pub fn state(&self, cell: CellIndex) -> CellState {
        match self.cells.get(cell).map(|cell| &cell.state) {
            Some(CellState::Running) if self.is_paused() => CellState::Paused,
            // What never ran is not going to, and what ran when the thread vanished runs no more.
            Some(CellState::Running) if self.is_over() => CellState::Interrupted,
            Some(state) => state.clone(),
            None => CellState::Queued,
        }
    }

    /// How many cells have ended and need not be run again.
    #[must_use]
    pub fn done(&self) -> usize {
        self.cells.iter().filter(|cell| cell.state.is_done()).count()
    }

    /// Time since the sweep started, or how long it took.
    #[must_use]
    pub fn elapsed(&self, now: Instant) -> Duration {
        self.clock.elapsed(now)
    }

    /// How much of [`Self::elapsed`] was spent paused.
    #[must_use]
    pub fn paused_for(&self, now: Instant) -> Duration {
        self.clock.paused(now)
    }

    /// How long the training thread has been busy with [`Self::activity`].
    #[must_use]
    pub fn busy_for(&self, now: Instant) -> Duration {
        self.clock.busy(now)
    }

    /// How long the running cell and the whole sweep may still take.
    #[must_use]
    pub fn time_left(&self) -> TimeLeft {
        if self.is_over() {
            TimeLeft::default()
        } else {
            clock::time_left(&self.cells, self.running)
        }
    }

    /// Seconds that a planned step of the cells to be run may take; none while nothing is known.
    #[must_use]
    pub fn pace_ahead(&self) -> Option<f64> {
        let running = self.running.and_then(|running| self.cells.get(running));
        clock::pace_ahead(&self.cells, running)
    }

    /// How long a cell may still take: the running one by its own pace, one that is to be run by `pace_ahead`.
    #[must_use]
    pub fn time_left_of(&self, cell: CellIndex, pace_ahead: Option<f64>) -> Option<Duration> {
        let known = self.cells.get(cell).filter(|_| !self.is_over())?;
        let seconds = match known.state {
            CellState::Running | CellState::Paused => clock::seconds_left(&self.cells, known, pace_ahead)?,
            CellState::Queued | CellState::Interrupted => {
                let steps = known.plan.planned_steps.saturating_sub(known.progress.step);
                pace_ahead? * steps as f64
            }
            _ => return None,
        };
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// The cells in the order they are run: those that have ended first, then the running one, then the queue.
    #[must_use]
    pub fn in_order(&self) -> Vec<CellIndex> {
        let mut is_ahead = vec![false; self.cells.len()];
        for cell in self.queue.iter().copied().chain(self.running) {
            if let Some(is_ahead) = is_ahead.get_mut(cell) {
                *is_ahead = true;
            }
        }
        let ended = (0..self.cells.len()).filter(|cell| !is_ahead[*cell]);
        ended.chain(self.running).chain(self.queue.iter().copied()).collect()
    }

    fn start(&mut self, plan: SweepPlan, now: Instant) {
        let earlier = Duration::try_from_secs_f64(plan.earlier_seconds).unwrap_or_default();
        self.clock = clock::Clock::started(now.checked_sub(earlier).unwrap_or(now));
        self.name = plan.name;
        self.run_dir = plan.run_dir;
        self.device = plan.device;
        self.cells = plan.cells.into_iter().map(Cell::new).collect();
        self.know_settings();
        self.running = None;
        let was_left = |cell: &Cell| cell.state == CellState::Interrupted;
        self.last_running = self.cells.iter().rposition(was_left);
        (self.ending, self.lost, self.elsewhere) = (None, false, None);
        let to_be_run = |cell: &Cell| matches!(cell.state, CellState::Queued | CellState::Interrupted);
        let cells = self.cells.iter().enumerate();
        self.queue = cells
            .filter(|(_, cell)| to_be_run(cell))
            .map(|(index, _)| index)
            .collect();
        self.log.clear();
        self.rank_correlation.take();
    }

    /// What the cells differ in, once there are other cells.
    pub(crate) fn know_settings(&mut self) {
        self.swept = Swept::all(&self.cells);
    }

    fn enqueue(&mut self, cell: CellIndex) {
        self.queue.retain(|queued| *queued != cell);
        self.queue.push(cell);
    }

    fn reorder(&mut self, order: Vec<CellIndex>, held: &[CellIndex]) {
        for (index, cell) in self.cells.iter_mut().enumerate() {
            cell.is_held = held.binary_search(&index).is_ok();
        }
        self.queue = order;
        self.queue.retain(|cell| *cell < self.cells.len());
    }

    fn stop(&mut self, now: Instant) {
        self.clock.stop(now);
        self.activity = None;
        self.running = None;
    }
}

#[cfg(test)]
mod tests;
