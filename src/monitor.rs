//! Events → what is known now: every cell with its state, its curves, and how long the rest may take.
//!
//! ```text
//! Event ──apply──▶ Monitor ── cells ─▶ Cell ── curves ─▶ Curve (bounded, spikes kept)
//!                     ├─ turns: which cells run, wait, have ended
//!                     ├─ what is done for each of them, notices, ending
//!                     └─ clocks: elapsed, paused, time left
//! ```
//!
//! This is the only place that turns events into what is known. The screen reads a [`Monitor`]; plain lines, and the training process
//! for screens that come later, read one without curves; readers that only need to know which cells run use [`Turns`].
//!
//! It reads no clock: whoever applies an event says when that was, so tests decide what time it is.

mod cell;
mod clock;
mod curve;
mod outcome;
mod swept;
mod trend;
mod turns;

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use os_display::Quotable;

use crate::event::{Activity, CellEnding, CellIndex, Cells, Event, LogEntry, SweepEnding, SweepPlan, cell_name};
use crate::statistics::Kendall;

pub use cell::{Cell, CellState, Curves, Latest};
pub use curve::{Bucket, Curve};
pub use outcome::Outcome;
pub use swept::Swept;
pub use trend::{PARTS, Trend};
pub use turns::Turns;

/// Older notices are dropped; nobody scrolls further back than this on a screen.
const KEPT_NOTICES: usize = 50;

/// Older lines of the log are dropped here; they are in its file.
const KEPT_LOG: usize = 10_000;

/// Something that the person watching should read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When it came.
    pub at: Instant,
    /// The cell it is about.
    pub cell: Option<CellIndex>,
    /// The message, without the name of the cell.
    pub words: String,
    /// It came as an event; other notes are made by the monitor.
    pub was_told: bool,
}

impl Note {
    /// The message, with the name of its cell.
    #[must_use]
    pub fn text(&self) -> String {
        said_of(self.cell, &self.words)
    }
}

/// A message about a cell, with the cell's name, or about the whole sweep.
#[must_use]
pub fn said_of(cell: Option<CellIndex>, words: &str) -> String {
    cell.map_or_else(|| words.to_owned(), |cell| format!("{}: {words}", cell_name(cell)))
}

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
    /// Which cells run, wait, and have ended.
    pub turns: Turns,
    /// The run's log, oldest line first.
    pub log: VecDeque<LogEntry>,
    /// What the person watching should read, oldest first.
    pub notices: VecDeque<Note>,
    /// Measurements that did not reach us; they are on disk.
    pub skipped_points: u64,
    /// How the sweep ended.
    pub ending: Option<SweepEnding>,
    /// The training thread went away without saying how the sweep ended.
    pub lost: bool,
    /// Where it is trained, if requests of ours do not arrive there.
    pub elsewhere: Option<String>,
    clock: clock::Clock,
    /// The activity of each cell that runs or is prepared; without a cell, that of the sweep between cells.
    work: BTreeMap<Option<CellIndex>, clock::Work>,
    /// Curves are dropped; the last values are kept.
    keeps_no_curves: bool,
    /// Of many cells these take a while: not before they are asked for, and once for each cell that ends.
    tally: OnceCell<clock::Tally>,
    rank_correlation: OnceCell<Option<Kendall>>,
}

impl Monitor {
    /// A monitor that keeps no curves, for readers that draw none: the curves of ten thousand cells take gigabytes.
    #[must_use]
    pub fn without_curves() -> Self {
        Self {
            keeps_no_curves: true,
            ..Self::default()
        }
    }

