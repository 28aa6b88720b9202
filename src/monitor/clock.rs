//! How long the sweep has run, how much of that it was paused, and how long the rest may take.

use std::time::{Duration, Instant};

use crate::event::{Activity, CellIndex};

use super::cell::{Cell, CellState};

/// How long the rest may take; `None` where nothing is known yet.
///
/// Pauses are not in it: it is the time that training and measuring still need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeLeft {
    /// Of the running cell, if it takes every planned step.
    pub cell: Option<Duration>,
    /// Of the whole sweep, the running cell included.
    pub sweep: Option<Duration>,
}

/// Wall-clock time of the sweep.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    started: Option<Instant>,
    stopped: Option<Instant>,
    busy_since: Option<Instant>,
    paused_since: Option<Instant>,
    paused: Duration,
}

impl Clock {
    pub(super) fn started(now: Instant) -> Self {
        Self {
            started: Some(now),
            ..Self::default()
        }
    }

    pub(super) fn activity(&mut self, activity: Activity, now: Instant) {
        self.busy_since = Some(now);
        if activity == Activity::Paused {
            self.paused_since.get_or_insert(now);
        } else if let Some(since) = self.paused_since.take() {
            self.paused += now.saturating_duration_since(since);
        }
    }

    pub(super) fn stop(&mut self, now: Instant) {
        self.paused = self.paused(now);
        self.paused_since = None;
        self.stopped = Some(now);
    }

    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        let until = self.stopped.unwrap_or(now);
        self.started
            .map_or(Duration::ZERO, |started| until.saturating_duration_since(started))
    }

    pub(super) fn busy(&self, now: Instant) -> Duration {
        self.busy_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    pub(super) fn paused(&self, now: Instant) -> Duration {
        let current = self
            .paused_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.paused + current
    }
}

/// How long the running cell may still take, by its own pace; where that is not known yet, at `pace_ahead` for the steps
/// that are planned.
pub(super) fn seconds_left(cells: &[Cell], running: &Cell, pace_ahead: Option<f64>) -> Option<f64> {
    let planned = running.plan.planned_steps.saturating_sub(running.progress.step);
    match seconds_per_step(running) {
        Some(pace) => Some(pace * steps_left(cells, running) as f64),
        None => pace_ahead.map(|pace| pace * planned as f64),
    }
}

/// How many steps the running cell may still take. Where cells end at their aim, as many as the longest of those that have
/// finished took; beyond that, as many again as it has taken. Never more than are planned.
fn steps_left(cells: &[Cell], running: &Cell) -> u64 {
    let finished = cells.iter().filter(|cell| matches!(cell.state, CellState::Finished(_)));
    let longest = finished
        .map(|cell| cell.progress.step as f64 / cell.plan.planned_steps.max(1) as f64)
        .fold(0.0, f64::max);
    let (planned, taken) = (running.plan.planned_steps, running.progress.step);
    let expected = (planned as f64 * longest.min(1.0)).ceil() as u64;
    let end = match expected {
        0 => planned,
        expected if expected > taken => expected,
        _ => taken.saturating_mul(2).min(planned),
    };
    end.saturating_sub(taken)
}

/// The running cell from its own pace; the queued ones from the seconds a planned step took in the finished cells
/// (cells that stop early make that smaller). Each stands in for the other where one is not known yet.
pub(super) fn time_left(cells: &[Cell], running: Option<CellIndex>) -> TimeLeft {
    let running = running.and_then(|index| cells.get(index));
    let finished = pace_of_finished(cells);
    let cell = running.and_then(|cell| seconds_left(cells, cell, finished));
    let queued: u64 = cells
        .iter()
        .filter(|cell| is_ahead(cell))
        .map(|cell| cell.plan.planned_steps)
        .sum();
    let pace = pace_ahead(cells, running);
    let rest = if queued == 0 {
        Some(0.0)
    } else {
        pace.map(|seconds| seconds * queued as f64)
    };
    let sweep = match (running, cell) {
        (Some(_), None) => None,
        (_, cell) => rest.map(|rest| rest + cell.unwrap_or(0.0)),
    };
    TimeLeft {
        cell: cell.and_then(duration),
        sweep: sweep.and_then(duration),
    }
}

/// Of the finished cells, or of the running one while there are none.
pub(super) fn pace_ahead(cells: &[Cell], running: Option<&Cell>) -> Option<f64> {
    pace_of_finished(cells).or_else(|| running.and_then(seconds_per_step))
}

fn is_ahead(cell: &Cell) -> bool {
    // Cells that an earlier process left unfinished are run again; those that are held out are not.
    matches!(cell.state, CellState::Queued | CellState::Interrupted) && !cell.is_held
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

fn pace_of_finished(cells: &[Cell]) -> Option<f64> {
    let finished = cells.iter().filter(|cell| matches!(cell.state, CellState::Finished(_)));
    let (seconds, steps) = finished.fold((0.0, 0), |(seconds, steps), cell| {
        (seconds + cell.progress.seconds, steps + cell.plan.planned_steps)
    });
    (steps > 0 && seconds > 0.0).then(|| seconds / steps as f64)
}

fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}
