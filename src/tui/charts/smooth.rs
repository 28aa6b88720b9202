//! A smoothed curve, which is drawn over the measured one.

use crate::monitor::{Bucket, Curve};

/// Number of points that are enough for a smoothed curve on a screen of any width.
const ENOUGH: usize = 2_048;

/// Returns the mean over `points` neighbouring measurements: as many before each point as after it, fewer near the
/// ends, and never across a gap.
///
/// If a bucket of the curve holds several measurements, the midpoint of the smallest and the largest stands for them. A
/// long curve gets fewer means than it has buckets, because neighbouring means differ little.
pub(super) fn smoothed(curve: &Curve, points: usize) -> Curve {
    let half = points / 2;
    let mut smooth = Curve::default();
    for part in curve.buckets().split_inclusive(|bucket| bucket.gap_after) {
        let mut sums = Vec::with_capacity(part.len() + 1);
        let mut sum = 0.0;
        sums.push(sum);
        for bucket in part {
            sum += middle(bucket);
            sums.push(sum);
        }
        let last = part.len() - 1;
        let stride = (part.len() / ENOUGH).clamp(1, half.max(1));
        for at in (0..last).step_by(stride).chain([last]) {
            let bucket = &part[at];
            // The window is symmetric even near the ends, so that a straight line is not changed.
            let reach = half.min(at).min(last - at);
            let mean = (sums[at + reach + 1] - sums[at - reach]) / (2 * reach + 1) as f64;
            smooth.push(bucket.first_step + (bucket.last_step - bucket.first_step) / 2, mean);
        }
        if part.last().is_some_and(|bucket| bucket.gap_after) {
            smooth.push(0, f64::NAN);
        }
    }
    smooth
}

fn middle(bucket: &Bucket) -> f64 {
    f64::midpoint(bucket.min, bucket.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Curve {
        let mut curve = Curve::default();
        for (step, value) in (0..).zip(values) {
            curve.push(step * 10, *value);
        }
        curve
    }

    fn values(curve: &Curve) -> Vec<f64> {
        curve.buckets().iter().map(|bucket| bucket.last).collect()
    }

    #[test]
    fn a_straight_line_stays_as_it_is_up_to_its_ends() {
        let line: Vec<f64> = (0..50).map(|i| 3.0 - 0.25 * f64::from(i)).collect();
        for points in [3, 9, 41, 1_001] {
            for (smooth, exact) in values(&smoothed(&of(&line), points)).iter().zip(&line) {
                assert!((smooth - exact).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn an_oscillation_is_averaged_away_and_a_spike_is_spread() {
        let curve = of(&[0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0]);
        assert_eq!(values(&smoothed(&curve, 3)), [0.0, 0.0, 3.0, 3.0, 3.0, 0.0, 0.0]);
    }

    #[test]
    fn nothing_is_averaged_across_a_gap() {
        let curve = of(&[1.0, 1.0, 1.0, f64::NAN, 5.0, 5.0, 5.0]);
        let smooth = smoothed(&curve, 5);
        assert_eq!(values(&smooth), [1.0, 1.0, 1.0, 5.0, 5.0, 5.0]);
        let gaps: Vec<bool> = smooth.buckets().iter().map(|bucket| bucket.gap_after).collect();
        assert_eq!(gaps, [false, false, true, false, false, false]);
    }

    #[test]
    fn of_many_means_some_are_left_out_but_neither_the_first_nor_the_last() {
        let line: Vec<f64> = (0..10_000).map(f64::from).collect();
        let smooth = smoothed(&of(&line), 41);
        let steps: Vec<u64> = smooth.buckets().iter().map(|bucket| bucket.last_step).collect();
        assert!((ENOUGH..2 * ENOUGH + 1).contains(&steps.len()), "{}", steps.len());
        assert_eq!((steps[0], steps[steps.len() - 1]), (0, 99_990));
        for (step, value) in steps.iter().zip(values(&smooth)) {
            assert!((value - *step as f64 / 10.0).abs() < 1e-9, "{step}: {value}");
        }
    }

    #[test]
    fn what_is_empty_stays_empty() {
        assert!(smoothed(&Curve::default(), 9).is_empty());
    }
}
