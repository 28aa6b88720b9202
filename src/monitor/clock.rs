//! Elapsed time of the sweep, paused time, and estimated time left.

use std::time::{Duration, Instant};

use crate::event::{Activity, CellEnding, CellIndex};

use super::cell::{Cell, CellState};

/// A stopwatch that runs while a condition holds.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    since: Option<Instant>,
    before: Duration,
}

impl Counted {
    fn set(&mut self, holds: bool, now: Instant) {
        if holds {
            self.since.get_or_insert(now);
        } else {
            (self.before, self.since) = (self.until(now), None);
        }
    }

    fn until(&self, now: Instant) -> Duration {
        let current = self.since.map(|since| now.saturating_duration_since(since));
        self.before + current.unwrap_or_default()
    }
}

/// Wall-clock time of the sweep.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    started: Option<Instant>,
    stopped: Option<Instant>,
    paused: Counted,
}

impl Clock {
    pub(super) fn started(now: Instant) -> Self {
        Self {
            started: Some(now),
            ..Self::default()
        }
    }

    pub(super) fn set_paused(&mut self, paused: bool, now: Instant) {
        self.paused.set(paused, now);
    }

    pub(super) fn stop(&mut self, now: Instant) {
        self.paused.set(false, now);
        self.stopped = Some(now);
    }

    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        let until = self.stopped.unwrap_or(now);
        self.started
            .map_or(Duration::ZERO, |started| until.saturating_duration_since(started))
    }

    pub(super) fn paused(&self, now: Instant) -> Duration {
        self.paused.until(now)
    }
}

/// The activity of a cell, or of the sweep between cells, with its times.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) activity: Activity,
    since: Instant,
    paused: Counted,
}

impl Work {
    pub(super) fn new(activity: Activity, now: Instant) -> Self {
        let mut paused = Counted::default();
        paused.set(activity == Activity::Paused, now);
        Self {
            activity,
            since: now,
            paused,
        }
    }

    pub(super) fn change(&mut self, activity: Activity, now: Instant) {
        if self.activity != activity {
            (self.activity, self.since) = (activity, now);
            self.paused.set(activity == Activity::Paused, now);
        }
    }

    pub(super) fn busy(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    pub(super) fn paused(&self, now: Instant) -> Duration {
        self.paused.until(now)
    }
}

/// Statistics of the ended cells, used to estimate the time of the others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Number of cells that need not run again.
    pub(super) done: usize,
    /// Seconds per planned step in the finished cells. Cells that stop early make it smaller.
    pace: Option<f64>,
    /// The largest fraction of its planned steps that a finished cell took.
    longest: f64,
}

impl Tally {
    pub(super) fn of(cells: &[Cell]) -> Self {
        let mut tally = Self::default();
        let (mut seconds, mut steps) = (0.0, 0);
        for cell in cells {
            tally.done += usize::from(cell.state.is_done());
            if matches!(cell.state, CellState::Ended(CellEnding::Finished(_))) {
                seconds += cell.progress.seconds;
                steps += cell.plan.planned_steps;
                let share = cell.progress.step as f64 / cell.plan.planned_steps.max(1) as f64;
                tally.longest = tally.longest.max(share);
            }
        }
        tally.pace = (steps > 0 && seconds > 0.0).then(|| seconds / steps as f64);
        tally
    }

    /// Returns the estimated seconds per planned step: the value of the finished cells; if there are none, the mean
    /// over the `running` ones.
    pub(super) fn pace_ahead<'a>(&self, running: impl Iterator<Item = &'a Cell>) -> Option<f64> {
        let of_running = || {
            let paces: Vec<f64> = running.filter_map(seconds_per_step).collect();
            (!paces.is_empty()).then(|| paces.iter().sum::<f64>() / paces.len() as f64)
        };
        self.pace.or_else(of_running)
    }

    /// Returns the estimated seconds left for a running cell, at its own pace. If that is unknown, the estimate is
    /// `pace_ahead` (seconds per step) times the planned steps that are left.
    pub(super) fn seconds_left(&self, running: &Cell, pace_ahead: Option<f64>) -> Option<f64> {
        let planned = running.plan.planned_steps.saturating_sub(running.progress.step);
        match seconds_per_step(running) {
            Some(pace) => Some(pace * self.steps_left(running) as f64),
            None => pace_ahead.map(|pace| pace * planned as f64),
        }
    }

    /// Returns the estimated number of steps left for a running cell. Cells may end early, at their aim. So the cell is
    /// assumed to take the largest fraction of planned steps that a finished cell took; if it has already taken more,
    /// twice as many steps as it has taken. Never more than the planned steps.
    fn steps_left(&self, running: &Cell) -> u64 {
        let (planned, taken) = (running.plan.planned_steps, running.progress.step);
        let expected = (planned as f64 * self.longest.min(1.0)).ceil() as u64;
        let end = match expected {
            0 => planned,
            expected if expected > taken => expected,
            _ => taken.saturating_mul(2).min(planned),
        };
        end.saturating_sub(taken)
    }

    /// Returns the estimated seconds left for the whole sweep, excluding pauses; none while nothing is known.
    ///
    /// Running cells are estimated at their own pace, queued cells at the pace of the finished ones; if one of the two
    /// is unknown, the other is used. The queue is scheduled in order: each cell goes to the lane that is free first.
    /// There is one lane for each runner, and each running cell occupies one.
    pub(super) fn seconds_left_of_all(
        &self,
        cells: &[Cell],
        running: &[CellIndex],
        queue: &[CellIndex],
        lanes: usize,
    ) -> Option<f64> {
        let running = running.iter().filter_map(|cell| cells.get(*cell));
        let pace_ahead = self.pace_ahead(running.clone());
        let busy = running.map(|cell| self.seconds_left(cell, pace_ahead));
        let mut free_at = busy.collect::<Option<Vec<f64>>>()?;
        free_at.resize(free_at.len().max(lanes).max(1), 0.0);
        let waits = queue.iter().filter_map(|cell| cells.get(*cell));
        let mut waits = waits.filter(|cell| is_ahead(cell)).peekable();
        if waits.peek().is_some() {
            let pace = pace_ahead?;
            for cell in waits {
                // A cell that was set aside goes on from its checkpoint.
                let steps = cell.plan.planned_steps.saturating_sub(cell.progress.step);
                if let Some(first) = free_at.iter_mut().min_by(|one, other| one.total_cmp(other)) {
                    *first += pace * steps as f64;
                }
            }
        }
        free_at.into_iter().reduce(f64::max)
    }
}

fn is_ahead(cell: &Cell) -> bool {
    // Cells that an earlier process left unfinished run again; held cells do not.
    matches!(
        cell.state,
        CellState::Queued | CellState::Ended(CellEnding::Interrupted)
    ) && !cell.is_held
}

/// Returns the average seconds per step, without the first steps. The recent rate is not used, because it depends on
/// whether a measurement fell into it, and the measurements before the first step are not repeated.
fn seconds_per_step(cell: &Cell) -> Option<f64> {
    let progress = cell.progress;
    if let Some(first) = cell.first_progress {
        let (steps, seconds) = (
            progress.step.saturating_sub(first.step),
            progress.seconds - first.seconds,
        );
        if steps > 0 && seconds > 0.0 {
            return Some(seconds / steps as f64);
        }
    }
    if progress.steps_per_second > 0.0 {
        return Some(1.0 / progress.steps_per_second);
    }
    (progress.step > 0 && progress.seconds > 0.0).then(|| progress.seconds / progress.step as f64)
}