    /// Takes in one event that came at `now`.
    ///
    /// An event about a cell that is not in the plan is ignored: it is on disk, and a screen is no place to stop a run.
    pub fn apply(&mut self, event: Event, now: Instant) {
        self.turns.apply(&event);
        match event {
            Event::SweepStarted(plan) => self.start(plan, now),
            Event::CellStarted { cell } => {
                if let Some(started) = self.cells.get_mut(cell) {
                    started.start();
                    self.forget_tallies();
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
                    if self.keeps_no_curves {
                        known.forget_curves();
                    }
                }
            }
            Event::History { cell } => {
                if let Some(known) = self.cells.get_mut(cell) {
                    known.forget_curves();
                }
            }
            Event::PointsSkipped { cell, count } => {
                if let Some(known) = self.cells.get_mut(cell) {
                    known.skipped_points += count;
                    self.skipped_points += count;
                }
            }
            Event::Queue { held, .. } => {
                for (index, cell) in self.cells.iter_mut().enumerate() {
                    cell.is_held = held.binary_search(&index).is_ok();
                }
            }
            Event::CellAdded(plan) => {
                self.cells.push(Cell::new(*plan));
                self.know_settings();
            }
            Event::CellRetried { cell } => {
                if let Some(retried) = self.cells.get_mut(cell) {
                    retried.begin_anew();
                    self.forget_tallies();
                }
            }
            Event::Logged(entry) => {
                if self.log.len() == KEPT_LOG {
                    self.log.pop_front();
                }
                self.log.push_back(entry);
            }
            Event::Activity { cell, activity } => {
                if cell.is_none_or(|cell| cell < self.cells.len()) {
                    let work = self.work.entry(cell);
                    work.and_modify(|work| work.change(activity, now))
                        .or_insert_with(|| clock::Work::new(activity, now));
                }
            }
            Event::CellEnded { cell, ending, summary } => {
                if let CellEnding::Failed(why) = &ending {
                    self.note(format!("{} failed: {why}", cell_name(cell)), now);
                }
                if let Some(ended) = self.cells.get_mut(cell) {
                    ended.end(ending, &summary);
                    self.forget_tallies();
                }
                self.work.remove(&Some(cell));
            }
            Event::Notice { cell, words } => self.keep_note(Note {
                at: now,
                cell,
                words,
                was_told: true,
            }),
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
        if !self.is_over() {
            self.clock.set_paused(self.is_paused(Cells::All), now);
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
        self.keep_note(Note {
            at: now,
            cell: None,
            words,
            was_told: false,
        });
    }

    fn keep_note(&mut self, note: Note) {
        if self.notices.len() == KEPT_NOTICES {
            self.notices.pop_front();
        }
        self.notices.push_back(note);
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

    /// Whether a cell waits to be resumed; of all cells, whether some run and every one of them waits.
    #[must_use]
    pub fn is_paused(&self, cells: Cells) -> bool {
        let waits = |cell: &CellIndex| self.activity(Some(*cell)) == Some(Activity::Paused);
        match cells {
            Cells::All => !self.turns.running.is_empty() && self.turns.running.iter().all(waits),
            Cells::One(cell) => waits(&cell),
        }
    }

    /// The activity of a cell that runs or is prepared; without a cell, that of the sweep between cells. None before the first event
    /// about it.
    #[must_use]
    pub fn activity(&self, cell: Option<CellIndex>) -> Option<Activity> {
        self.work.get(&cell).map(|work| work.activity)
    }

    /// Cells that are prepared and have not started yet.
    pub fn prepared(&self) -> impl Iterator<Item = CellIndex> {
        let known = self.work.keys().filter_map(|cell| *cell);
        known.filter(|cell| !self.turns.is_running(*cell))
    }

    /// The state of a cell, pauses included.
    #[must_use]
    pub fn state(&self, cell: CellIndex) -> CellState {
        match self.cells.get(cell).map(|cell| &cell.state) {
            // What never ran is not going to, and what ran when the thread vanished runs no more.
            Some(CellState::Running) if self.is_over() => CellState::Ended(CellEnding::Interrupted),
            Some(CellState::Running) if self.is_paused(Cells::One(cell)) => CellState::Paused,
            Some(state) => state.clone(),
            None => CellState::Queued,
        }
    }

    /// How many cells have ended and need not be run again.
    #[must_use]
    pub fn done(&self) -> usize {
        self.tally().done
    }

    fn tally(&self) -> &clock::Tally {
        self.tally.get_or_init(|| clock::Tally::of(&self.cells))
    }

    fn forget_tallies(&mut self) {
        self.tally.take();
        self.rank_correlation.take();
    }

    /// Time since the sweep started, or how long it took.
    #[must_use]
    pub fn elapsed(&self, now: Instant) -> Duration {
        self.clock.elapsed(now)
    }

    /// How much of [`Self::elapsed`] was spent paused: in which cells ran, and every one of them waited.
    #[must_use]
    pub fn paused_for(&self, now: Instant) -> Duration {
        self.clock.paused(now)
    }

    /// How long a cell that runs has waited to be resumed, all its pauses together.
    #[must_use]
    pub fn cell_paused_for(&self, cell: CellIndex, now: Instant) -> Duration {
        let work = self.work.get(&Some(cell));
        work.map_or(Duration::ZERO, |work| work.paused(now))
    }

    /// How long [`Self::activity`] has been going on.
    #[must_use]
    pub fn busy_for(&self, cell: Option<CellIndex>, now: Instant) -> Duration {
        self.work.get(&cell).map_or(Duration::ZERO, |work| work.busy(now))
    }

    /// How long the whole sweep may still take, pauses aside; none while that is not known.
    ///
    /// As many cells run at once as run or are prepared now.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        if self.is_over() {
            return None;
        }
        let Turns { running, queue, .. } = &self.turns;
        let lanes = running.len() + self.prepared().count();
        let seconds = self.tally().seconds_left_of_all(&self.cells, running, queue, lanes)?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Seconds that a planned step of the cells to be run may take; none while nothing is known.
    #[must_use]
    pub fn pace_ahead(&self) -> Option<f64> {
        let running = self.turns.running.iter().filter_map(|cell| self.cells.get(*cell));
        self.tally().pace_ahead(running)
    }

    /// How long a cell may still take: a running one by its own pace, one that is to be run by `pace_ahead`.
    #[must_use]
    pub fn time_left_of(&self, cell: CellIndex, pace_ahead: Option<f64>) -> Option<Duration> {
        let known = self.cells.get(cell).filter(|_| !self.is_over())?;
        let seconds = match known.state {
            CellState::Running | CellState::Paused => self.tally().seconds_left(known, pace_ahead)?,
            CellState::Queued | CellState::Ended(CellEnding::Interrupted) => {
                let steps = known.plan.planned_steps.saturating_sub(known.progress.step);
                pace_ahead? * steps as f64
            }
            CellState::Ended(_) => return None,
        };
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// The cells in the order they are run: those that have ended first, then those that run, then the queue.
    #[must_use]
    pub fn in_order(&self) -> Vec<CellIndex> {
        self.turns.in_order()
    }

    fn start(&mut self, plan: SweepPlan, now: Instant) {
        let earlier = Duration::try_from_secs_f64(plan.earlier_seconds).unwrap_or_default();
        self.clock = clock::Clock::started(now.checked_sub(earlier).unwrap_or(now));
        self.name = plan.name;
        self.run_dir = plan.run_dir;
        self.device = plan.device;
        self.cells = plan.cells.into_iter().map(Cell::new).collect();
        self.know_settings();
        self.work.clear();
        (self.ending, self.lost, self.elsewhere) = (None, false, None);
        self.log.clear();
        self.forget_tallies();
    }

    /// What the cells differ in, once there are other cells.
    pub(crate) fn know_settings(&mut self) {
        self.swept = Swept::all(&self.cells);
    }

    fn stop(&mut self, now: Instant) {
        self.clock.stop(now);
        self.work.clear();
        self.turns.running.clear();
    }
}

#[cfg(test)]
mod tests;
