//! Time a cell has run, pauses excluded.

use std::time::{Duration, Instant};

/// Counts running time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: Instant,
    paused: Duration,
}

impl Stopwatch {
    /// Starts at zero.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            paused: Duration::ZERO,
        }
    }

    /// Leaves a pause out of the count.
    pub fn leave_out(&mut self, pause: Duration) {
        self.paused += pause;
    }

    /// All pauses left out so far.
    pub fn left_out(&self) -> Duration {
        self.paused
    }

    /// What has been counted, in seconds.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().saturating_sub(self.paused).as_secs_f64()
    }
}
