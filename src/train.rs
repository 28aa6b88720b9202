//! The training of one cell.

mod augment;
mod control;
mod evaluate;
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
pub use control::{Applied, Control, Desk, Verdict};
pub use needs::{Moment, Needs, needs};
pub use outbox::{Log, Outbox};
pub use probes::{probe_examples, probe_loss, rules};
pub use snapshot::{Array, Position, Snapshot};
pub use stopwatch::Stopwatch;

use crate::config::Settings;
use crate::event::{CellEnding, CellIndex, Point, Progress, StopReason, Summary};
use run::Run;

/// Whatever keeps a cell from going on.
pub type AnyError = Box<dyn Error + Send + Sync>;

/// Where a cell's results are kept as they come; what cannot be kept ends the cell.
pub trait Keeper {
    /// Writes a point down.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being written.
    fn point(&mut self, point: &Point) -> Result<(), AnyError>;

    /// Writes the parameters, `[parameters]`, and running statistics after `step` steps down, in place of earlier ones.
    ///
    /// # Errors
    ///
    /// Whatever keeps them from being written.
    fn parameters(&mut self, step: u64, parameters: &Tensor<1>, running: &[RunningStatistics]) -> Result<(), AnyError>;

    /// Writes everything down that the cell could go on with, so that a crash at any moment leaves this or the one before.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being written.
    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<(), AnyError>;

    /// Hears how far the cell is, several times a second while it trains; for whoever wants to know, it is not to be kept.
    fn progress(&mut self, _: &Progress) {}

    /// How much time may pass between two of them: what a kill or a loss of power can take.
    fn keep_every(&self) -> Duration;

    /// Whether what kept something from being written may pass, as a full disk does.
    fn can_pass(&self, _: &AnyError) -> bool {
        false
    }
}

/// What one cell trains on.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// Position in the queue.
    pub cell: CellIndex,
    /// What to compute.
    pub settings: &'a Settings,
    /// The network of the settings.
    pub network: &'a Network,
    /// Training examples, on the device.
    pub train: &'a Examples,
    /// Test examples, on the device.
    pub test: &'a Examples,
    /// What a black pixel is in them, one a channel.
    pub black: &'a [f32],
    /// Where they are, without autodiff.
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

/// Trains one cell, from its start or `from` where an earlier process was, until a stopping rule is met, it diverges, or it is told to end.
///
/// Losses, accuracies and λ_max are measured before the first step, whenever they are due, and at the final iterate,
/// where λ_max is audited.
///
/// # Errors
///
/// Whatever `keeper` gives.
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
    // A disk that is full is better known now than in the morning.
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
        // What an interrupted observation was about to tell is told by the process that goes on.
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
            run.keep_now_and_then()?;
        }
    }
    run.keep_parameters()?;
    Ok(run.finish(ending.unwrap_or(CellEnding::Interrupted)))
}

/// Which of the two budgets is used up at `planned_steps`; the number of steps where both are.
fn budget_reason(settings: &Settings, planned_steps: u64) -> StopReason {
    if settings.steps == Some(planned_steps) {
        StopReason::Steps
    } else {
        StopReason::Epochs
    }
}
