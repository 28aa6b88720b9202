//! Sharpness-aware minimization (Foret et al. 2021, "Sharpness-aware minimization for efficiently improving
//! generalization"), exactly and as its authors' code has it.

use burn::tensor::Tensor;

use super::{Kept, Length, Optimizer, Step, decayed};
use crate::tensor::norm;

/// Below any norm that is not zero for want of a gradient.
const TINY: f64 = 1e-30;

/// Another optimizer's step with the gradient at w + ρ g/‖g‖ in the place of g, the gradient at w.
///
/// A step takes two gradients of the same batch with the same dropout masks. Weight decay is part of the loss in both. Who
/// computes them lets batch norm take the statistics of the first pass alone into its running ones.
pub struct Sam {
    rho: f64,
    base: Box<dyn Optimizer>,
    /// ‖g‖ of the last ascent, `[1]`, still on the device.
    climbed: Option<Tensor<1>>,
}

impl Sam {
    /// With radius ρ > 0, around `base`.
    pub fn new(rho: f64, base: Box<dyn Optimizer>) -> Self {
        Self {
            rho,
            base,
            climbed: None,
        }
    }
}

impl Optimizer for Sam {
    fn step(&mut self, step: Step) -> Tensor<1> {
        let Step {
            parameters,
            gradient,
            learning_rate,
            gradient_at,
        } = step;
        let decay = self.base.weight_decay();
        let climb = Climb::new(&parameters, &decayed(decay, &parameters, gradient), self.rho);
        self.climbed = Some(climb.norm);
        let descent = gradient_at(&climb.parameters);
        // The base adds the decay of w; that of the climb belongs to it, too.
        let gradient = decayed(decay, &(climb.parameters - parameters.clone()), descent);
        self.base.step(Step {
            parameters,
            gradient,
            learning_rate,
            gradient_at,
        })
    }

    fn weight_decay(&self) -> f64 {
        self.base.weight_decay()
    }

    /// [`sam_edge`] of the last ascent, which is read from the device; `None` before the first one.
    fn edge(&self, learning_rate: f64) -> Option<f64> {
        let norm = norm(self.climbed.as_ref()?);
        Some(sam_edge(self.base.edge(learning_rate)?, self.rho, norm))
    }

    fn edge_formula(&self) -> &'static str {
        "SAM edge"
    }

    fn edge_meaning(&self) -> &'static str {
        "SAM stays near a minimum only while λ_max is below ‖g‖/(2ρ)·(√(1 + 4ρT/‖g‖) − 1), with T the threshold without SAM and \
         ‖g‖ the norm of the gradient it climbs along"
    }

    /// The base's, and ‖g‖ of the last ascent.
    fn kept(&mut self) -> Vec<Kept<'_>> {
        let mut kept = self.base.kept();
        kept.push(Kept {
            name: "climbed",
            length: Length::One,
            tensor: &mut self.climbed,
        });
        kept
    }
}

/// The edge of SAM with radius ρ around an optimizer whose own edge is T, where it climbs along a gradient of length ‖g‖.
///
/// SAM's step along an eigenvector of λ is that of λ(1 + ρλ/‖g‖), so that its edge is ‖g‖/(2ρ)·(√(1 + 4ρT/‖g‖) − 1); for gradient
/// descent T = 2/η (Long and Bartlett 2023, "Sharpness-aware minimization and the edge of stability").
pub fn sam_edge(edge: f64, rho: f64, norm: f64) -> f64 {
    // The same number, without the difference that cancels where ρ is small.
    2.0 * edge / ((1.0 + 4.0 * rho * edge / norm).sqrt() + 1.0)
}

/// The ascent of one step.
struct Climb {
    /// w + ρ g/‖g‖, `[parameters]`; w itself where g is zero.
    parameters: Tensor<1>,
    /// ‖g‖, `[1]`, still on the device.
    norm: Tensor<1>,
}

impl Climb {
    /// From w along g, both `[parameters]`, as far as ρ.
    fn new(parameters: &Tensor<1>, gradient: &Tensor<1>, rho: f64) -> Self {
        // Scaled by its largest entry, so that no square leaves the format's range.
        let largest = gradient.clone().abs().max().clamp_min(TINY);
        let scaled = gradient.clone() / largest.clone();
        let length = (scaled.clone() * scaled.clone()).sum().sqrt().clamp_min(TINY);
        Self {
            parameters: parameters.clone() + scaled / length.clone() * rho,
            norm: length * largest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_edge_of_sam_a_step_on_a_parabola_ends_on_its_other_side() {
        // L = λx²/2: SAM steps from x to x − ηλ(x + ρ sign x), which is −x at the edge.
        for (rate, rho) in [(0.05, 0.1), (0.2, 0.5), (0.01, 1e-9), (3.0, 20.0)] {
            for x in [0.01, 0.3, 7.0] {
                let lambda = 2.0 * x / (rate * (x + rho));
                let edge = sam_edge(2.0 / rate, rho, lambda * x);
                assert!((edge / lambda - 1.0).abs() < 1e-12, "{edge} is not {lambda}");
            }
        }
    }
}
