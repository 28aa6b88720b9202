//! The share of gradients in the space of the tracked eigenvectors, and the curvature along the last step.

use burn::tensor::Tensor;
use sharpness::curvature::{Along, Hessian, Interrupted, MeanLoss};
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
        point.values.set(ALIGNMENT.key, share(top, &gradient));
        if let Some(gradient) = at.gradient {
            point.values.set(BATCH_ALIGNMENT.key, share(top, gradient));
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

/// Returns ‖Uᵀg‖²/‖g‖² for eigenvectors U, which are orthogonal up to the square of their residuals; NaN if g is 0 or not
/// finite.
fn share(top: &[Tensor<1>], gradient: &Tensor<1>) -> f64 {
    let dot = |x: &Tensor<1>, y: &Tensor<1>| (x.clone() * y.clone()).sum();
    let of_vector = |u| [dot(u, gradient), dot(u, u)];
    let products: Vec<Tensor<1>> = top
        .iter()
        .flat_map(of_vector)
        .chain([dot(gradient, gradient)])
        .collect();
    // One read from the device.
    let products: Vec<f64> = Tensor::cat(products, 0).into_data_as::<f64>().iter::<f64>().collect();
    let (pairs, squared) = products.split_at(2 * top.len());
    let inside: f64 = pairs.chunks_exact(2).map(|pair| pair[0] * pair[0] / pair[1]).sum();
    // Rounding may lead just above 1. `min` would turn NaN into 1.
    (inside / squared[0]).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;

    fn vector(values: [f64; 3]) -> Tensor<1> {
        Tensor::from_data(values, (&Device::flex(), DType::F64))
    }

    #[test]
    fn a_share_is_that_of_the_projection_and_no_number_without_a_usable_gradient() {
        let top = [vector([2.0, 0.0, 0.0]), vector([0.0, 1.0, 0.0])];
        assert!((share(&top, &vector([3.0, 4.0, 12.0])) - 25.0 / 169.0).abs() < 1e-15);
        assert!((share(&top, &vector([3.0, 4.0, 0.0])) - 1.0).abs() < 1e-15);
        for bad in [[0.0; 3], [f64::NAN, 1.0, 1.0], [f64::INFINITY, 1.0, 1.0]] {
            assert!(share(&top, &vector(bad)).is_nan(), "{bad:?}");
        }
    }
}
