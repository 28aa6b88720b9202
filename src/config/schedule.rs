//! How the learning rate changes over the steps of a cell.

use serde::{Deserialize, Serialize};

use super::{Cadence, Settings};

/// How the learning rate changes, after the warm-up if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Schedule {
    /// It stays what it is.
    Constant,
    /// It is multiplied by a factor again and again.
    Step {
        /// After how many steps or epochs, counted from the first step of the cell.
        every: Cadence,
        /// By what, above 0 and at most 1.
        factor: f64,
    },
    /// It falls along half a cosine until the last planned step (Loshchilov and Hutter 2017, without restarts).
    Cosine {
        /// The part of the rate that it ends at, from 0 to 1 (default 0).
        #[serde(default)]
        to: f64,
    },
}

impl Settings {
    /// A length in optimizer steps.
    #[must_use]
    pub fn in_steps(&self, length: Cadence) -> u64 {
        match length {
            Cadence::Steps(steps) => steps,
            Cadence::Epochs(epochs) => epochs.saturating_mul(self.steps_per_epoch()),
        }
    }

    /// Steps of the warm-up; 0 without one.
    #[must_use]
    pub fn warm_up_steps(&self) -> u64 {
        self.warm_up.map_or(0, |length| self.in_steps(length))
    }
}
