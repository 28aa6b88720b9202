//! The recent step rate, in steps per second.

use std::time::{Duration, Instant};

/// The window over which the rate is averaged: long enough to contain some measurements, short enough to follow a
/// change.
const WINDOW: Duration = Duration::from_secs(3);

/// The time between two reports of progress.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// Measures the step rate and decides when progress is reported.
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

    /// Returns whether progress is due to be reported. If so, counts it as reported now.
    pub(super) fn report_due(&mut self) -> bool {
        let due = self.reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY);
        if due {
            self.reported = Some(Instant::now());
        }
        due
    }

    /// Returns the steps per second after `step` steps; 0 while unknown.
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

    /// Starts a new window at `step`, because the cell was not stepping.
    pub(super) fn restart(&mut self, step: u64) {
        self.window_start = (Instant::now(), step);
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    /// Returns a pace whose window began `seconds` ago at this step.
    fn since(seconds: u64, step: u64) -> Pace {
        let start = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        Pace {
            window_start: (start, step),
            ..Pace::start()
        }
    }

    #[test]
    fn the_rate_is_that_of_the_steps_of_the_window_and_once_it_is_over_that_of_the_last_one() {
        let near = |rate: f64, expected: f64| assert!((rate / expected - 1.0).abs() < 0.1, "{rate} {expected}");
        let mut pace = since(2, 100);
        near(pace.steps_per_second(140), 20.0);
        assert_eq!(pace.window_start.1, 100, "the window goes on");
        let mut pace = since(4, 100);
        near(pace.steps_per_second(140), 10.0);
        // A new window has begun, without any steps yet.
        near(pace.steps_per_second(140), 10.0);
        assert_eq!(pace.window_start.1, 140);
        let mut pace = since(2, 100);
        pace.restart(150);
        assert_eq!(Some(pace.steps_per_second(150)), Some(0.0));
        assert_eq!(
            Some(pace.steps_per_second(120)),
            Some(0.0),
            "a cell that went back took no steps"
        );
    }

    #[test]
    fn progress_is_told_at_once_and_then_every_tenth_of_a_second() {
        let mut pace = Pace::start();
        assert!(pace.report_due());
        assert!(!pace.report_due());
        sleep(REPORT_EVERY);
        assert!(pace.report_due());
    }
}
