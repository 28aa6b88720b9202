//! Learning-rate schedules.

use std::f64::consts::PI;
use std::ops::Range;

/// The course of the learning rate after the warm-up.
///
/// To define another course, implement this trait.
pub trait Shape: Send + Sync {
    /// Returns the factor by which η is multiplied at step `step`. The first step of the run is step 0.
    ///
    /// `span` is the range of steps after the warm-up, up to the last planned step. It contains `step`.
    fn factor(&self, step: u64, span: Range<u64>) -> f64;
}

/// A constant learning rate: the factor is exactly 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constant;

impl Shape for Constant {
    fn factor(&self, _: u64, _: Range<u64>) -> f64 {
        1.0
    }
}

/// Multiplication of the rate by `factor` after every `every` steps, as in PyTorch's `StepLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// Number of steps between two multiplications, counted from the first step of the run; 0 counts as 1.
    pub every: u64,
    /// Factor of each multiplication.
    pub factor: f64,
}

impl Shape for Steps {
    fn factor(&self, step: u64, _: Range<u64>) -> f64 {
        let times = step / self.every.max(1);
        self.factor.powi(i32::try_from(times).unwrap_or(i32::MAX))
    }
}

/// A decrease along half a cosine until the last planned step (Loshchilov and Hutter 2017, without restarts), as in
/// PyTorch's `CosineAnnealingLR`. After t of T steps the factor is to + (1 − to)·(1 + cos(πt/T))/2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosine {
    /// Final factor, from 0 to 1.
    pub to: f64,
}

impl Shape for Cosine {
    fn factor(&self, step: u64, span: Range<u64>) -> f64 {
        let share = (step - span.start) as f64 / (span.end - span.start) as f64;
        self.to + (1.0 - self.to) * (1.0 + (PI * share).cos()) / 2.0
    }
}

/// The learning rate of every step.
///
/// ```
/// use sharpness::schedule::{Cosine, Schedule};
///
/// let schedule = Schedule { shape: Box::new(Cosine { to: 0.0 }), warm_up: 2, planned: 8 };
/// let rates: Vec<f64> = (0..5).map(|step| schedule.learning_rate(1.0, step)).collect();
/// assert_eq!(rates[..3], [0.5, 1.0, 1.0]);
/// assert!((rates[4] - 0.75).abs() < 1e-12);
/// ```
pub struct Schedule {
    /// Course of the learning rate after the warm-up.
    pub shape: Box<dyn Shape>,
    /// Number of steps of the linear warm-up; 0 for no warm-up.
    pub warm_up: u64,
    /// Number of planned steps.
    pub planned: u64,
}

impl Schedule {
    /// Returns the schedule of a constant learning rate.
    pub fn constant() -> Self {
        Self {
            shape: Box::new(Constant),
            warm_up: 0,
            planned: u64::MAX,
        }
    }

    /// Returns the learning rate of step `step`, where η is the rate before scaling. Steps after the last planned step
    /// have the rate of the last planned step.
    ///
    /// In a warm-up of n steps, step t has the rate η·(t+1)/n.
    pub fn learning_rate(&self, eta: f64, step: u64) -> f64 {
        let step = step.min(self.planned.saturating_sub(1));
        if step < self.warm_up {
            return eta * (step + 1) as f64 / self.warm_up as f64;
        }
        eta * self.shape.factor(step, self.warm_up..self.planned)
    }
}
