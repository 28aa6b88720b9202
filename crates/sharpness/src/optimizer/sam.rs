//! Sharpness-aware minimization, SAM (Foret et al. 2021, "Sharpness-aware minimization for efficiently improving
//! generalization"), without approximation, as in its authors' code.

use burn::tensor::Tensor;

use super::{Kept, Optimizer, State, Step, decayed};
use crate::tensor::norm;

/// Lower limit of norms, against division by zero. Any norm of a non-zero gradient is larger.
const TINY: f64 = 1e-30;

/// SAM around a base optimizer: the base takes its step with the gradient at w + ρ g/‖g‖ instead of g, the gradient at
/// w.
///
/// A step takes two gradients of the same batch with the same dropout masks. Both include weight decay. The caller
/// updates batch norm's running statistics in the first of the two passes only.
pub struct Sam {
    rho: f64,
    base: Box<dyn Optimizer>,
    /// ‖g‖ of the last ascent, `[1]`, still on the device.
    climbed: Option<Tensor<1>>,
}

impl Sam {
    /// Creates SAM with radius ρ > 0 around `base`.
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
        // The base adds the decay at w, μw. Here the decay of the ascent is added: μ times the ascent.
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

    /// Returns [`sam_edge`] for the last ascent, whose ‖g‖ is read from the device; `None` before the first ascent.
    ///
    /// `None` also around a preconditioned base, for which no edge is known: an eigenvector of P⁻¹H is none of H, so SAM's
    /// ascent leaves it.
    fn edge(&self, learning_rate: f64) -> Option<f64> {
        if !self.has_edge() {
            return None;
        }
        let norm = norm(self.climbed.as_ref()?);
        Some(sam_edge(self.base.edge(learning_rate)?, self.rho, norm))
    }

    fn has_edge(&self) -> bool {
        !self.is_preconditioned()
    }

    fn edge_formula(&self) -> String {
        if self.has_edge() { "SAM edge" } else { "none known" }.to_owned()
    }

    fn edge_meaning(&self) -> &'static str {
        if !self.has_edge() {
            return "no threshold is known for SAM with a preconditioned optimizer (Adam, AdamW, RMSProp), so none is drawn";
        }
        "SAM stays near a minimum only while λ_max is below ‖g‖/(2ρ)·(√(1 + 4ρT/‖g‖) − 1), with T the threshold without SAM and \
         ‖g‖ the norm of the gradient it climbs along"
    }

    fn is_preconditioned(&self) -> bool {
        self.base.is_preconditioned()
    }

    /// Returns the P of the base.
    fn preconditioner(&self) -> Option<Tensor<1>> {
        self.base.preconditioner()
    }

    /// Returns the base's state, and ‖g‖ of the last ascent.
    fn kept(&mut self) -> Vec<Kept<'_>> {
        let mut kept = self.base.kept();
        kept.push(Kept {
            name: "climbed",
            state: State::Scalar(&mut self.climbed),
        });
        kept
    }
}

/// Returns the edge of SAM with radius ρ around an optimizer whose own edge is T, for an ascent along a gradient of
/// norm ‖g‖.
///
/// Along an eigenvector with eigenvalue λ, SAM takes the step that its base would take with eigenvalue λ(1 + ρλ/‖g‖).
/// The edge is therefore ‖g‖/(2ρ)·(√(1 + 4ρT/‖g‖) − 1); for gradient descent T = 2/η (Long and Bartlett 2023,
/// "Sharpness-aware minimization and the edge of stability").
pub fn sam_edge(edge: f64, rho: f64, norm: f64) -> f64 {
    // The same number, without the difference, which loses digits if ρ is small.
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
    /// Moves from w along g, both `[parameters]`, by the distance ρ.
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
