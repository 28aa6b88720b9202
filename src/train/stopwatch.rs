//! The running time of a cell, without pauses.

use std::time::{Duration, Instant};

/// Counts running time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: Instant,
    paused: Duration,
    earlier: Duration,
}

impl Stopwatch {
    /// Starts at zero.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            paused: Duration::ZERO,
            earlier: Duration::ZERO,
        }
    }

    /// Adds the time that earlier processes counted, in seconds.
    pub fn add_earlier(&mut self, seconds: f64) {
        self.earlier = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    }

    /// Excludes a pause from the count.
    pub fn leave_out(&mut self, pause: Duration) {
        self.paused += pause;
    }

    /// Returns the total of the excluded pauses.
    pub fn left_out(&self) -> Duration {
        self.paused
    }

    /// Returns the counted time, in seconds.
    pub fn seconds(&self) -> f64 {
        let now = self.started.elapsed().saturating_sub(self.paused);
        now.saturating_add(self.earlier).as_secs_f64()
    }
}
