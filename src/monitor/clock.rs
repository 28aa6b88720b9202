//! How long the sweep has run, how much of that it was paused, and how long the rest may take.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use crate::event::{Activity, CellIndex};

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

/// What is done for a cell, or between cells, and since when.
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

/// How long a running cell may still take, by its own pace; where that is not known yet, at `pace_ahead` for the steps
/// that are planned.
pub(super) fn seconds_left(cells: &[Cell], running: &Cell, pace_ahead: Option<f64>) -> Option<f64> {
    let planned = running.plan.planned_steps.saturating_sub(running.progress.step);
    match seconds_per_step(running) {
        Some(pace) => Some(pace * steps_left(cells, running) as f64),
        None => pace_ahead.map(|pace| pace * planned as f64),
    }
}

/// How many steps a running cell may still take. Where cells end at their aim, as many as the longest of those that have
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

/// Seconds that the whole sweep may still take; none where nothing is known yet. Pauses are not in it: it is the time that
/// training and measuring still need.
///
/// Running cells take their time by their own pace; the queued ones by the seconds that a planned step took in the finished cells
/// (cells that stop early make that smaller). Each stands in for the other where one is not known yet. The queue is taken in its
/// order, each cell by whichever of the `lanes` is free first, of which the running cells occupy one each.
pub(super) fn seconds_left_of_all(
    cells: &[Cell],
    running: &[CellIndex],
    queue: &[CellIndex],
    lanes: usize,
) -> Option<f64> {
    let finished = pace_of_finished(cells);
    let running: Vec<&Cell> = running.iter().filter_map(|cell| cells.get(*cell)).collect();
    let mut free_at = BinaryHeap::new();
    for cell in &running {
        free_at.push(Reverse(Seconds(seconds_left(cells, cell, finished)?)));
    }
    while free_at.len() < lanes.max(1) {
        free_at.push(Reverse(Seconds(0.0)));
    }
    let waits = queue.iter().filter_map(|cell| cells.get(*cell));
    let mut waits = waits.filter(|cell| is_ahead(cell)).peekable();
    if waits.peek().is_some() {
        let pace = pace_ahead(cells, &running)?;
        for cell in waits {
            let Reverse(Seconds(free)) = free_at.pop().unwrap_or_default();
            free_at.push(Reverse(Seconds(free + pace * cell.plan.planned_steps as f64)));
        }
    }
    free_at.into_iter().map(|Reverse(Seconds(end))| end).reduce(f64::max)
}

/// A number of seconds, in the order of the numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Seconds(f64);

impl PartialEq for Seconds {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Seconds {}

impl PartialOrd for Seconds {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Seconds {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Seconds that a planned step may take: of the finished cells, or of the running ones, in the mean, while there are none.
pub(super) fn pace_ahead(cells: &[Cell], running: &[&Cell]) -> Option<f64> {
    let of_running = || {
        let paces: Vec<f64> = running.iter().filter_map(|cell| seconds_per_step(cell)).collect();
        (!paces.is_empty()).then(|| paces.iter().sum::<f64>() / paces.len() as f64)
    };
    pace_of_finished(cells).or_else(of_running)
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
