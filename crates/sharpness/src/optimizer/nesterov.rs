//! Gradient descent with Nesterov momentum and weight decay.

use burn::tensor::Tensor;

use super::{Kept, Optimizer, State, Step, decayed};
use crate::tensor::add_scaled;

/// Nesterov momentum without dampening, as in PyTorch's SGD: v ← βv + d, w ← w − η(d + βv), where d = g + μw.
pub struct Nesterov {
    momentum: f64,
    weight_decay: f64,
    velocity: Option<Tensor<1>>,
}

impl Nesterov {
    /// Creates the optimizer with v = 0, momentum β in (0, 1) and weight decay μ.
    pub fn new(momentum: f64, weight_decay: f64) -> Self {
        Self {
            momentum,
            weight_decay,
            velocity: None,
        }
    }
}

impl Optimizer for Nesterov {
    fn step(&mut self, step: Step) -> Tensor<1> {
        let gradient = decayed(self.weight_decay, &step.parameters, step.gradient);
        let velocity = match self.velocity.take() {
            Some(velocity) => add_scaled(gradient.clone(), velocity, self.momentum),
            None => gradient.clone(),
        };
        self.velocity = Some(velocity.clone());
        let direction = add_scaled(gradient, velocity, self.momentum);
        add_scaled(step.parameters, direction, -step.learning_rate)
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    /// Returns (2 + 2β)/(η(1 + 2β)).
    ///
    /// On L = λx²/2 the steps follow z² − (1+β)(1−ηλ)z + β(1−ηλ) = 0, which has the root z = −1 at this λ.
    fn edge(&self, learning_rate: f64) -> Option<f64> {
        let beta = self.momentum;
        Some((2.0 + 2.0 * beta) / ((1.0 + 2.0 * beta) * learning_rate))
    }

    fn edge_formula(&self) -> String {
        "(2+2β)/((1+2β)η)".to_owned()
    }

    fn edge_meaning(&self) -> &'static str {
        "gradient descent with Nesterov momentum β stays near a minimum only while λ_max is below (2+2β)/((1+2β)η)"
    }

    fn edge_is_inverse_in_rate(&self) -> bool {
        true
    }

    /// Returns v.
    fn kept(&mut self) -> Vec<Kept<'_>> {
        vec![Kept {
            name: "velocity",
            state: State::Vector(&mut self.velocity),
        }]
    }
}
