//! Learning rates over the steps of a run.

use std::f64::consts::PI;
use std::ops::Range;

/// How the learning rate changes behind the warm-up.
///
/// A shape of one's own is a type with this trait.
pub trait Shape: Send + Sync {
    /// What η is multiplied by at the step taken after `step` steps, counted from the first of the run.
    ///
    /// `span` are the steps behind the warm-up up to the last planned one, and `step` is one of them.
    fn factor(&self, step: u64, span: Range<u64>) -> f64;
}

/// It stays what it is: the factor is exactly 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constant;

impl Shape for Constant {
    fn factor(&self, _: u64, _: Range<u64>) -> f64 {
        1.0
    }
}

/// It is multiplied by `factor` again every so many steps, as by PyTorch's `StepLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// How many, counted from the first step of the run; 0 counts as 1.
    pub every: u64,
    /// By what.
    pub factor: f64,
}

impl Shape for Steps {
    fn factor(&self, step: u64, _: Range<u64>) -> f64 {
        let times = step / self.every.max(1);
        self.factor.powi(i32::try_from(times).unwrap_or(i32::MAX))
    }
}

/// It falls along half a cosine until the last planned step (Loshchilov and Hutter 2017, without restarts): with t of T steps
/// done, to + (1 − to)·(1 + cos(πt/T))/2, as PyTorch's `CosineAnnealingLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosine {
    /// The part of the rate that it ends at, from 0 to 1.
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
    /// How it changes behind the warm-up.
    pub shape: Box<dyn Shape>,
    /// Over how many steps it first rises linearly; 0 for none.
    pub warm_up: u64,
    /// How many steps are planned.
    pub planned: u64,
}

impl Schedule {
    /// Always the same.
    pub fn constant() -> Self {
        Self {
            shape: Box::new(Constant),
            warm_up: 0,
            planned: u64::MAX,
        }
    }

    /// The rate of the step that is taken after `step` steps, where the schedule scales η; behind the last planned step that
    /// one's.
    ///
    /// A warm-up of n steps takes η·(t+1)/n at step t.
    pub fn learning_rate(&self, eta: f64, step: u64) -> f64 {
        let step = step.min(self.planned.saturating_sub(1));
        if step < self.warm_up {
            return eta * (step + 1) as f64 / self.warm_up as f64;
        }
        eta * self.shape.factor(step, self.warm_up..self.planned)
    }
}
