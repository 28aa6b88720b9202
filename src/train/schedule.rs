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
    planned_steps: u64,
    /// Seconds spent measuring so far.
    spent: f64,
    /// Seconds the last measurement without an audit took.
    warm: f64,
    /// Seconds the last measurement with an audit took: mostly several times as long.
    audited: f64,
}

impl LambdaSchedule {
    /// A schedule that has measured nothing yet, of a cell that ends after `planned_steps` at the latest.
    pub fn new(tracking: Tracking, steps_per_epoch: u64, planned_steps: u64) -> Self {
        Self {
            tracking,
            steps_per_epoch,
            planned_steps,
            spent: 0.0,
            warm: 0.0,
            audited: 0.0,
        }
    }

    /// Whether a measurement is due after `step` steps and `seconds` of the cell; `audit` says that it would be one
    /// with an audit.
    ///
    /// A share s is held by measuring as soon as all measurements, with one more that costs what the last of its kind
    /// did, take no more than s of the time that will then have passed. The audit at the end of the cell is saved up
    /// for in step with its progress, so that it does not come on top.
    pub fn due(&self, step: u64, seconds: f64, audit: bool) -> bool {
        match self.tracking {
            Tracking::Steps(n) => step.is_multiple_of(n),
            Tracking::Epochs(n) => step.is_multiple_of(n.saturating_mul(self.steps_per_epoch)),
            Tracking::Share(share) => {
                let cost = if audit { self.audited } else { self.warm };
                let progress = step as f64 / self.planned_steps.max(1) as f64;
                self.spent + cost + progress * self.audited <= share * (seconds + cost)
            }
            Tracking::Ends => false,
        }
    }

    /// Takes note of a measurement of all probes that took `seconds`.
    pub fn measured(&mut self, seconds: f64, audit: bool) {
        self.spent += seconds;
        if audit {
            self.audited = seconds;
        } else {
            self.warm = seconds;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of a cell's time that measuring takes, where a step takes a second, a measurement `cost` and one with
    /// an audit ten times as long. As in a cell, the first and the last are audited.
    fn held(share: f64, cost: f64, audit_every: u64, steps: u64) -> f64 {
        let mut schedule = LambdaSchedule::new(Tracking::Share(share), 10, steps);
        let (mut seconds, mut measuring, mut since_audit) = (0.0, 0.0, 0);
        for step in 0..=steps {
            let ends = step == 0 || step == steps;
            let audit = ends || since_audit + 1 == audit_every;
            if ends || schedule.due(step, seconds, audit) {
                let took = if audit { 10.0 * cost } else { cost };
                schedule.measured(took, audit);
                seconds += took;
                measuring += took;
                since_audit = if audit { 0 } else { since_audit + 1 };
            }
            seconds += 1.0;
        }
        measuring / seconds
    }

    #[test]
    fn a_share_of_the_time_is_held_though_audits_take_ten_times_as_long() {
        for share in [0.05, 0.1, 0.3] {
            for cost in [1.0, 5.0, 30.0] {
                for audit_every in [0, 1, 10, 25] {
                    // Enough for the audits at both ends and some measurements between them.
                    for steps in [60.0, 200.0, 1_000.0].map(|costs| (costs * cost / share) as u64 + 100) {
                        let held = held(share, cost, audit_every, steps);
                        assert!(
                            (held / share - 1.0).abs() < 0.25,
                            "asked {share}, held {held}: cost {cost}, audits every {audit_every}, {steps} steps"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_cell_too_short_for_its_share_is_measured_at_its_ends_alone() {
        let held = held(0.1, 10.0, 10, 1_000);
        assert!((held - 200.0 / 1_201.0).abs() < 1e-12, "{held}");
    }

    #[test]
    fn steps_and_epochs_are_counted_from_the_start() {
        let steps: Vec<u64> = (1..=12)
            .filter(|&s| LambdaSchedule::new(Tracking::Steps(5), 3, 12).due(s, 0.0, false))
            .collect();
        assert_eq!(steps, [5, 10]);
        let steps: Vec<u64> = (1..=12)
            .filter(|&s| LambdaSchedule::new(Tracking::Epochs(2), 3, 12).due(s, 0.0, false))
            .collect();
        assert_eq!(steps, [6, 12]);
        assert!(evaluation_due(Cadence::Epochs(1), 3, 3) && !evaluation_due(Cadence::Epochs(1), 4, 3));
    }
}
