//! The training of one cell.

mod control;
mod evaluate;
mod optimizer;
mod outbox;
mod pace;
mod probes;
mod run;
mod schedule;
mod stopwatch;

use std::error::Error;

use burn::tensor::{Device, Tensor};

pub use control::{Control, Verdict};
pub use outbox::Outbox;
pub use probes::{probe_examples, probe_loss, rules};
pub use run::dtype;
pub use stopwatch::Stopwatch;

use crate::config::Settings;
use crate::event::{Activity, CellEnding, CellIndex, Point, StopReason, Summary};
use crate::model::{Examples, Network, RunningStatistics};
use run::Run;

/// Where a cell's points are written; what it cannot write ends the cell.
pub type Log<'a> = dyn FnMut(&Point) -> Result<(), Box<dyn Error + Send + Sync>> + 'a;

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

/// Trains one cell until a stopping rule is met, it diverges, or it is told to end.
///
/// Losses, accuracies and λ_max are measured before the first step, whenever they are due, and at the final iterate,
/// where λ_max is audited.
///
/// # Errors
///
/// Whatever `log` gives.
pub fn train(
    task: Task,
    control: &mut Control,
    outbox: &mut Outbox,
    log: &mut Log,
) -> Result<Trained, Box<dyn Error + Send + Sync>> {
    let planned_steps = task.settings.planned_steps();
    let mut run = Run::new(task, control, outbox, log);
    let mut ending = run.observe(None)?;
    run.forget_pace();
    while ending.is_none() {
        if let Some(stopped) = run.checkpoint(Activity::Training) {
            ending = Some(stopped);
            break;
        }
        run.step();
        let budget = (run.steps() >= planned_steps).then(|| budget_reason(task.settings, planned_steps));
        ending = if run.has_diverged(budget.is_some()) {
            run.observe_divergence()?;
            Some(CellEnding::Diverged)
        } else {
            run.observe(budget)?
        };
        run.report_progress(ending.is_some());
    }
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
