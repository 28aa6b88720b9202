//! The training of one cell.

mod augment;
mod chunk;
mod control;
mod evaluate;
mod gauges;
mod last_values;
mod losses;
mod needs;
mod outbox;
mod pace;
mod parts;
mod pauses;
mod probes;
mod run;
mod schedule;
mod snapshot;
mod stopwatch;

use std::error::Error;
use std::time::Duration;

use burn::tensor::{Device, Tensor};
use sharpness::model::{Examples, Network, RunningStatistics};

pub use augment::{Augmenter, View};
pub use control::{Control, Verdict};
pub use needs::{Moment, Needs, needs};
pub use outbox::{Log, Outbox};
pub use probes::{probe_examples, probe_loss, rules};
pub use snapshot::{Array, Position, Snapshot};
pub use stopwatch::Stopwatch;

use crate::config::Settings;
use crate::event::{CellEnding, CellIndex, Point, StopReason, Summary};
use run::Run;

/// An error that stops a cell.
pub type AnyError = Box<dyn Error + Send + Sync>;

/// Stores the results of a cell while it trains. An error of a method ends the cell.
pub trait Keeper {
    /// Writes a point.
    ///
    /// # Errors
    ///
    /// Returns the error of writing.
    fn point(&mut self, point: &Point) -> Result<(), AnyError>;

    /// Writes the parameters, `[parameters]`, and running statistics after `step` steps, replacing earlier ones.
    ///
    /// # Errors
    ///
    /// Returns the error of writing.
    fn parameters(&mut self, step: u64, parameters: &Tensor<1>, running: &[RunningStatistics]) -> Result<(), AnyError>;

    /// Writes everything that the cell needs to continue. A crash at any moment leaves either this snapshot or the one
    /// before.
    ///
    /// # Errors
    ///
    /// Returns the error of writing.
    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<(), AnyError>;

    /// Writes a snapshot that stays after the cell has ended.
    ///
    /// # Errors
    ///
    /// Returns the error of writing.
    fn lasting(&mut self, snapshot: &Snapshot) -> Result<(), AnyError>;

    /// Returns the time between two snapshots: the most that a kill or a power failure can lose.
    fn keep_every(&self) -> Duration;

    /// Returns whether the cause of a write error may be temporary, such as a full disk.
    fn can_pass(&self, _: &AnyError) -> bool {
        false
    }
}

/// A cell to train, with its network and data.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// Position in the queue.
    pub cell: CellIndex,
    /// The settings of the cell.
    pub settings: &'a Settings,
    /// The network of the settings.
    pub network: &'a Network,
    /// Training examples, on the device.
    pub train: &'a Examples,
    /// Test examples, on the device.
    pub test: &'a Examples,
    /// The standardized value of a black pixel, one per channel.
    pub black: &'a [f32],
    /// The device of the examples, without autodiff.
    pub device: &'a Device,
}

/// A trained cell.
pub struct Trained {
    /// How it ended.
    pub ending: CellEnding,
    /// Its last values.
    pub summary: Summary,
    /// Its parameters, `[parameters]`.
    pub parameters: Tensor<1>,
    /// Its batch-norm layers' running statistics.
    pub running: Vec<RunningStatistics>,
}

/// Trains one cell, from its start or from the snapshot `from` of an earlier process, until a stopping rule is met, it
/// diverges, or it is told to end.
///
/// Losses, accuracies and λ_max are measured before the first step, when they are due, and at the final iterate, where
/// λ_max is audited.
///
/// # Errors
///
/// Returns the errors of `keeper`, and an error if `from` does not fit the cell.
pub fn train(
    task: Task,
    control: &mut Control,
    outbox: &mut Outbox,
    keeper: &mut dyn Keeper,
    from: Option<&Snapshot>,
) -> Result<Trained, AnyError> {
    let planned_steps = task.settings.planned_steps();
    control.begin(task.cell);
    let mut run = Run::new(task, control, outbox, keeper);
    let observed = from.is_some_and(|from| from.position.observed);
    if let Some(from) = from {
        run.go_on_from(from)?;
    }
    // Reports a full disk now, not after hours of training.
    run.keep_parameters()?;
    let mut ending = None;
    let mut to_observe = !observed;
    while ending.is_none() {
        if !to_observe {
            if run.is_to_pause() {
                run.keep_now()?;
            }
            if let Some(stopped) = run.between_steps() {
                run.keep_now()?;
                ending = Some(stopped);
                break;
            }
            run.change_learning_rate()?;
            if run.is_to_pause() {
                continue;
            }
            run.step();
        }
        // If the observation is interrupted, this snapshot is kept, and the process that continues repeats the
        // observation.
        let before = run.snapshot(false);
        let budget = (run.steps() >= planned_steps).then(|| budget_reason(task.settings, planned_steps));
        ending = run.observe(budget)?;
        if ending == Some(CellEnding::Interrupted) {
            run.keep(&before)?;
        }
        if to_observe {
            run.forget_pace();
        }
        to_observe = false;
        run.report_progress(ending.is_some());
        if ending.is_none() {
            run.keep_lasting(false)?;
            run.keep_now_and_then()?;
        }
    }
    let ending = ending.unwrap_or(CellEnding::Interrupted);
    if ending != CellEnding::Interrupted {
        run.keep_lasting(true)?;
        run.tell_dropped();
    }
    run.keep_parameters()?;
    Ok(run.finish(ending))
}

/// Measures a cell at a snapshot: λ_max on every probe, from a cold start, and the gauges of its settings. Returns a point
/// for each probe.
///
/// A snapshot that is not `complete` has parameters and running statistics only. What depends on the optimizer's state or
/// on the last step is then not measured.
///
/// # Errors
///
/// Returns an error if the snapshot does not fit the cell.
pub fn measure(task: Task, from: &Snapshot, is_complete: bool) -> Result<Vec<Point>, AnyError> {
    let (_commands, receiver) = crossbeam_channel::unbounded();
    let (events, _receiver) = crossbeam_channel::unbounded();
    let (mut control, mut outbox, mut nowhere) = (Control::new(receiver), Outbox::new(events), Nowhere);
    control.begin(task.cell);
    let mut run = Run::new(task, &mut control, &mut outbox, &mut nowhere);
    run.stand_at(from, is_complete)?;
    Ok(run.measure_here().map_err(|_| "the measurement was interrupted")?)
}

/// Keeps nothing.
struct Nowhere;

impl Keeper for Nowhere {
    fn point(&mut self, _: &Point) -> Result<(), AnyError> {
        Ok(())
    }

    fn parameters(&mut self, _: u64, _: &Tensor<1>, _: &[RunningStatistics]) -> Result<(), AnyError> {
        Ok(())
    }

    fn snapshot(&mut self, _: &Snapshot) -> Result<(), AnyError> {
        Ok(())
    }

    fn lasting(&mut self, _: &Snapshot) -> Result<(), AnyError> {
        Ok(())
    }

    fn keep_every(&self) -> Duration {
        Duration::MAX
    }
}

/// Returns which of the two budgets, steps or epochs, is used up at `planned_steps`; the steps if both are.
fn budget_reason(settings: &Settings, planned_steps: u64) -> StopReason {
    if settings.steps == Some(planned_steps) {
        StopReason::Steps
    } else {
        StopReason::Epochs
    }
}
