//! Gradient descent with heavy-ball momentum and weight decay.

use burn::tensor::Tensor;

use super::{BatchEdges, Kept, Optimizer, State, Step, decayed};
use crate::tensor::add_scaled;

/// Heavy-ball momentum: v ← βv + (g + μw), w ← w − ηv. This is Polyak's heavy ball without dampening, as in PyTorch's
/// SGD.
pub struct HeavyBall {
    momentum: f64,
    weight_decay: f64,
    velocity: Option<Tensor<1>>,
}

impl HeavyBall {
    /// Creates the optimizer with v = 0, momentum β in [0, 1) and weight decay μ.
    pub fn new(momentum: f64, weight_decay: f64) -> Self {
        Self {
            momentum,
            weight_decay,
            velocity: None,
        }
    }
}

impl Optimizer for HeavyBall {
    fn step(&mut self, step: Step) -> Tensor<1> {
        let direction = decayed(self.weight_decay, &step.parameters, step.gradient);
        let velocity = match self.velocity.take() {
            Some(velocity) => add_scaled(direction, velocity, self.momentum),
            None => direction,
        };
        self.velocity = Some(velocity.clone());
        add_scaled(step.parameters, velocity, -step.learning_rate)
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    /// Returns (2 + 2β)/η.
    fn edge(&self, learning_rate: f64) -> Option<f64> {
        Some((2.0 + 2.0 * self.momentum) / learning_rate)
    }

    fn edge_formula(&self) -> String {
        "(2+2β)/η".to_owned()
    }

    fn edge_meaning(&self) -> &'static str {
        "gradient descent with momentum β stays near a minimum only while λ_max is below (2+2β)/η"
    }

    fn edge_is_inverse_in_rate(&self) -> bool {
        true
    }

    fn batch_edges(&self, learning_rate: f64) -> Option<BatchEdges> {
        (self.weight_decay == 0.0).then(|| BatchEdges::of_momentum(self.momentum, learning_rate))
    }

    /// Returns v.
    fn kept(&mut self) -> Vec<Kept<'_>> {
        vec![Kept {
            name: "velocity",
            state: State::Vector(&mut self.velocity),
        }]
    }
}
