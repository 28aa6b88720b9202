//! Decides when losses are evaluated, and when λ_max and gauges are measured.

use serde::{Deserialize, Serialize};

use crate::config::{Cadence, Tracking, When};

/// Returns whether an evaluation is due after `step` steps.
pub fn evaluation_due(cadence: Cadence, step: u64, steps_per_epoch: u64) -> bool {
    let every = match cadence {
        Cadence::Steps(n) => n,
        Cadence::Epochs(n) => n.saturating_mul(steps_per_epoch),
    };
    step.is_multiple_of(every)
}

/// The weight of the newest measurement in the expected cost of a measurement.
const NEWEST: f64 = 0.3;

/// The least time between measurements, as a fraction of the time between evenly spaced ones. Time that was saved up is
/// therefore spent at most at twice the even rate, not in a burst of measurements at neighbouring steps.
const LEAST_SPACING: f64 = 0.5;

/// The whole state of a schedule.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Spending {
    /// Seconds spent on measurements so far.
    spent: f64,
    /// The cell's time at the end of the last measurement, in seconds.
    last: f64,
    /// Expected seconds of a measurement without an audit.
    warm: Cost,
    /// Expected seconds of a measurement with an audit: usually several times as long.
    audited: Cost,
    /// Expected seconds of each gauge.
    #[serde(default)]
    gauges: Vec<Cost>,
    /// Number of measurements of each gauge that were dropped because the share did not afford them.
    #[serde(default)]
    dropped: Vec<u64>,
}

/// Decides when λ_max and gauges are measured.
#[derive(Clone, Debug)]
pub struct MeasuringSchedule {
    tracking: Tracking,
    gauges: Vec<When>,
    steps_per_epoch: u64,
    planned_steps: u64,
    /// The state of the schedule.
    pub spending: Spending,
}

/// The expected cost of one kind of measurement: a moving average, so that a single delayed measurement has little
/// weight.
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

impl MeasuringSchedule {
    /// Returns a schedule without measurements yet, for a cell that ends after `planned_steps` steps at the latest.
    pub fn new(tracking: Tracking, gauges: Vec<When>, steps_per_epoch: u64, planned_steps: u64) -> Self {
        Self {
            tracking,
            gauges,
            steps_per_epoch,
            planned_steps,
            spending: Spending::default(),
        }
    }

    /// Returns whether a measurement of λ_max, and of the gauges that are measured with it, is due after `step` steps and `seconds` of the cell's time. `audit` tells whether
    /// this measurement would include an audit.
    ///
    /// For a share s, a measurement is due as soon as all measurements, including this one at its expected cost, take
    /// at most the fraction s of the time up to its end. The time for the audit at the end of the cell is reserved in
    /// proportion to the cell's progress, so that the audit does not exceed the share.
    pub fn due(&self, step: u64, seconds: f64, audit: bool) -> bool {
        match self.tracking {
            Tracking::Steps(n) => step.is_multiple_of(n),
            Tracking::Epochs(n) => step.is_multiple_of(n.saturating_mul(self.steps_per_epoch)),
            Tracking::Share(share) => {
                let (warm, audited) = (self.spending.warm.seconds(), self.spending.audited.seconds());
                let with_lambda = |when: When| when == When::WithLambda;
                let cost = if audit { audited } else { warm } + self.gauge_seconds(with_lambda);
                let warm = warm + self.gauge_seconds(with_lambda);
                let spacing = LEAST_SPACING * warm * (1.0 - share) / share;
                self.affords(share, cost, step, seconds) && seconds - self.spending.last >= spacing
            }
            Tracking::Ends => false,
        }
    }

    /// Returns whether the gauge of this index is due after `step` steps and `seconds` of the cell's time. `with_lambda`
    /// tells whether λ_max is measured now. A gauge with its own interval is dropped, and this is counted, if the share of
    /// the time does not afford it.
    pub fn gauge_due(&mut self, index: usize, step: u64, seconds: f64, with_lambda: bool) -> bool {
        let is_due = match self.gauges[index] {
            When::WithLambda => return with_lambda,
            When::Ends => false,
            When::Steps(n) => step.is_multiple_of(n),
            When::Epochs(n) => step.is_multiple_of(n.saturating_mul(self.steps_per_epoch)),
        };
        let Tracking::Share(share) = self.tracking else {
            return is_due;
        };
        let affords = self.affords(share, self.gauge_cost(index), step, seconds);
        if is_due && !affords {
            *entry(&mut self.spending.dropped, index) += 1;
        }
        is_due && affords
    }

    /// Returns the number of measurements of the gauge of this index that were dropped.
    pub fn dropped(&self, index: usize) -> u64 {
        self.spending.dropped.get(index).copied().unwrap_or(0)
    }

    /// Returns whether a measurement of `cost` seconds stays within the share, with the time for the last measurements
    /// reserved in proportion to the progress.
    fn affords(&self, share: f64, cost: f64, step: u64, seconds: f64) -> bool {
        let progress = step as f64 / self.planned_steps.max(1) as f64;
        let at_the_end = self.spending.audited.seconds() + self.gauge_seconds(|_| true);
        self.spending.spent + cost + progress * at_the_end <= share * (seconds + cost)
    }

    fn gauge_cost(&self, index: usize) -> f64 {
        self.spending.gauges.get(index).map_or(0.0, |cost| cost.seconds())
    }

    /// Returns the expected seconds of the gauges of some kind.
    fn gauge_seconds(&self, of: impl Fn(When) -> bool) -> f64 {
        let chosen = self.gauges.iter().enumerate().filter(|(_, when)| of(**when));
        chosen.map(|(index, _)| self.gauge_cost(index)).sum()
    }

