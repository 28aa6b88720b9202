//! Steps a second over the last moments.

use std::time::{Duration, Instant};

/// Over how long the rate is taken: long enough to hold some measurements, short enough to follow a change.
const WINDOW: Duration = Duration::from_secs(3);

/// How often progress is told.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// Measures the step rate and decides when it is time to tell it.
pub(super) struct Pace {
    window_start: (Instant, u64),
    previous: f64,
    reported: Option<Instant>,
}

impl Pace {
    pub(super) fn start() -> Self {
        Self {
            window_start: (Instant::now(), 0),
            previous: 0.0,
            reported: None,
        }
    }

    /// Whether progress was last told long enough ago; if so, it counts as told now.
    pub(super) fn report_due(&mut self) -> bool {
        let due = self.reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY);
        if due {
            self.reported = Some(Instant::now());
        }
        due
    }

    /// Steps a second after `step` steps; 0 while not known.
    pub(super) fn steps_per_second(&mut self, step: u64) -> f64 {
        let (start, first) = self.window_start;
        let elapsed = start.elapsed();
        let rate = step.saturating_sub(first) as f64 / elapsed.as_secs_f64().max(1e-9);
        if elapsed >= WINDOW {
            self.window_start = (Instant::now(), step);
            self.previous = rate;
        }
        if self.previous > 0.0 { self.previous } else { rate }
    }

    /// Forgets the window, since the cell stood still.
    pub(super) fn restart(&mut self, step: u64) {
        self.window_start = (Instant::now(), step);
    }
}
