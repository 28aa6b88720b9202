//! The share of gradients in the space of the tracked eigenvectors, and the curvature along the last step.

use sharpness::curvature::{Along, Hessian, Interrupted, MeanLoss, alignment};
use sharpness::model::Normalization;

use super::batch_sharpness::batch_loss;
use super::{At, Measure};
use crate::config::Extent;
use crate::event::Point;
use crate::quantity::{ALIGNMENT, BATCH_ALIGNMENT, STEP_CURVATURE, STEP_CURVATURE_ON_BATCH};
use crate::train::parts::Parts;

/// Measures the alignment.
pub(super) struct Alignment;

impl Measure for Alignment {
    fn measure(&mut self, at: At, point: &mut Point) -> Result<(), Interrupted> {
        let At { task, go_on, .. } = at;
        let Some(top) = &at.top else { return Ok(()) };
        if !go_on() {
            return Err(Interrupted);
        }
        // The gradient of full-batch descent; otherwise that of the whole training set in evaluation mode.
        let full = match task.settings.batch_size {
            Extent::Full => batch_loss(task, task.train),
            Extent::Count(_) => MeanLoss {
                normalization: Normalization::Running,
                chunk: task.settings.chunk_size,
                running: at.running,
                ..batch_loss(task, task.train)
            },
        };
        let (_, gradient) = full.value_and_gradient(at.parameters);
        point.values.set(ALIGNMENT.key, alignment(top, &gradient));
        if let Some(gradient) = at.gradient {
            point.values.set(BATCH_ALIGNMENT.key, alignment(top, gradient));
        }
        if let Some(step) = at.last_step {
            let taken = at.parameters.clone() - step.before.clone();
            let mut on = |loss: MeanLoss, key| -> Result<(), Interrupted> {
                let mut hessian = Hessian::new(loss, step.before, go_on).keeping(0);
                let curvature = Along::direction(&mut hessian, &taken)?.curvature();
                point.values.set(key, curvature);
                Ok(())
            };
            on(at.probe, STEP_CURVATURE.key)?;
            let batch = step.examples(task);
            on(batch_loss(task, &batch), STEP_CURVATURE_ON_BATCH.key)?;
        }
        Ok(())
    }

    fn parts(&mut self, _: &mut Parts) {}

    fn needs_last_step(&self) -> bool {
        true
    }
}
