//! The current state of the sweep, computed from events: every cell with its state and its curves, and the time left.
//!
//! ```text
//! Event ──apply──▶ Monitor ── cells ─▶ Cell ── curves ─▶ Curve (bounded, spikes kept)
//!                     ├─ turns: which cells are running, queued, ended
//!                     ├─ activity of each cell, notices, ending
//!                     └─ clocks: elapsed, paused, time left
//! ```
//!
//! Only this module turns events into state. The screen reads a [`Monitor`]. Plain lines, and the training process (for
//! screens that attach later), read a monitor without curves. Readers that only need to know which cells are running
//! use [`Turns`].
//!
//! It reads no clock: the caller passes the time of each event, so tests control the time.

mod cell;
mod clock;
mod kept;
mod listed;
mod outcome;
mod seeds;
mod swept;
mod trend;
mod turns;

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use os_display::Quotable;

use crate::event::{
    Activity, CellEnding, CellIndex, Cells, Event, LogEntry, Runner, Standing, SweepEnding, SweepPlan, cell_name,
};
use crate::statistics::Kendall;

pub use crate::curve::{Bucket, Curve};
pub use cell::{Cell, CellState, Curves, Latest};
pub use kept::Kept;
pub use listed::{Listed, Stage};
pub use outcome::Outcome;
pub use swept::Swept;
pub use trend::{PARTS, Trend};
pub use turns::Turns;

/// Limit of notices; older ones are dropped, because nobody scrolls further back on a screen.
const KEPT_NOTICES: usize = 50;

/// Limit of lines of the log; older ones are dropped here and remain in the file.
const KEPT_LOG: usize = 10_000;

/// A message for the person watching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The time at which it arrived.
    pub at: Instant,
    /// The cell that it is about.
    pub cell: Option<CellIndex>,
    /// The message, without the name of the cell.
    pub words: String,
    /// Whether it arrived as an event; other notes are made by the monitor.
    pub was_told: bool,
    /// Whether it answers a key.
    pub is_reply: bool,
}

impl Note {
    /// Returns the message with the name of its cell.
    #[must_use]
    pub fn text(&self) -> String {
        said_of(self.cell, &self.words)
    }
}

/// Returns a message with the name of its cell, if it is about a cell.
#[must_use]
pub fn said_of(cell: Option<CellIndex>, words: &str) -> String {
    cell.map_or_else(|| words.to_owned(), |cell| format!("{}: {words}", cell_name(cell)))
}

/// The current state of the sweep.
#[derive(Clone, Debug, Default)]
pub struct Monitor {
    /// Name of the sweep.
    pub name: String,
    /// The run directory.
    pub run_dir: PathBuf,
    /// Device that it runs on, as text for people.
    pub device: String,
    /// Every cell, in queue order.
    pub cells: Vec<Cell>,
    /// The settings in which the cells differ.
    pub swept: Vec<Swept>,
    /// Which cells are running, queued, and ended.
    pub turns: Turns,
    /// The run's log, oldest line first.
    pub log: VecDeque<LogEntry>,
    /// Messages for the person watching, oldest first.
    pub notices: VecDeque<Note>,
    /// Number of points that were dropped on the way to this process. They are on disk.
    pub skipped_points: u64,
    /// How the sweep ended.
    pub ending: Option<SweepEnding>,
    /// Whether the training thread disappeared without reporting how the sweep ended.
    pub lost: bool,
    /// Where the sweep is trained, if this process cannot send requests there.
    pub elsewhere: Option<String>,
    /// Where the run is read from, if another program trains it and nothing in it can be controlled.
    pub foreign: Option<String>,
    /// The runners.
    pub runners: Vec<Runner>,
    clock: clock::Clock,
    /// The activity of each cell that is running or being prepared; without a cell, the activity of the sweep between
    /// cells.
    work: BTreeMap<Option<CellIndex>, clock::Work>,
    /// Whether curves are dropped and only the last values kept.
    keeps_no_curves: bool,
    /// Cached, because computing them over many cells takes time: computed on demand, at most once after each cell that
    /// ends.
    tally: OnceCell<clock::Tally>,
    rank_correlation: OnceCell<Option<Kendall>>,
}

impl Monitor {
    /// Creates a monitor without curves, for readers that draw none: the curves of ten thousand cells take gigabytes.
    #[must_use]
    pub fn without_curves() -> Self {
        Self {
            keeps_no_curves: true,
            ..Self::default()
        }
    }

