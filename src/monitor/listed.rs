//! A run in a list of runs: its state, its progress, and its best values.

use crate::event::{CellEnding, CellIndex};
use crate::quantity::{LAMBDA_MAX, Quantity, TEST_ACCURACY, TEST_LOSS};

use super::{Cell, CellState, Monitor};

/// A run in a list of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// The name of its folder.
    pub name: String,
    /// Its state.
    pub state: Stage,
    /// Number of its cells.
    pub cells: usize,
    /// Number of cells that have ended and need not run again; none if the files do not say that.
    pub done: Option<usize>,
    /// The fraction of the planned steps that were taken; those of a cell that has ended count as taken. None if nobody
    /// knows how many are planned.
    pub share: Option<f64>,
    /// The largest last test accuracy, with its cell.
    pub accuracy: Option<(f64, CellIndex)>,
    /// The smallest last test loss, with its cell.
    pub loss: Option<(f64, CellIndex)>,
    /// The smallest and the largest last λ_max on the first probe. Values that did not converge do not count.
    pub lambda: Option<(f64, f64)>,
    /// Why it cannot be read.
    pub problem: Option<String>,
}

/// The state of a run in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// It was not read yet.
    #[default]
    Unread,
    /// It cannot be read.
    Unreadable,
    /// A process trains it.
    Training,
    /// Tasks train it, or wait for Slurm.
    Tasks,
    /// Another machine trains it, as far as its files say.
    Elsewhere,
    /// Every cell has ended.
    Complete,
    /// It was stopped with cells unfinished.
    Stopped,
    /// It failed.
    Failed,
    /// Its process has ended without saying so.
    Killed,
    /// Another program writes its files, and they grow.
    Growing,
    /// Another program wrote its files, and they do not grow.
    Still,
}

impl Stage {
    /// Returns the word for tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unread => "…",
            Self::Unreadable => "unreadable",
            Self::Training => "training",
            Self::Tasks => "tasks",
            Self::Elsewhere => "elsewhere",
            Self::Complete => "complete",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::Growing => "growing",
            Self::Still => "still",
        }
    }

    /// Returns whether it may change by itself.
    #[must_use]
    pub const fn goes_on(self) -> bool {
        matches!(self, Self::Training | Self::Tasks | Self::Elsewhere | Self::Growing)
    }
}

impl Listed {
    /// Returns the entry of a run with this state.
    #[must_use]
    pub fn of(name: &str, state: Stage, monitor: &Monitor) -> Self {
        let cells = &monitor.cells;
        let is_foreign = monitor.foreign.is_some();
        let planned: u64 = cells.iter().map(|cell| cell.plan.planned_steps).sum();
        let lambdas = cells.iter().filter_map(converged_lambda);
        Self {
            name: name.to_owned(),
            state,
            cells: cells.len(),
            done: (!is_foreign).then(|| monitor.done()),
            share: (planned > 0).then(|| cells.iter().map(taken).sum::<f64>() / planned as f64),
            accuracy: best(cells, &TEST_ACCURACY),
            loss: best(cells, &TEST_LOSS),
            lambda: lambdas.fold(None, |range, value| {
                let (low, high) = range.unwrap_or((value, value));
                Some((value.min(low), value.max(high)))
            }),
            problem: None,
        }
    }
}

/// Returns the steps of a cell that need not be taken any more.
fn taken(cell: &Cell) -> f64 {
    let steps = match &cell.state {
        CellState::Ended(ending) if *ending != CellEnding::Interrupted => cell.plan.planned_steps,
        _ => cell.progress.step.min(cell.plan.planned_steps),
    };
    steps as f64
}

/// Returns the best last value of a quantity, and its cell.
fn best(cells: &[Cell], quantity: &Quantity) -> Option<(f64, CellIndex)> {
    let values = cells.iter().enumerate().filter_map(|(index, cell)| {
        let value = cell.latest.first(quantity).filter(|value| value.is_finite())?;
        Some((value, index))
    });
    // Of equal values, the first cell.
    values.reduce(|best, other| {
        let is_better = if quantity.told.largest_first {
            other.0 > best.0
        } else {
            other.0 < best.0
        };
        if is_better { other } else { best }
    })
}

fn converged_lambda(cell: &Cell) -> Option<f64> {
    let value = cell.latest.first(&LAMBDA_MAX).filter(|value| value.is_finite())?;
    (cell.latest.converged(&LAMBDA_MAX) == Some(true)).then_some(value)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::event::{CellPlan, Event, LambdaPoint, Point, StopReason, Summary, SweepPlan};

    #[test]
    fn an_entry_has_the_progress_and_the_best_last_values_of_all_cells() {
        let mut monitor = Monitor::without_curves();
        let plan = CellPlan {
            planned_steps: 100,
            probes: vec!["training".to_owned()],
            ..CellPlan::default()
        };
        let mut apply = |event| monitor.apply(event, Instant::now());
        apply(Event::SweepStarted(SweepPlan {
            name: "sweep".to_owned(),
            run_dir: "runs/sweep".into(),
            device: "flex".to_owned(),
            cells: vec![plan; 4],
            earlier_seconds: 0.0,
        }));
        let point = |step, accuracy: f64, loss: f64, lambda_max, lambda_converged| Point {
            step,
            lambda: Some(LambdaPoint {
                lambda_max,
                lambda_converged,
                ..LambdaPoint::default()
            }),
            ..Point::default()
                .with(TEST_ACCURACY.key, accuracy)
                .with(TEST_LOSS.key, loss)
        };
        for (cell, points) in [
            (
                0,
                vec![point(10, 0.9, 0.1, 90.0, true), point(20, 0.5, 0.75, 30.0, true)],
            ),
            (1, vec![point(50, 0.75, f64::NAN, 10.0, true)]),
            (2, vec![point(30, 0.75, 0.5, 900.0, false)]),
        ] {
            apply(Event::CellStarted { cell });
            for point in points {
                let point = Box::new(point);
                apply(Event::Measured { cell, point });
            }
        }
        let mut summary = Summary::default();
        summary.take_in(&point(20, 0.5, 0.75, 30.0, true));
        let (cell, ending) = (0, CellEnding::Finished(StopReason::TrainLoss));
        apply(Event::CellEnded { cell, ending, summary });
        let listed = Listed::of("sweep", Stage::Training, &monitor);
        assert_eq!((listed.done, listed.cells, listed.share), (Some(1), 4, Some(0.45)));
        assert_eq!((listed.accuracy, listed.loss), (Some((0.75, 1)), Some((0.5, 2))));
        assert_eq!(listed.lambda, Some((10.0, 30.0)));
        monitor.apply(Event::Foreign("read from files".to_owned()), Instant::now());
        assert_eq!(Listed::of("logs", Stage::Still, &monitor).done, None);
    }
}
