//! What is known of the sweep, and the line that each event is worth.

use crate::event::{
    Activity, CellEnding, CellIndex, CellPlan, Event, LambdaPoint, Point, Progress, Summary, SweepPlan,
};

use super::words;

/// Evaluations without λ_max are worth a line so often, in seconds of their cell; those with λ_max always are.
const SECONDS_BETWEEN_EVALUATIONS: f64 = 10.0;

/// The sweep as its events tell it.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) plan: Option<SweepPlan>,
    /// One for each cell of the plan.
    pub(super) cells: Vec<CellKnown>,
    pub(super) running: Option<CellIndex>,
    pub(super) activity: Option<Activity>,
}

/// One cell as its events tell it.
#[derive(Debug, Default)]
pub(super) struct CellKnown {
    pub(super) begun: bool,
    pub(super) ended: Option<(CellEnding, Summary)>,
    pub(super) progress: Progress,
    /// As last measured on the first probe.
    pub(super) lambda: Option<LambdaPoint>,
    /// As last evaluated, with the step.
    pub(super) train_loss: Option<(u64, f64)>,
    pub(super) test_accuracy: Option<(u64, f64)>,
    points_skipped: u64,
    last_line_seconds: Option<f64>,
}

impl Known {
    /// Learns from an event, and says what is to be written.
    pub(super) fn take(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::SweepStarted(plan) => {
                let cell = |plan: &CellPlan| CellKnown {
                    ended: plan.ended.clone(),
                    ..CellKnown::default()
                };
                self.cells = plan.cells.iter().map(cell).collect();
                self.plan = Some(plan.clone());
                vec![words::sweep_started(plan)]
            }
            Event::CellStarted { cell } => {
                self.running = Some(*cell);
                let Some(known) = self.cells.get_mut(*cell) else {
                    return Vec::new();
                };
                *known = CellKnown {
                    begun: true,
                    ..CellKnown::default()
                };
                self.line(*cell, words::cell_started)
            }
            Event::Progress { cell, progress } => {
                if let Some(known) = self.cells.get_mut(*cell) {
                    known.progress = *progress;
                }
                Vec::new()
            }
            Event::Measured { cell, point } => self.measured(*cell, point),
            Event::PointsSkipped { cell, count } => {
                if let Some(known) = self.cells.get_mut(*cell) {
                    known.points_skipped += count;
                }
                Vec::new()
            }
            Event::Activity(activity) => {
                self.activity = Some(*activity);
                Vec::new()
            }
            Event::CellEnded { cell, ending, summary } => {
                // A cell that waits can be aborted while another runs.
                self.running = self.running.filter(|running| running != cell);
                let Some(known) = self.cells.get_mut(*cell) else {
                    return Vec::new();
                };
                known.ended = Some((ending.clone(), summary.clone()));
                let skipped = known.points_skipped;
                self.line(*cell, |plan| words::cell_ended(plan, ending, summary, skipped))
            }
            Event::Notice(text) => vec![format!("note: {}", words::one_line(text))],
            Event::Queue { .. }
            | Event::CellAdded(_)
            | Event::CellRetried { .. }
            | Event::Logged(_)
            | Event::History { .. }
            | Event::TrainerLost
            | Event::SweepEnded(_) => Vec::new(),
            Event::Elsewhere(place) => vec![format!(
                "note: this run is trained {}; what follows is what its files say",
                words::one_line(place)
            )],
        }
    }

    /// How a cell is called, "cell 3/30 dropout=0.3 seed=1".
    pub(super) fn cell_name(&self, cell: CellIndex) -> String {
        let swept = self.cell_plan(cell).map(words::swept).unwrap_or_default();
        format!("cell {}/{}{swept}", cell + 1, self.cells.len())
    }

    pub(super) fn cell_plan(&self, cell: CellIndex) -> Option<&CellPlan> {
        self.plan.as_ref()?.cells.get(cell)
    }

    fn measured(&mut self, cell: CellIndex, point: &Point) -> Vec<String> {
        let Some(known) = self.cells.get_mut(cell) else {
            return Vec::new();
        };
        let at_step = |value: f64| (point.step, value);
        known.train_loss = point.train_loss.map(at_step).or(known.train_loss);
        known.test_accuracy = point.test_accuracy.map(at_step).or(known.test_accuracy);
        if let Some(lambda) = point.lambda.as_ref().filter(|lambda| lambda.lambda_probe == 0) {
            known.lambda = Some(lambda.clone());
        }
        // A cell that ended before this process began is told of again, for those who draw its curves.
        if known.ended.is_some() && self.running != Some(cell) {
            return Vec::new();
        }
        let since = known.last_line_seconds.map(|last| point.seconds - last);
        if point.lambda.is_none() && since.is_some_and(|seconds| seconds < SECONDS_BETWEEN_EVALUATIONS) {
            return Vec::new();
        }
        known.last_line_seconds = Some(point.seconds);
        let (train_loss, test_accuracy) = (known.train_loss, known.test_accuracy);
        self.line(cell, |plan| words::measured(plan, point, train_loss, test_accuracy))
    }

    /// A line about a cell of the plan; none if there is no such cell.
    fn line(&self, cell: CellIndex, rest: impl FnOnce(&CellPlan) -> String) -> Vec<String> {
        let rest = self.cell_plan(cell).map(rest);
        rest.map(|rest| format!("{} · {rest}", self.cell_name(cell)))
            .into_iter()
            .collect()
    }
}
