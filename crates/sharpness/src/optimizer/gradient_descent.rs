//! Gradient descent with weight decay; with minibatches, stochastic gradient descent.

use burn::tensor::Tensor;

use super::{BatchEdges, Optimizer, Step, decayed};
use crate::tensor::add_scaled;

/// Gradient descent: w ← w − η(g + μw). It keeps no state between steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GradientDescent {
    /// The weight decay μ.
    pub weight_decay: f64,
}

impl Optimizer for GradientDescent {
    fn step(&mut self, step: Step) -> Tensor<1> {
        let direction = decayed(self.weight_decay, &step.parameters, step.gradient);
        add_scaled(step.parameters, direction, -step.learning_rate)
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    /// Returns 2/η.
    fn edge(&self, learning_rate: f64) -> Option<f64> {
        Some(2.0 / learning_rate)
    }

    fn edge_formula(&self) -> String {
        "2/η".to_owned()
    }

    fn edge_meaning(&self) -> &'static str {
        "gradient descent at learning rate η stays near a minimum only while λ_max is below 2/η"
    }

    fn edge_is_inverse_in_rate(&self) -> bool {
        true
    }

    /// Returns 2/η twice (Andreyev and Beneventano 2024).
    fn batch_edges(&self, learning_rate: f64) -> Option<BatchEdges> {
        (self.weight_decay == 0.0).then(|| BatchEdges::of_momentum(0.0, learning_rate))
    }
}
