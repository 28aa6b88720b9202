//! How long the sweep has run, how much of that it was paused, and how long the rest may take.

use std::time::{Duration, Instant};

use crate::event::{Activity, CellEnding, CellIndex};

use super::cell::{Cell, CellState};

/// Time that is counted while something holds.
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

/// The activity of a cell, or of the sweep between cells, and its times.
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

/// Figures of the ended cells, from which the time of the others is estimated.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Cells that need not be run again.
    pub(super) done: usize,
    /// Seconds that a planned step took in those that have finished; cells that stop early make that smaller.
    pace: Option<f64>,
    /// The largest share of its planned steps that one of those took.
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

    /// Seconds that a planned step may take: as in the finished cells; while there are none, as in the `running` ones, in the
    /// mean.
    pub(super) fn pace_ahead<'a>(&self, running: impl Iterator<Item = &'a Cell>) -> Option<f64> {
        let of_running = || {
            let paces: Vec<f64> = running.filter_map(seconds_per_step).collect();
            (!paces.is_empty()).then(|| paces.iter().sum::<f64>() / paces.len() as f64)
        };
        self.pace.or_else(of_running)
    }

    /// Seconds that a running cell may still take, by its own pace; where that is not known yet, at `pace_ahead` for the steps
    /// that are planned.
    pub(super) fn seconds_left(&self, running: &Cell, pace_ahead: Option<f64>) -> Option<f64> {
        let planned = running.plan.planned_steps.saturating_sub(running.progress.step);
        match seconds_per_step(running) {
            Some(pace) => Some(pace * self.steps_left(running) as f64),
            None => pace_ahead.map(|pace| pace * planned as f64),
        }
    }

    /// How many steps a running cell may still take. Where cells end at their aim, as many as the longest of those that have
    /// finished took; beyond that, as many again as it has taken. Never more than are planned.
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

    /// Seconds that the whole sweep may still take; none where nothing is known yet. Pauses are not in it: it is the time that
    /// training and measuring still need.
    ///
    /// Running cells take their time by their own pace, those of the queue by the pace of the finished ones; each stands in for
    /// the other where one is not known yet. The queue is taken in its order, each cell by whichever of the `lanes` is free
    /// first; the running cells occupy one lane each.
    pub(super) fn seconds_left_of_all(
        &self,
        cells: &[Cell],
        running: &[CellIndex],
        queue: &[CellIndex],
        lanes: usize,
    ) -> Option<f64> {
        let running = running.iter().filter_map(|cell| cells.get(*cell));
        let busy = running.clone().map(|cell| self.seconds_left(cell, self.pace));
        let mut free_at = busy.collect::<Option<Vec<f64>>>()?;
        free_at.resize(free_at.len().max(lanes).max(1), 0.0);
        let waits = queue.iter().filter_map(|cell| cells.get(*cell));
        let mut waits = waits.filter(|cell| is_ahead(cell)).peekable();
        if waits.peek().is_some() {
            let pace = self.pace_ahead(running)?;
            for cell in waits {
                if let Some(first) = free_at.iter_mut().min_by(|one, other| one.total_cmp(other)) {
                    *first += pace * cell.plan.planned_steps as f64;
                }
            }
        }
        free_at.into_iter().reduce(f64::max)
    }
}

fn is_ahead(cell: &Cell) -> bool {
    // Cells that an earlier process left unfinished are run again; those that are held out are not.
    matches!(
        cell.state,
        CellState::Queued | CellState::Ended(CellEnding::Interrupted)
    ) && !cell.is_held
}

/// Over all steps but the first ones: the rate of the last moments depends on whether a measurement fell into them, and
/// the measurements before the first step are made once.
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
