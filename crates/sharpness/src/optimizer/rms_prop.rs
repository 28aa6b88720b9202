//! RMSProp (Tieleman and Hinton 2012), with or without momentum, with weight decay.

use burn::tensor::Tensor;

use super::{Kept, Optimizer, State, Step, decayed};
use crate::tensor::add_scaled;

/// RMSProp as in PyTorch, not centered: ν ← αν + (1−α)d², u = d/(√ν + ε), where d = g + μw.
///
/// Without momentum w ← w − ηu. With momentum v ← βv + u and w ← w − ηv.
pub struct RmsProp {
    alpha: f64,
    eps: f64,
    momentum: f64,
    weight_decay: f64,
    square_average: Option<Tensor<1>>,
    velocity: Option<Tensor<1>>,
}

impl RmsProp {
    /// Creates the optimizer with ν = 0 and v = 0, smoothing α in [0, 1), ε > 0, momentum β in [0, 1) and weight decay μ.
    pub fn new(alpha: f64, eps: f64, momentum: f64, weight_decay: f64) -> Self {
        Self {
            alpha,
            eps,
            momentum,
            weight_decay,
            square_average: None,
            velocity: None,
        }
    }
}

impl Optimizer for RmsProp {
    fn step(&mut self, step: Step) -> Tensor<1> {
        let gradient = decayed(self.weight_decay, &step.parameters, step.gradient);
        let square_average = averaged_squares(self.square_average.take(), &gradient, self.alpha);
        let update = gradient / (square_average.clone().sqrt() + self.eps);
        self.square_average = Some(square_average);
        let direction = if self.momentum > 0.0 {
            let velocity = match self.velocity.take() {
                Some(velocity) => add_scaled(update, velocity, self.momentum),
                None => update,
            };
            self.velocity = Some(velocity.clone());
            velocity
        } else {
            update
        };
        add_scaled(step.parameters, direction, -step.learning_rate)
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    /// Returns 2/η, or (2 + 2β)/η with momentum β.
    fn edge(&self, learning_rate: f64) -> Option<f64> {
        Some((2.0 + 2.0 * self.momentum) / learning_rate)
    }

    fn edge_formula(&self) -> String {
        if self.momentum > 0.0 { "(2+2β)/η" } else { "2/η" }.to_owned()
    }

    fn edge_meaning(&self) -> &'static str {
        if self.momentum > 0.0 {
            "RMSProp with momentum β and a constant P stays near a minimum only while the preconditioned sharpness is below \
             (2+2β)/η"
        } else {
            "RMSProp with a constant P stays near a minimum only while the preconditioned sharpness is below 2/η"
        }
    }

    fn edge_is_inverse_in_rate(&self) -> bool {
        true
    }

    fn is_preconditioned(&self) -> bool {
        true
    }

    /// Returns √ν + ε.
    fn preconditioner(&self) -> Option<Tensor<1>> {
        Some(self.square_average.clone()?.sqrt() + self.eps)
    }

    /// Returns ν, and v with momentum.
    fn kept(&mut self) -> Vec<Kept<'_>> {
        let mut kept = vec![Kept {
            name: "square_average",
            state: State::Vector(&mut self.square_average),
        }];
        if self.momentum > 0.0 {
            kept.push(Kept {
                name: "velocity",
                state: State::Vector(&mut self.velocity),
            });
        }
        kept
    }
}

/// Returns βν + (1−β)g², all `[parameters]`; without ν, it starts from 0.
pub(super) fn averaged_squares(average: Option<Tensor<1>>, gradient: &Tensor<1>, decay: f64) -> Tensor<1> {
    let squares = gradient.clone() * gradient.clone();
    match average {
        Some(average) => add_scaled(average * decay, squares, 1.0 - decay),
        None => squares * (1.0 - decay),
    }
}
