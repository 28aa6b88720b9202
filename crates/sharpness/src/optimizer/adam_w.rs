//! Adam with decoupled weight decay (Loshchilov and Hutter 2019, "Decoupled weight decay regularization").

use burn::tensor::Tensor;

use super::adam::short;
use super::{Adam, Kept, Moments, Optimizer, Step};

/// AdamW as in PyTorch: w ← (1 − ηδ)w, then the step of [`Adam`] with the gradient at the old w. The gradient has no
/// decay term.
pub struct AdamW {
    adam: Adam,
    decoupled_decay: f64,
}

impl AdamW {
    /// Creates the optimizer with m = 0 and ν = 0, and decoupled weight decay δ.
    pub fn new(how: Moments, decoupled_decay: f64) -> Self {
        Self {
            adam: Adam::new(how, 0.0),
            decoupled_decay,
        }
    }
}

impl Optimizer for AdamW {
    fn step(&mut self, step: Step) -> Tensor<1> {
        let parameters = if self.decoupled_decay > 0.0 {
            step.parameters * (1.0 - step.learning_rate * self.decoupled_decay)
        } else {
            step.parameters
        };
        self.adam.step(Step { parameters, ..step })
    }

    /// Returns (1 − ηδ/2) times the edge of Adam.
    ///
    /// With a = 1 − ηδ and the preconditioned eigenvalue λ, the steps follow z² − (a + β₁ − (1−β₁)ηλ)z + aβ₁ = 0, which has
    /// the root z = −1 at (1−β₁)ηλ = (1+a)(1+β₁).
    fn edge(&self, learning_rate: f64) -> Option<f64> {
        Some(self.adam.edge(learning_rate)? * (1.0 - learning_rate * self.decoupled_decay / 2.0))
    }

    /// Returns the same edge as a difference: 38/η − 19δ at β₁ = 0.9.
    fn edge_formula(&self) -> String {
        let formula = self.adam.edge_formula();
        if self.decoupled_decay > 0.0 {
            format!("{formula} − {}wd", short(self.adam.edge_factor() / 2.0))
        } else {
            formula
        }
    }

    fn edge_meaning(&self) -> &'static str {
        "AdamW with a constant P and weight decay wd stays near a minimum only while the preconditioned sharpness is below \
         (1 − η wd/2)·(2+2β₁)/((1−β₁)η)"
    }

    fn edge_is_inverse_in_rate(&self) -> bool {
        self.decoupled_decay == 0.0
    }

    fn is_preconditioned(&self) -> bool {
        true
    }

    /// Returns the P of [`Adam`].
    fn preconditioner(&self) -> Option<Tensor<1>> {
        self.adam.preconditioner()
    }

    /// Returns the state of [`Adam`].
    fn kept(&mut self) -> Vec<Kept<'_>> {
        self.adam.kept()
    }
}
