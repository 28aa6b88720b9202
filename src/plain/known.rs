//! The state of the sweep, and the lines for each event.

use std::time::Instant;

use crate::event::{CellEnding, CellIndex, Event, Point, StandingKind, Summary, cell_name};
use crate::monitor::{Cell, Monitor, said_of};
use crate::quantity::{Lines, Quantity, in_lines};

use super::words;

/// Minimum time between lines about evaluations without λ_max, in seconds of training time of their cell. Every λ_max
/// measurement has a line.
const SECONDS_BETWEEN_EVALUATIONS: f64 = 10.0;

/// The state of the sweep according to its events, and what the lines have already shown.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) monitor: Monitor,
    /// One entry per cell.
    said: Vec<Said>,
}

/// What the lines have already shown of one cell.
#[derive(Clone, Debug, Default)]
struct Said {
    /// Time of the last line about a measurement, in seconds of the cell's training time.
    at_seconds: Option<f64>,
    /// The step of the last evaluation of each quantity, by the quantity's key.
    steps: Vec<(&'static str, u64)>,
}

impl Known {
    /// Returns the state before the first event.
    pub(super) fn new() -> Self {
        Self {
            monitor: Monitor::without_curves(),
            said: Vec::new(),
        }
    }

    /// Updates the state with an event and returns the lines to write.
    pub(super) fn take(&mut self, event: &Event) -> Vec<String> {
        let stood = |known: &Self, cell: CellIndex| known.monitor.standing(cell).map(|standing| standing.kind);
        let before = match event {
            Event::Standing { cell, .. } => stood(self, *cell),
            _ => None,
        };
        let was_foreign = self.monitor.foreign.clone();
        let was_foreign = was_foreign.as_ref();
        // Lines use only the training time of the cells, so this time does not matter.
        self.monitor.apply(event.clone(), Instant::now());
        match event {
            Event::SweepStarted(plan) => {
                self.said = vec![Said::default(); plan.cells.len()];
                vec![words::sweep_started(plan)]
            }
            Event::CellAdded(_) => {
                self.said.push(Said::default());
                Vec::new()
            }
            Event::CellStarted { cell } => {
                if let Some(said) = self.said.get_mut(*cell) {
                    *said = Said::default();
                }
                if self.monitor.foreign.is_some() {
                    return Vec::new();
                }
                self.line(*cell, |known| words::cell_started(&known.plan))
            }
            Event::Measured { cell, point } => self.measured(*cell, point),
            Event::CellEnded { cell, .. } => {
                let (done, cells) = (self.monitor.done(), words::cells(self.monitor.cells.len()));
                let done = format!(" · {done} of {cells} done");
                self.line(*cell, |known| words::cell_ended(known) + &done)
            }
            Event::Notice { cell, words } => vec![format!("note: {}", words::one_line(&said_of(*cell, words)))],
            Event::Elsewhere(place) => vec![format!(
                "note: this run is trained {}; the lines below come from its files",
                words::one_line(place)
            )],
            Event::Logged(entry) if was_foreign.is_some() => vec![format!("note: {}", words::one_line(&entry.words))],
            Event::Foreign(words) if was_foreign != Some(words) => vec![format!("note: {}", words::one_line(words))],
            // Reasons and times change all the time.
            Event::Standing { cell, .. } if stood(self, *cell) != before => self.standing(*cell),
            Event::Progress { .. }
            | Event::PointsSkipped { .. }
            | Event::Activity { .. }
            | Event::Queue { .. }
            | Event::CellRetried { .. }
            | Event::Logged(_)
            | Event::Foreign(_)
            | Event::Standing { .. }
            | Event::Runners(_)
            | Event::Assigned { .. }
            | Event::CellElsewhere { .. }
            | Event::History { .. }
            | Event::TrainerLost
            | Event::SweepEnded(_) => Vec::new(),
        }
    }

    /// Returns the name of a cell with its swept settings, for example "cell 2 dropout=0.3 seed=1".
    pub(super) fn cell_name(&self, cell: CellIndex) -> String {
        let swept = self.cell(cell).map(|known| words::swept(&known.plan));
        format!("{}{}", cell_name(cell), swept.unwrap_or_default())
    }

    pub(super) fn cell(&self, cell: CellIndex) -> Option<&Cell> {
        self.monitor.cells.get(cell)
    }

    /// Returns the line about how a cell stands that another process has.
    fn standing(&self, cell: CellIndex) -> Vec<String> {
        let standing = self.monitor.standing(cell);
        // A task that runs and has not got to this cell is nothing to tell.
        let standing = standing.filter(|standing| standing.kind != StandingKind::Waiting);
        standing.map_or_else(Vec::new, |standing| {
            self.line(cell, |_| words::one_line(&standing.words))
        })
    }

    fn measured(&mut self, cell: CellIndex, point: &Point) -> Vec<String> {
        let (Some(known), Some(said)) = (self.monitor.cells.get(cell), self.said.get_mut(cell)) else {
            return Vec::new();
        };
        for quantity in in_lines(Lines::All).filter(|quantity| quantity.value(point).is_some()) {
            said.steps.retain(|(key, _)| *key != quantity.key);
            said.steps.push((quantity.key, point.step));
        }
        // For a cell that ended earlier, points are sent again so that screens can draw its curves; lines skip them.
        if known.plan.ended.is_some() {
            return Vec::new();
        }
        let since = said.at_seconds.map(|last| point.seconds - last);
        if point.lambda.is_none() && since.is_some_and(|seconds| seconds < SECONDS_BETWEEN_EVALUATIONS) {
            return Vec::new();
        }
        said.at_seconds = Some(point.seconds);
        let told: Vec<(&Quantity, u64, f64)> = in_lines(Lines::All)
            .filter_map(|quantity| {
                let (_, step) = said.steps.iter().find(|(key, _)| *key == quantity.key)?;
                Some((quantity, *step, known.latest.first(quantity)?))
            })
            .collect();
        self.line(cell, |known| words::measured(&known.plan, point, &told))
    }

    /// Returns a line about a cell; no line if there is no such cell.
    fn line(&self, cell: CellIndex, rest: impl FnOnce(&Cell) -> String) -> Vec<String> {
        let rest = self.cell(cell).map(rest);
        rest.map(|rest| format!("{} · {rest}", self.cell_name(cell)))
            .into_iter()
            .collect()
    }
}

/// Returns how a cell ended and its last values; `None` if it has not ended.
pub(super) fn ended(cell: &Cell) -> Option<&(CellEnding, Summary)> {
    cell.plan.ended.as_ref()
}