    /// Records a measurement of the gauge of this index that took `took` seconds.
    pub fn gauge_measured(&mut self, index: usize, took: f64) {
        self.spending.spent += took;
        entry(&mut self.spending.gauges, index).take_in(took);
    }

    /// Records a measurement of all probes that took `took` seconds and ended at `seconds` of the cell's time.
    pub fn measured(&mut self, seconds: f64, took: f64, audit: bool) {
        let Spending {
            spent,
            last,
            warm,
            audited,
            ..
        } = &mut self.spending;
        *spent += took;
        *last = seconds;
        let cost = if audit { audited } else { warm };
        cost.take_in(took);
    }
}

/// Returns the entry of this index, which is made if it is missing.
fn entry<T: Clone + Default>(list: &mut Vec<T>, index: usize) -> &mut T {
    if list.len() <= index {
        list.resize(index + 1, T::default());
    }
    &mut list[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the share of a cell's time that measurements take if a step takes 1 second, a measurement `cost`
    /// seconds, and one with an audit ten times as long. As in a real cell, the first and the last are audited.
    fn held(share: f64, cost: f64, audit_every: u64, steps: u64) -> f64 {
        let mut schedule = MeasuringSchedule::new(Tracking::Share(share), Vec::new(), 10, steps);
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
                    // Enough steps for the audits at both ends and some measurements between them.
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
        let of = |planned_steps| MeasuringSchedule::new(Tracking::Share(0.1), Vec::new(), 10, planned_steps);
        assert!(
            of(100).due(0, 0.0, false),
            "the expected cost is 0 before the first measurement"
        );
        let is_due_from = |schedule: &MeasuringSchedule, step, audit, seconds: f64| {
            let due = |seconds| schedule.due(step, seconds, audit);
            assert!(!due(seconds - 0.01) && due(seconds + 0.01), "not from {seconds} s on");
        };
        // A measurement of 1 second: 1 + 1 ≤ 0.1·(s + 1).
        let mut schedule = of(100);
        schedule.measured(10.0, 1.0, false);
        is_due_from(&schedule, 1, false, 19.0);
        // An audit of 5 seconds, half of which is reserved by step 50: 6 + 1 + 2.5 ≤ 0.1·(s + 1) and 6 + 5 + 2.5 ≤
        // 0.1·(s + 5).
        schedule.measured(40.0, 5.0, true);
        is_due_from(&schedule, 50, false, 94.0);
        is_due_from(&schedule, 50, true, 130.0);
        // Saved time is spent at most at twice the even rate: not before 0.5·1·0.9/0.1 seconds have passed.
        let mut schedule = of(100);
        schedule.measured(100.0, 1.0, false);
        is_due_from(&schedule, 1, false, 104.5);
        // The next measurement takes 3 seconds; the expected cost is then 1 + 0.3·(3 − 1).
        schedule.measured(200.0, 3.0, false);
        let mut resumed = of(100);
        resumed.spending = schedule.spending.clone();
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
        let mut schedule = MeasuringSchedule::new(Tracking::Share(0.1), Vec::new(), 10, 10_000);
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
            .filter(|&s| MeasuringSchedule::new(Tracking::Steps(5), Vec::new(), 3, 12).due(s, 0.0, false))
            .collect();
        assert_eq!(steps, [5, 10]);
        let steps: Vec<u64> = (1..=12)
            .filter(|&s| MeasuringSchedule::new(Tracking::Epochs(2), Vec::new(), 3, 12).due(s, 0.0, false))
            .collect();
        assert_eq!(steps, [6, 12]);
        assert!(evaluation_due(Cadence::Epochs(1), 3, 3) && !evaluation_due(Cadence::Epochs(1), 4, 3));
    }

    /// A gauge of its own interval beside measurements of λ_max, under one share.
    #[test]
    fn a_share_covers_gauges_and_what_it_does_not_afford_is_dropped_and_counted() {
        let gauges = vec![When::Steps(10), When::WithLambda, When::Ends];
        let mut schedule = MeasuringSchedule::new(Tracking::Share(0.1), gauges.clone(), 10, 2_000);
        let (mut seconds, mut measuring, mut taken) = (0.0, 0.0, [0; 3]);
        for step in 0..=2_000 {
            let ends = step == 0 || step == 2_000;
            let lambda = ends || schedule.due(step, seconds, false);
            if lambda {
                (seconds, measuring) = (seconds + 1.0, measuring + 1.0);
                schedule.measured(seconds, 1.0, ends);
            }
            for (index, took) in [2.0, 0.5, 5.0].into_iter().enumerate() {
                if ends || schedule.gauge_due(index, step, seconds, lambda) {
                    (seconds, measuring) = (seconds + took, measuring + took);
                    schedule.gauge_measured(index, took);
                    taken[index] += 1;
                }
            }
            seconds += 1.0;
        }
        let held = measuring / seconds;
        assert!((held / 0.1 - 1.0).abs() < 0.1, "{held}");
        assert!(
            schedule.dropped(0) > 0 && taken[0] as u64 + schedule.dropped(0) == 201,
            "{taken:?}"
        );
        assert!(taken[1] > 10 && taken[2] == 2, "{taken:?}");
        // Without a share nothing is dropped.
        let mut all = MeasuringSchedule::new(Tracking::Ends, gauges, 10, 2_000);
        all.gauge_measured(0, 1e9);
        assert!(all.gauge_due(0, 20, 1.0, false) && !all.gauge_due(0, 21, 1.0, false) && all.dropped(0) == 0);
        assert!(all.gauge_due(1, 7, 1.0, true) && !all.gauge_due(1, 7, 1.0, false));
        assert!(!all.gauge_due(2, 20, 1.0, true));
    }
}