    /// Applies one event that arrived at `now`.
    ///
    /// An event about a cell that is not in the plan is ignored: its data is on disk, and a screen must not stop a run.
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
            Event::Queue { held, .. } => self.hold(&held),
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
                is_reply: false,
            }),
            Event::SweepEnded(ending) => {
                if let SweepEnding::Failed(why) = &ending {
                    self.note(format!("the sweep failed: {why}"), now);
                }
                self.ending = Some(ending);
                self.stop(now);
            }
            Event::Runners(runners) => self.runners = runners,
            Event::Assigned { cell, runner } => {
                if let Some(assigned) = self.cells.get_mut(cell) {
                    assigned.runner = Some(runner);
                }
            }
            Event::Standing { cell, standing } => {
                if let Some(known) = self.cells.get_mut(cell) {
                    known.standing = standing;
                }
            }
            // A sweep tells its screens what it makes of this.
            Event::CellElsewhere { .. } => {}
            Event::TrainerLost => self.lose(None, now),
            Event::Elsewhere(words) => self.elsewhere = Some(words),
            Event::Foreign(words) => self.foreign = Some(words),
        }
        if !self.is_over() {
            self.clock.set_paused(self.is_paused(Cells::All), now);
        }
    }

    fn hold(&mut self, held: &[CellIndex]) {
        for (index, cell) in self.cells.iter_mut().enumerate() {
            cell.is_held = held.binary_search(&index).is_ok();
        }
    }

    /// Records that the training thread disappeared. Adds a notice, unless the sweep's ending is known.
    pub fn lose(&mut self, reason: Option<String>, now: Instant) {
        if self.is_over() {
            return;
        }
        self.lost = true;
        let reason = reason.unwrap_or_else(|| {
            let place = self.run_dir.maybe_quote();
            format!(
                "the training process exited unexpectedly; `sharptui resume {place}` goes on from the last checkpoint"
            )
        });
        self.note(reason, now);
        self.stop(now);
    }

    /// Adds a notice made by this process.
    pub fn note(&mut self, words: String, now: Instant) {
        self.keep_note(Note {
            at: now,
            cell: None,
            words,
            was_told: false,
            is_reply: false,
        });
    }

    /// Adds a notice that answers a key.
    pub fn reply(&mut self, words: String, now: Instant) {
        self.note(words, now);
        if let Some(note) = self.notices.back_mut() {
            note.is_reply = true;
        }
    }

    fn keep_note(&mut self, note: Note) {
        if self.notices.len() == KEPT_NOTICES {
            self.notices.pop_front();
        }
        self.notices.push_back(note);
    }

    /// Returns whether the sweep has ended or its training process is gone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ending.is_some() || self.lost
    }

    /// Returns whether the sweep failed or its training process disappeared.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.lost || matches!(self.ending, Some(SweepEnding::Failed(_)))
    }

    /// Returns whether a cell is paused; for all cells, whether at least one is running and every running cell is
    /// paused.
    #[must_use]
    pub fn is_paused(&self, cells: Cells) -> bool {
        let waits = |cell: &CellIndex| self.activity(Some(*cell)) == Some(Activity::Paused);
        match cells {
            Cells::All => !self.turns.running.is_empty() && self.turns.running.iter().all(waits),
            Cells::One(cell) => waits(&cell),
        }
    }

    /// Returns the activity of a cell that is running or being prepared; without a cell, the activity of the sweep
    /// between cells. None before the first event about it.
    #[must_use]
    pub fn activity(&self, cell: Option<CellIndex>) -> Option<Activity> {
        self.work.get(&cell).map(|work| work.activity)
    }

    /// Returns the cells that are being prepared and have not started yet.
    pub fn prepared(&self) -> impl Iterator<Item = CellIndex> {
        let known = self.work.keys().filter_map(|cell| *cell);
        known.filter(|cell| !self.turns.is_running(*cell))
    }

    /// Returns the state of a cell, including pauses.
    #[must_use]
    pub fn state(&self, cell: CellIndex) -> CellState {
        match self.cells.get(cell).map(|cell| &cell.state) {
            // A cell that was running when the sweep ended or the thread disappeared counts as interrupted.
            Some(CellState::Running) if self.is_over() => CellState::Ended(CellEnding::Interrupted),
            Some(CellState::Running) if self.is_paused(Cells::One(cell)) => CellState::Paused,
            Some(state) => state.clone(),
            None => CellState::Queued,
        }
    }

    /// Returns how a cell stands that another process has and that has not ended; none if its state says that.
    #[must_use]
    pub fn standing(&self, cell: CellIndex) -> Option<&Standing> {
        let known = self.cells.get(cell)?;
        known.standing.as_ref().filter(|_| !known.state.is_done())
    }

    /// Returns the number of cells that have ended and need not run again.
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

    /// Returns the time since the sweep started, or its duration after it has ended.
    #[must_use]
    pub fn elapsed(&self, now: Instant) -> Duration {
        self.clock.elapsed(now)
    }

    /// Returns the part of [`Self::elapsed`] that was paused, that is, in which cells were running and all of them were
    /// paused.
    #[must_use]
    pub fn paused_for(&self, now: Instant) -> Duration {
        self.clock.paused(now)
    }

    /// Returns the total paused time of a running cell.
    #[must_use]
    pub fn cell_paused_for(&self, cell: CellIndex, now: Instant) -> Duration {
        let work = self.work.get(&Some(cell));
        work.map_or(Duration::ZERO, |work| work.paused(now))
    }

    /// Returns the time since [`Self::activity`] last changed.
    #[must_use]
    pub fn busy_for(&self, cell: Option<CellIndex>, now: Instant) -> Duration {
        self.work.get(&cell).map_or(Duration::ZERO, |work| work.busy(now))
    }

    /// Returns the estimated time left for the whole sweep, excluding pauses; none while it is unknown.
    ///
    /// It assumes that every runner trains cells until the queue is empty. If the runners are not known, it assumes that as
    /// many cells run in parallel as are running or being prepared now.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        if self.is_over() {
            return None;
        }
        let Turns { running, queue, .. } = &self.turns;
        let busy = running.len() + self.prepared().count();
        let lanes = busy.max(self.runners.len());
        let seconds = self.tally().seconds_left_of_all(&self.cells, running, queue, lanes)?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Returns the recent optimizer steps per second of all running cells together; 0 while unknown.
    #[must_use]
    pub fn steps_per_second(&self) -> f64 {
        let running = self.turns.running.iter();
        let trains = running.filter(|cell| !self.is_paused(Cells::One(**cell)));
        let known = trains.filter_map(|cell| self.cells.get(*cell));
        known.map(|cell| cell.progress.steps_per_second).sum()
    }

    /// Returns the runner that trains a running or prepared cell; none if it is not known.
    #[must_use]
    pub fn runner_of(&self, cell: CellIndex) -> Option<&Runner> {
        let number = self.cells.get(cell)?.runner?;
        let is_with_it = self.turns.is_running(cell) || self.work.contains_key(&Some(cell));
        let mut runners = self.runners.iter().filter(|_| is_with_it);
        runners.find(|runner| runner.number == number)
    }

    /// Returns the estimated seconds per planned step of the queued cells; none while it is unknown.
    #[must_use]
    pub fn pace_ahead(&self) -> Option<f64> {
        let running = self.turns.running.iter().filter_map(|cell| self.cells.get(*cell));
        self.tally().pace_ahead(running)
    }

    /// Returns the estimated time left for a cell: a running cell at its own pace, a queued cell at `pace_ahead`
    /// (seconds per step).
    #[must_use]
    pub fn time_left_of(&self, cell: CellIndex, pace_ahead: Option<f64>) -> Option<Duration> {
        let known = self
            .cells
            .get(cell)
            .filter(|_| !self.is_over() && self.foreign.is_none())?;
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

    /// Returns the cells in the order in which they run: ended cells first, then running cells, then the queue.
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
        self.runners.clear();
        (self.ending, self.lost, self.elsewhere, self.foreign) = (None, false, None, None);
        self.log.clear();
        self.forget_tallies();
    }

    /// Updates the settings in which the cells differ, after the cells have changed.
    pub(crate) fn know_settings(&mut self) {
        self.swept = Swept::all(&self.cells);
    }

    fn stop(&mut self, now: Instant) {
        self.clock.stop(now);
        self.work.clear();
        self.runners.clear();
        self.turns.running.clear();
    }
}

#[cfg(test)]
mod tests;
