//! When losses are evaluated and λ_max is measured.

use serde::{Deserialize, Serialize};

use crate::config::{Cadence, Tracking};

/// Whether an evaluation is due after `step` steps.
pub fn evaluation_due(cadence: Cadence, step: u64, steps_per_epoch: u64) -> bool {
    let every = match cadence {
        Cadence::Steps(n) => n,
        Cadence::Epochs(n) => n.saturating_mul(steps_per_epoch),
    };
    step.is_multiple_of(every)
}

/// The weight of the newest measurement in what one is expected to cost.
const NEWEST: f64 = 0.3;

/// The least time between measurements, as a part of what it is where a share is held evenly: savings are spent at no
/// more than twice the rate, not in a burst of measurements at neighbouring steps.
const LEAST_SPACING: f64 = 0.5;

/// What a schedule has seen: it goes on with that alone.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Spending {
    /// Seconds spent measuring so far.
    spent: f64,
    /// The time of the cell when the last measurement was noted.
    last: f64,
    /// Seconds a measurement without an audit takes.
    warm: Cost,
    /// Seconds one with an audit takes: mostly several times as long.
    audited: Cost,
}

/// Decides when λ_max is measured.
#[derive(Clone, Copy, Debug)]
pub struct LambdaSchedule {
    tracking: Tracking,
    steps_per_epoch: u64,
    planned_steps: u64,
    /// What it has seen.
    pub spending: Spending,
}

/// What a kind of measurement has come to cost: a moving average, so that one that was held up counts for little.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Cost(Option<f64>);

impl Cost {
    fn seconds(self) -> f64 {
        self.0.unwrap_or(0.0)
    }

    fn take_in(&mut self, seconds: f64) {
        let old = self.0.unwrap_or(seconds);
        self.0 = Some(old + NEWEST * (seconds - old));
    }
}

impl LambdaSchedule {
    /// A schedule that has measured nothing yet, of a cell that ends after `planned_steps` at the latest.
    pub fn new(tracking: Tracking, steps_per_epoch: u64, planned_steps: u64) -> Self {
        Self {
            tracking,
            steps_per_epoch,
            planned_steps,
            spending: Spending::default(),
        }
    }

    /// Whether a measurement is due after `step` steps and `seconds` of the cell; `audit` says that it would be one
    /// with an audit.
    ///
    /// A share s is held by measuring as soon as all measurements, with one more that costs what its kind does, take no
    /// more than s of the time that will then have passed. The audit at the end of the cell is saved up
    /// for in step with its progress, so that it does not come on top.
    pub fn due(&self, step: u64, seconds: f64, audit: bool) -> bool {
        match self.tracking {
            Tracking::Steps(n) => step.is_multiple_of(n),
            Tracking::Epochs(n) => step.is_multiple_of(n.saturating_mul(self.steps_per_epoch)),
            Tracking::Share(share) => {
                let Spending { spent, last, .. } = self.spending;
                let (warm, audited) = (self.spending.warm.seconds(), self.spending.audited.seconds());
                let cost = if audit { audited } else { warm };
                let progress = step as f64 / self.planned_steps.max(1) as f64;
                let affordable = spent + cost + progress * audited <= share * (seconds + cost);
                affordable && seconds - last >= LEAST_SPACING * warm * (1.0 - share) / share
            }
            Tracking::Ends => false,
        }
    }

    /// Takes note of a measurement of all probes that took `took` seconds and ended at `seconds` of the cell.
    pub fn measured(&mut self, seconds: f64, took: f64, audit: bool) {
        let Spending {
            spent,
            last,
            warm,
            audited,
        } = &mut self.spending;
        *spent += took;
        *last = seconds;
        let cost = if audit { audited } else { warm };
        cost.take_in(took);
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
                seconds += took;
                schedule.measured(seconds, took, audit);
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
    fn a_measurement_is_due_from_the_second_on_in_which_the_share_affords_it() {
        let of = |planned_steps| LambdaSchedule::new(Tracking::Share(0.1), 10, planned_steps);
        assert!(
            of(100).due(0, 0.0, false),
            "what costs nothing yet is affordable at once"
        );
        let is_due_from = |schedule: &LambdaSchedule, step, audit, seconds: f64| {
            let due = |seconds| schedule.due(step, seconds, audit);
            assert!(!due(seconds - 0.01) && due(seconds + 0.01), "not from {seconds} s on");
        };
        // A measurement of one second: 1 + 1 ≤ 0.1·(s + 1).
        let mut schedule = of(100);
        schedule.measured(10.0, 1.0, false);
        is_due_from(&schedule, 1, false, 19.0);
        // An audit of five, half of which is saved up for by step 50: 6 + 1 + 2.5 ≤ 0.1·(s + 1) and 6 + 5 + 2.5 ≤ 0.1·(s + 5).
        schedule.measured(40.0, 5.0, true);
        is_due_from(&schedule, 50, false, 94.0);
        is_due_from(&schedule, 50, true, 130.0);
        // Savings are spent at no more than twice the rate: not before 0.5·1·0.9/0.1 seconds have passed.
        let mut schedule = of(100);
        schedule.measured(100.0, 1.0, false);
        is_due_from(&schedule, 1, false, 104.5);
        // The next one takes three: from now on 1 + 0.3·(3 − 1) are expected.
        schedule.measured(200.0, 3.0, false);
        let mut resumed = of(100);
        resumed.spending = schedule.spending;
        for schedule in [schedule, resumed] {
            assert_eq!((schedule.spending.spent, schedule.spending.last), (4.0, 200.0));
            is_due_from(&schedule, 1, false, 200.0 + 0.5 * 1.6 * 9.0);
        }
        let mut of_one_step = of(1);
        of_one_step.measured(0.0, 5.0, true);
        is_due_from(&of_one_step, 1, false, 100.0);
    }

    #[test]
    fn a_measurement_that_was_held_up_is_not_followed_by_a_burst() {
        let mut schedule = LambdaSchedule::new(Tracking::Share(0.1), 10, 10_000);
        let (mut seconds, mut last, mut count) = (0.0, 0.0, 0);
        for step in 1..=10_000 {
            seconds += 1.0;
            if schedule.due(step, seconds, false) {
                assert!(count == 0 || seconds - last >= 4.0, "again after {} s", seconds - last);
                count += 1;
                let took = if count == 50 { 30.0 } else { 1.0 };
                seconds += took;
                schedule.measured(seconds, took, false);
                last = seconds;
            }
        }
        let held = (f64::from(count) + 29.0) / seconds;
        assert!((held / 0.1 - 1.0).abs() < 0.05, "held {held}");
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
