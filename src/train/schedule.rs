//! When losses are evaluated and λ_max is measured.

use crate::config::{Cadence, Tracking};

/// Whether an evaluation is due after `step` steps.
pub fn evaluation_due(cadence: Cadence, step: u64, steps_per_epoch: u64) -> bool {
    let every = match cadence {
        Cadence::Steps(n) => n,
        Cadence::Epochs(n) => n.saturating_mul(steps_per_epoch),
    };
    step.is_multiple_of(every)
}

/// Decides when λ_max is measured.
#[derive(Clone, Copy, Debug)]
pub struct LambdaSchedule {
    tracking: Tracking,
    steps_per_epoch: u64,
    /// Seconds spent measuring so far.
    spent: f64,
    /// Seconds the last measurement took.
    last: f64,
}

impl LambdaSchedule {
    /// A schedule that has measured nothing yet.
    pub fn new(tracking: Tracking, steps_per_epoch: u64) -> Self {
        Self {
            tracking,
            steps_per_epoch,
            spent: 0.0,
            last: 0.0,
        }
    }

    /// Whether a measurement is due after `step` steps and `seconds` of the cell.
    ///
    /// A share s is held by measuring as soon as all measurements, with one more that costs what the last did, take
    /// no more than s of the time that will then have passed.
    pub fn due(&self, step: u64, seconds: f64) -> bool {
        match self.tracking {
            Tracking::Steps(n) => step.is_multiple_of(n),
            Tracking::Epochs(n) => step.is_multiple_of(n.saturating_mul(self.steps_per_epoch)),
            Tracking::Share(share) => self.spent + self.last <= share * (seconds + self.last),
            Tracking::Ends => false,
        }
    }

    /// Takes note of a measurement of all probes that took `seconds`.
    pub fn measured(&mut self, seconds: f64) {
        self.spent += seconds;
        self.last = seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_time_is_held() {
        for (share, step_seconds, cost) in [(0.1, 0.01, 0.05), (0.3, 0.002, 0.5), (0.05, 1.0, 0.2)] {
            let mut schedule = LambdaSchedule::new(Tracking::Share(share), 10);
            let (mut seconds, mut measuring) = (0.0, 0.0);
            schedule.measured(cost);
            seconds += cost;
            measuring += cost;
            for step in 1..100_000 {
                seconds += step_seconds;
                if schedule.due(step, seconds) {
                    schedule.measured(cost);
                    seconds += cost;
                    measuring += cost;
                }
            }
            let held = measuring / seconds;
            assert!((held / share - 1.0).abs() < 0.25, "asked {share}, held {held}");
        }
    }

    #[test]
    fn steps_and_epochs_are_counted_from_the_start() {
        let steps: Vec<u64> = (1..=12)
            .filter(|&s| LambdaSchedule::new(Tracking::Steps(5), 3).due(s, 0.0))
            .collect();
        assert_eq!(steps, [5, 10]);
        let steps: Vec<u64> = (1..=12)
            .filter(|&s| LambdaSchedule::new(Tracking::Epochs(2), 3).due(s, 0.0))
            .collect();
        assert_eq!(steps, [6, 12]);
        assert!(evaluation_due(Cadence::Epochs(1), 3, 3) && !evaluation_due(Cadence::Epochs(1), 4, 3));
    }
}
