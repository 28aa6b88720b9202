//! Adam (Kingma and Ba 2015, "Adam: a method for stochastic optimization"), with weight decay in the gradient.

use burn::tensor::Tensor;

use super::rms_prop::averaged_squares;
use super::{Kept, Optimizer, State, Step, decayed};
use crate::tensor::add_scaled;

/// Adam as in PyTorch: m ← β₁m + (1−β₁)d, ν ← β₂ν + (1−β₂)d², w ← w − η m̂/(√ν̂ + ε), where d = g + μw and, after t steps,
/// m̂ = m/(1−β₁ᵗ) and ν̂ = ν/(1−β₂ᵗ).
///
/// The step is w ← w − ηP⁻¹m with the diagonal preconditioner P = (1−β₁ᵗ)(√ν̂ + ε).
pub struct Adam {
    how: Moments,
    weight_decay: f64,
    average: Option<Tensor<1>>,
    square_average: Option<Tensor<1>>,
    steps: u64,
}

/// The constants of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// β₁ in [0, 1), the decay of the average gradient m.
    pub beta1: f64,
    /// β₂ in [0, 1), the decay of the average squared gradient ν.
    pub beta2: f64,
    /// ε > 0.
    pub eps: f64,
}

impl Default for Moments {
    /// Returns β₁ = 0.9, β₂ = 0.999 and ε = 10⁻⁸, as in the paper and in PyTorch.
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
        }
    }
}

impl Adam {
    /// Creates the optimizer with m = 0 and ν = 0, and weight decay μ.
    pub fn new(how: Moments, weight_decay: f64) -> Self {
        Self {
            how,
            weight_decay,
            average: None,
            square_average: None,
            steps: 0,
        }
    }

    /// Returns (2 + 2β₁)/(1 − β₁), the edge times η.
    pub(super) fn edge_factor(&self) -> f64 {
        let beta = self.how.beta1;
        (2.0 + 2.0 * beta) / (1.0 - beta)
    }

    /// Returns 1 − βᵗ for the present t.
    fn correction(&self, beta: f64) -> f64 {
        1.0 - beta.powf(self.steps as f64)
    }

    /// Returns √ν̂ + ε, `[parameters]`.
    fn scale(&self, square_average: Tensor<1>) -> Tensor<1> {
        square_average.sqrt() / self.correction(self.how.beta2).sqrt() + self.how.eps
    }
}

impl Optimizer for Adam {
    fn step(&mut self, step: Step) -> Tensor<1> {
        let Moments { beta1, beta2, .. } = self.how;
        let gradient = decayed(self.weight_decay, &step.parameters, step.gradient);
        let square_average = averaged_squares(self.square_average.take(), &gradient, beta2);
        let average = match self.average.take() {
            Some(average) => add_scaled(average.clone(), gradient - average, 1.0 - beta1),
            None => gradient * (1.0 - beta1),
        };
        self.steps += 1;
        let update = average.clone() / self.scale(square_average.clone());
        (self.average, self.square_average) = (Some(average), Some(square_average));
        let rate = step.learning_rate / self.correction(beta1);
        add_scaled(step.parameters, update, -rate)
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    /// Returns (2 + 2β₁)/((1 − β₁)η): 38/η at β₁ = 0.9.
    ///
    /// The average m = (1−β₁)v moves by the velocity v of a heavy ball, so a constant P makes Adam a heavy ball with the
    /// rate (1−β₁)η (Cohen et al. 2022, "Adaptive gradient methods at the edge of stability").
    fn edge(&self, learning_rate: f64) -> Option<f64> {
        Some(self.edge_factor() / learning_rate)
    }

    fn edge_formula(&self) -> String {
        format!("{}/η", short(self.edge_factor()))
    }

    fn edge_meaning(&self) -> &'static str {
        "Adam with a constant P stays near a minimum only while the preconditioned sharpness is below (2+2β₁)/((1−β₁)η)"
    }

    fn edge_is_inverse_in_rate(&self) -> bool {
        true
    }

    fn is_preconditioned(&self) -> bool {
        true
    }

    /// Returns (1−β₁ᵗ)(√ν̂ + ε).
    fn preconditioner(&self) -> Option<Tensor<1>> {
        let scale = self.scale(self.square_average.clone()?);
        Some(scale * self.correction(self.how.beta1))
    }

    /// Returns m, ν and t.
    fn kept(&mut self) -> Vec<Kept<'_>> {
        vec![
            Kept {
                name: "average",
                state: State::Vector(&mut self.average),
            },
            Kept {
                name: "square_average",
                state: State::Vector(&mut self.square_average),
            },
            Kept {
                name: "steps",
                state: State::Count(&mut self.steps),
            },
        ]
    }
}

/// Returns a factor for people, with four significant digits at most: "38", "13.25".
pub(super) fn short(factor: f64) -> String {
    let digits = 3 - factor.abs().log10().floor().clamp(0.0, 3.0) as i32;
    let scale = 10_f64.powi(digits);
    ((factor * scale).round() / scale).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_has_the_factor_of_its_beta() {
        let formula = |beta1| {
            let how = Moments {
                beta1,
                ..Moments::default()
            };
            Adam::new(how, 0.0).edge_formula()
        };
        let found = [0.9, 0.0, 0.8, 0.95, 0.3, 0.999].map(formula);
        assert_eq!(found, ["38/η", "2/η", "18/η", "78/η", "3.714/η", "3998/η"]);
    }
}
