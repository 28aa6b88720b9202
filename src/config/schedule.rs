//! Lengths of schedules, in steps of a cell.

use super::{Cadence, Settings};

impl Settings {
    /// Converts a length to optimizer steps.
    #[must_use]
    pub fn in_steps(&self, length: Cadence) -> u64 {
        match length {
            Cadence::Steps(steps) => steps,
            Cadence::Epochs(epochs) => epochs.saturating_mul(self.steps_per_epoch()),
        }
    }

    /// Returns the number of steps of the warm-up, or 0 without a warm-up.
    #[must_use]
    pub fn warm_up_steps(&self) -> u64 {
        self.warm_up.map_or(0, |length| self.in_steps(length))
    }
}
