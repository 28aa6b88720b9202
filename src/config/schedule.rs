//! The learning rate over the steps of a cell, and the λ_max above which a step with it is unstable.

use super::{Cadence, Schedule, Settings};

impl Settings {
    /// η of the step that is taken after `step` steps; of the last planned step where there is none after it.
    ///
    /// A warm-up of n steps takes η·(t+1)/n at step t. The cosine runs over the T planned steps behind it: with t
    /// counted from there, η·(to + (1 − to)·(1 + cos(πt/T))/2), as PyTorch's `CosineAnnealingLR`.
    #[must_use]
    pub fn learning_rate_at(&self, step: u64) -> f64 {
        let planned = self.planned_steps();
        let step = step.min(planned.saturating_sub(1));
        let warm_up = self.warm_up_steps();
        if step < warm_up {
            return self.learning_rate * (step + 1) as f64 / warm_up as f64;
        }
        self.learning_rate
            * match self.schedule {
                Schedule::Constant => 1.0,
                Schedule::Step { every, factor } => {
                    let times = step / self.in_steps(every).max(1);
                    factor.powi(i32::try_from(times).unwrap_or(i32::MAX))
                }
                Schedule::Cosine { to } => {
                    let share = (step - warm_up) as f64 / (planned - warm_up) as f64;
                    to + (1.0 - to) * (1.0 + (std::f64::consts::PI * share).cos()) / 2.0
                }
            }
    }

    /// The λ_max above which the optimizer is unstable on a quadratic, where the next step is the one after `step`
    /// steps: (2+2β)/η less the weight decay, and lower with SAM.
    ///
    /// Weight decay adds itself to every eigenvalue of what is minimized, and λ_max is that of the loss alone. The
    /// threshold is that of full-batch descent; for minibatches it is drawn all the same, as a reference that λ_max
    /// stays below.
    ///
    /// SAM's step along an eigenvector of λ is that of λ(1 + ρλ/‖g‖), where g is the gradient that it climbs along, so
    /// that its edge is ‖g‖/(2ρ)·(√(1 + 8ρ/(η‖g‖)) − 1) for gradient descent (Long and Bartlett 2023, "Sharpness-aware
    /// minimization and the edge of stability"). `None` with SAM where `climbed`, ‖g‖, is not known.
    #[must_use]
    pub fn stability_threshold(&self, step: u64, climbed: Option<f64>) -> Option<f64> {
        let bare = (2.0 + 2.0 * self.momentum) / self.learning_rate_at(step);
        let edge = if self.rho > 0.0 {
            let norm = climbed?;
            // 2T/(√(1 + 4ρT/‖g‖) + 1): the same number, without the difference that cancels where ρ is small.
            2.0 * bare / ((1.0 + 4.0 * self.rho * bare / norm).sqrt() + 1.0)
        } else {
            bare
        };
        Some(edge - self.weight_decay)
    }

    /// The formula of [`stability_threshold`](Self::stability_threshold), as far as this cell has its terms.
    #[must_use]
    pub fn threshold_label(&self) -> String {
        let numerator = if self.momentum > 0.0 { "(2+2β)/η" } else { "2/η" };
        let edge = if self.rho > 0.0 { "SAM edge" } else { numerator };
        let decay = if self.weight_decay > 0.0 { " − wd" } else { "" };
        format!("{edge}{decay}")
    }

    /// A length in optimizer steps.
    fn in_steps(&self, length: Cadence) -> u64 {
        match length {
            Cadence::Steps(steps) => steps,
            Cadence::Epochs(epochs) => epochs.saturating_mul(self.steps_per_epoch()),
        }
    }

    /// Steps of the warm-up; 0 without one.
    pub(super) fn warm_up_steps(&self) -> u64 {
        self.warm_up.map_or(0, |length| self.in_steps(length))
    }
}
