//! Everything that decides how a cell goes on after a step.

use std::sync::Arc;

use burn::tensor::Tensor;
use sharpness::curvature::TrackState;
use sharpness::model::RunningStatistics;
use sharpness::optimizer::State;

use super::schedule::Spending;
use crate::event::Summary;

/// The state of a cell between two steps.
///
/// Random streams are those of the cell's seed, so where each is says all about it.
#[derive(Clone)]
pub struct Snapshot {
    /// Optimizer steps taken.
    pub step: u64,
    /// Whether what was due after that step has been measured and written down.
    pub observed: bool,
    /// Seconds the cell had run, pauses excluded.
    pub seconds: f64,
    /// `[parameters]`.
    pub parameters: Tensor<1>,
    /// Of the batch-norm layers.
    pub running: Vec<RunningStatistics>,
    /// What the optimizer keeps between two steps.
    pub optimizer: State,
    /// Mean losses of the last steps' batches that nobody has looked at yet, `[1]` each.
    pub losses: Vec<Tensor<1>>,
    /// The gradient of the last step's batch, `[parameters]`, if that step is not observed yet.
    pub gradient: Option<Tensor<1>>,
    /// The order of the training examples in this epoch.
    pub order: Arc<Vec<usize>>,
    /// Which of them comes next.
    pub next: usize,
    /// Where the stream of random orders is.
    pub order_position: u128,
    /// Where that of dropout masks is.
    pub dropout_position: u128,
    /// Where that of the images' variations is, if they are varied.
    pub augmentation_position: Option<u128>,
    /// The settings' learning rate, which the schedule scales: another one where it was changed by hand.
    pub learning_rate: f64,
    /// What measuring has cost so far.
    pub spending: Spending,
    /// λ_max's track on each probe.
    pub tracks: Vec<TrackState>,
    /// The last values.
    pub summary: Summary,
}
