//! Gradient descent with heavy-ball momentum and weight decay.

use burn::tensor::Tensor;
use sharpness::tensor::add_scaled;

/// v ← βv + (g + μw), w ← w − ηv: Polyak's heavy ball without dampening, as PyTorch's SGD has it.
pub struct HeavyBall {
    /// η of the next step.
    pub learning_rate: f64,
    /// β.
    pub momentum: f64,
    /// μ.
    pub weight_decay: f64,
    velocity: Option<Tensor<1>>,
}

impl HeavyBall {
    /// At rest.
    pub fn new(learning_rate: f64, momentum: f64, weight_decay: f64) -> Self {
        Self {
            learning_rate,
            momentum,
            weight_decay,
            velocity: None,
        }
    }

    /// v, `[parameters]`; none before the first step, and without momentum.
    pub(super) fn velocity(&self) -> Option<&Tensor<1>> {
        self.velocity.as_ref()
    }

    /// Goes on with an earlier velocity.
    pub(super) fn set_velocity(&mut self, velocity: Option<Tensor<1>>) {
        self.velocity = velocity;
    }

    /// The parameters after one step along the mean loss's gradient; both `[parameters]`.
    pub fn step(&mut self, parameters: Tensor<1>, gradient: Tensor<1>) -> Tensor<1> {
        let direction = self.decayed(&parameters, gradient);
        let velocity = match self.velocity.take() {
            Some(velocity) => add_scaled(direction, velocity, self.momentum),
            None => direction,
        };
        if self.momentum > 0.0 {
            self.velocity = Some(velocity.clone());
        }
        add_scaled(parameters, velocity, -self.learning_rate)
    }

    /// g + μw, both `[parameters]`.
    pub fn decayed(&self, parameters: &Tensor<1>, gradient: Tensor<1>) -> Tensor<1> {
        if self.weight_decay > 0.0 {
            add_scaled(gradient, parameters.clone(), self.weight_decay)
        } else {
            gradient
        }
    }
}
