//! Batch sharpness: the curvature along the gradients of fresh batches.

use burn::tensor::Tensor;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{self, Along, Interrupted, MeanLoss};
use sharpness::model::{Examples, Normalization};
use sharpness::random::{Purpose, stream};

use super::{At, Measure};
use crate::config::Extent;
use crate::event::Point;
use crate::quantity::{
    BATCH_SHARPNESS, BATCH_SHARPNESS_BATCHES, BATCH_SHARPNESS_ERROR, BATCH_THRESHOLD, BATCH_THRESHOLD_SMALL,
    RATIO_OF_MEANS, RATIO_OF_MEANS_ERROR, STEP_SHARPNESS,
};
use crate::setup;
use crate::train::Task;
use crate::train::chunk::chunk;
use crate::train::parts::Parts;

/// The number of batches whose standard error decides how many are drawn.
const FIRST: u64 = 32;

/// Measures batch sharpness.
pub(super) struct BatchSharpness {
    error: f64,
    batches: u64,
    rng: ChaCha8Rng,
}

impl BatchSharpness {
    /// Creates the gauge, which draws as many batches as a relative standard error of `error` needs, and at most
    /// `batches`.
    pub(super) fn new(error: f64, batches: u64, task: &Task) -> Self {
        Self {
            error,
            batches,
            rng: stream(task.settings.seed, Purpose::Batches),
        }
    }
}

impl Measure for BatchSharpness {
    fn measure(&mut self, at: At, point: &mut Point) -> Result<(), Interrupted> {
        let At { task, go_on, .. } = at;
        let values = &mut point.values;
        let edges = at.optimizer.batch_edges(at.learning_rate);
        if let Some(edges) = edges {
            values.set(BATCH_THRESHOLD.key, edges.large);
            if edges.small < edges.large {
                values.set(BATCH_THRESHOLD_SMALL.key, edges.small);
            }
        }
        // An interrupted measurement is repeated with the same batches.
        let mut rng = self.rng.clone();
        let mut found = curvature::BatchSharpness::default();
        match task.settings.batch_size {
            // There is only one such batch.
            Extent::Full => found.add(along(task, at.parameters, task.train, go_on)?),
            Extent::Count(size) => {
                let mut wanted = FIRST;
                while (found.len() as u64) < wanted {
                    let drawn = index::sample(&mut rng, task.train.len(), size).into_vec();
                    found.add(along(task, at.parameters, &task.train.select(&drawn), go_on)?);
                    if found.len() as u64 == FIRST {
                        wanted = found.wanted(self.error).min(self.batches);
                    }
                }
            }
        }
        let step = match at.last_step {
            Some(step) => Some(along(task, step.before, &step.examples(task), go_on)?.curvature()),
            None => None,
        };
        self.rng = rng;
        let (ratios, means) = (found.mean_of_ratios(), found.ratio_of_means());
        values.set(BATCH_SHARPNESS.key, ratios.value);
        values.set(RATIO_OF_MEANS.key, means.value);
        values.set(BATCH_SHARPNESS_BATCHES, found.len() as f64);
        // One batch of all examples has no sampling error.
        if found.len() > 1 {
            values.set(BATCH_SHARPNESS_ERROR, ratios.standard_error);
            values.set(RATIO_OF_MEANS_ERROR, means.standard_error);
        }
        if let Some(step) = step {
            values.set(STEP_SHARPNESS.key, step);
        }
        Ok(())
    }

    fn parts(&mut self, parts: &mut Parts) {
        parts.stream("batches_position", &mut self.rng);
    }

    fn needs_last_step(&self) -> bool {
        true
    }
}

/// Measures the curvature of a batch along its gradient: no dropout, no augmentation, batch norm as in a training step.
fn along(
    task: Task,
    parameters: &Tensor<1>,
    batch: &Examples,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Along, Interrupted> {
    Along::gradient(batch_loss(task, batch), parameters, go_on)
}

/// Returns the mean loss of a batch as a training step has it, without dropout.
pub(super) fn batch_loss<'a>(task: Task<'a>, batch: &'a Examples) -> MeanLoss<'a> {
    MeanLoss {
        network: task.network,
        loss: setup::loss(task.settings),
        examples: batch,
        chunk: chunk(task.settings, batch.len(), task.network.has_batch_norm()),
        normalization: Normalization::Batch,
        running: &[],
    }
}
