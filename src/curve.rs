//! A curve in bounded memory for a run of any length. It keeps all spikes.

mod across;
pub mod band;

pub use across::Across;

use crate::event::Point;
use crate::quantity::Quantity;

/// Limit of buckets before neighbours are merged.
///
/// With this limit, a run of a million measurements has 64 to 128 measurements per bucket; 16,384 buckets take about
/// 1.4 MB.
const CAPACITY: usize = 16_384;

/// Parts of an epoch or a second in one place of a horizontal axis of epochs or seconds.
pub const PLACES: f64 = 1e3;

/// Returns the place of a number of epochs or seconds on a horizontal axis, in thousandths.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The value is not negative, and the cast saturates.
pub fn place(value: f64) -> u64 {
    (value * PLACES).round() as u64
}

/// A group of neighbouring points, with the values that a chart needs to draw them without losing a spike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Step of the first point.
    pub first_step: u64,
    /// Step of the last point.
    pub last_step: u64,
    /// Value of the first point.
    pub first: f64,
    /// Value of the last point.
    pub last: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Whether a non-finite value followed, so that the curve has a gap here.
    pub gap_after: bool,
    /// Whether some point of the group did not converge.
    pub unconverged: bool,
    /// Whether some point of the group was corrected by an audit.
    pub corrected: bool,
    /// Possible error of the last value, a residual or a standard error; 0 if unknown.
    pub residual: f64,
    points: u64,
}

impl Bucket {
    fn merge(&mut self, later: &Self) {
        self.last_step = later.last_step;
        self.last = later.last;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.gap_after = later.gap_after;
        self.unconverged |= later.unconverged;
        self.corrected |= later.corrected;
        self.residual = later.residual;
        self.points += later.points;
    }
}

/// The marks at a point of a curve.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Marks {
    pub(crate) unconverged: bool,
    pub(crate) corrected: bool,
    pub(crate) residual: f64,
}

impl Marks {
    /// Returns the marks for the value of a quantity in a point.
    pub(crate) fn of(quantity: &Quantity, point: &Point) -> Self {
        let outcome = quantity.outcome(point);
        Self {
            unconverged: outcome.is_some_and(|outcome| !outcome.converged),
            corrected: outcome.is_some_and(|outcome| outcome.corrected),
            residual: quantity
                .uncertainty(point)
                .filter(|residual| residual.is_finite())
                .unwrap_or(0.0),
        }
    }
}

/// A quantity over steps, as at most 16,384 [`Bucket`]s for a run of any length.
///
/// When the curve is full, neighbouring buckets are merged in pairs, which keeps the smallest and the largest value.
/// Each later bucket then takes twice as many points. So the whole run has one resolution, and no spike is lost.
#[derive(Clone, Debug)]
pub struct Curve {
    buckets: Vec<Bucket>,
    points_per_bucket: u64,
}

impl Default for Curve {
    fn default() -> Self {
        Self::new()
    }
}

impl Curve {
    /// Creates an empty curve.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buckets: Vec::new(),
            points_per_bucket: 1,
        }
    }

    /// Adds a point; a non-finite value becomes a gap.
    pub fn push(&mut self, step: u64, value: f64) {
        self.push_marked(step, value, Marks::default());
    }

    pub(crate) fn push_marked(&mut self, step: u64, value: f64, marks: Marks) {
        if !value.is_finite() {
            if let Some(last) = self.buckets.last_mut() {
                last.gap_after = true;
            }
            return;
        }
        let point = Bucket {
            first_step: step,
            last_step: step,
            first: value,
            last: value,
            min: value,
            max: value,
            gap_after: false,
            unconverged: marks.unconverged,
            corrected: marks.corrected,
            residual: marks.residual,
            points: 1,
        };
        match self.buckets.last_mut() {
            Some(open) if open.points < self.points_per_bucket && !open.gap_after => open.merge(&point),
            _ => self.buckets.push(point),
        }
        if self.buckets.len() >= CAPACITY {
            self.points_per_bucket *= 2;
            self.halve();
        }
    }

    /// Merges neighbours until at most `buckets` are left: an ended cell needs no more than a chart can show.
    pub fn compact(&mut self, buckets: usize) {
        while self.buckets.len() > buckets.max(1) {
            self.points_per_bucket *= 2;
            self.halve();
        }
        self.buckets.shrink_to_fit();
    }

    /// Returns the buckets in order of steps.
    #[must_use]
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// Returns the curve with each step replaced by `place(step)`, which must keep the order.
    #[must_use]
    pub(crate) fn placed(&self, place: impl Fn(u64) -> u64) -> Self {
        let placed = |bucket: &Bucket| Bucket {
            first_step: place(bucket.first_step),
            last_step: place(bucket.last_step),
            ..*bucket
        };
        Self {
            buckets: self.buckets.iter().map(placed).collect(),
            points_per_bucket: self.points_per_bucket,
        }
    }

    /// Returns the bucket that contains `step`, or the last one before it if no gap follows that one.
    #[must_use]
    pub fn at(&self, step: u64) -> Option<Bucket> {
        let behind = self.buckets.partition_point(|bucket| bucket.first_step <= step);
        let bucket = *self.buckets.get(behind.checked_sub(1)?)?;
        (step <= bucket.last_step || !bucket.gap_after).then_some(bucket)
    }

    /// Returns whether no finite value was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Returns the smallest and the largest value.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        self.buckets
            .iter()
            .map(|bucket| (bucket.min, bucket.max))
            .reduce(|(low, high), (min, max)| (low.min(min), high.max(max)))
    }

    /// Returns the step of the last finite value.
    #[must_use]
    pub fn last_step(&self) -> Option<u64> {
        self.buckets.last().map(|bucket| bucket.last_step)
    }

    fn halve(&mut self) {
        let before = self.buckets.len();
        self.merge_pairs(|earlier| !earlier.gap_after);
        // Gaps are kept while there is room. A curve that consists mostly of gaps must still fit.
        if self.buckets.len() > before * 3 / 4 {
            self.merge_pairs(|_| true);
        }
    }

    fn merge_pairs(&mut self, may_merge: impl Fn(&Bucket) -> bool) {
        let mut merged: Vec<Bucket> = Vec::with_capacity(self.buckets.len());
        let mut paired = true;
        for bucket in &self.buckets {
            match merged.last_mut() {
                Some(earlier) if !paired && may_merge(earlier) => {
                    earlier.merge(bucket);
                    paired = true;
                }
                _ => {
                    merged.push(*bucket);
                    paired = false;
                }
            }
        }
        self.buckets = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_points_stay_within_the_capacity_and_keep_the_only_spike() {
        let mut curve = Curve::default();
        for step in 0..1_000_000 {
            curve.push(step, if step == 123_456 { 99.0 } else { 1.0 });
        }
        assert!(curve.buckets().len() < CAPACITY, "{} buckets", curve.buckets().len());
        assert!(
            curve.buckets().len() >= CAPACITY / 4,
            "{} buckets",
            curve.buckets().len()
        );
        assert_eq!(curve.range(), Some((1.0, 99.0)));
        let spike = curve.buckets().iter().find(|bucket| bucket.max > 1.0).unwrap();
        assert!((spike.first_step..=spike.last_step).contains(&123_456));
    }

    #[test]
    fn a_curve_is_halved_as_soon_as_it_has_as_many_buckets_as_it_may() {
        let mut curve = Curve::default();
        for step in 0..CAPACITY as u64 - 1 {
            curve.push(step, 1.0);
        }
        assert_eq!(curve.buckets().len(), CAPACITY - 1);
        curve.push(CAPACITY as u64 - 1, 1.0);
        assert_eq!(curve.buckets().len(), CAPACITY / 2);
    }

    #[test]
    fn every_part_of_a_long_run_keeps_the_same_resolution() {
        let mut curve = Curve::default();
        for step in 0..100_000 {
            curve.push(step, 1.0);
        }
        let widths: Vec<u64> = curve
            .buckets()
            .iter()
            .map(|bucket| bucket.last_step - bucket.first_step + 1)
            .collect();
        let complete = &widths[..widths.len() - 1];
        assert!(complete.iter().all(|width| *width == complete[0]), "{widths:?}");
    }

    #[test]
    fn values_that_are_not_finite_are_gaps_and_stay_gaps_when_neighbours_are_merged() {
        let mut curve = Curve::default();
        for step in 0..100_000 {
            curve.push(step, if step == 5_000 { f64::NAN } else { 1.0 });
        }
        let gaps: Vec<_> = curve.buckets().iter().filter(|bucket| bucket.gap_after).collect();
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].last_step, 4_999);
    }

    #[test]
    fn a_curve_of_nothing_but_gaps_is_bounded_too() {
        let mut curve = Curve::default();
        for step in 0..100_000 {
            curve.push(step, if step % 2 == 0 { 1.0 } else { f64::INFINITY });
        }
        assert!(curve.buckets().len() < CAPACITY);
    }

    #[test]
    fn a_mark_survives_merging() {
        let mut curve = Curve::default();
        curve.push_marked(
            0,
            1.0,
            Marks {
                unconverged: true,
                corrected: false,
                residual: 0.0,
            },
        );
        for step in 1..50_000 {
            curve.push(step, 1.0);
        }
        assert!(curve.buckets()[0].unconverged);
        assert!(curve.buckets()[1..].iter().all(|bucket| !bucket.unconverged));
    }

    #[test]
    fn every_field_of_a_merged_bucket_is_that_of_its_points() {
        // All values differ and are unordered, so a field taken from the wrong point is detected.
        let values = [3.0, -2.0, 7.0, 1.0, 0.5, 9.0, -4.0, 2.0];
        let mut curve = Curve::default();
        for (index, value) in values.into_iter().enumerate() {
            let marks = Marks {
                unconverged: index == 2,
                corrected: index == 5,
                residual: 0.01 * index as f64,
            };
            curve.push_marked(10 * index as u64, value, marks);
        }
        // Eight points become pairs, then groups of four, then one bucket.
        for width in [2, 4, 8] {
            curve.compact(values.len() / width);
            let expected: Vec<Bucket> = (0..values.len())
                .step_by(width)
                .map(|first| {
                    let (last, points) = (first + width - 1, &values[first..first + width]);
                    Bucket {
                        first_step: 10 * first as u64,
                        last_step: 10 * last as u64,
                        first: values[first],
                        last: values[last],
                        min: points.iter().copied().fold(f64::INFINITY, f64::min),
                        max: points.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                        gap_after: false,
                        unconverged: (first..=last).contains(&2),
                        corrected: (first..=last).contains(&5),
                        residual: 0.01 * last as f64,
                        points: width as u64,
                    }
                })
                .collect();
            assert_eq!(curve.buckets(), expected, "{width} points each");
        }
        assert_eq!(curve.range(), Some((-4.0, 9.0)));
        // A bucket now takes eight points: the next eight points open and fill a second bucket.
        for step in 80..88_u32 {
            curve.push(step.into(), f64::from(step));
        }
        let steps = |bucket: &Bucket| (bucket.first_step, bucket.last_step, bucket.min, bucket.max);
        let steps: Vec<_> = curve.buckets().iter().map(steps).collect();
        assert_eq!(steps, [(0, 70, -4.0, 9.0), (80, 87, 80.0, 87.0)]);
    }

    #[test]
    fn the_smallest_value_of_a_long_run_stays_like_the_largest() {
        let mut curve = Curve::default();
        for step in 0..100_000_u32 {
            let value = match step {
                30_001 => -5.0,
                70_002 => 5.0,
                _ => f64::from(step % 7) / 7.0,
            };
            curve.push(step.into(), value);
        }
        for (step, value) in [(30_001, -5.0), (70_002, 5.0)] {
            let holds = |bucket: &&Bucket| (bucket.first_step..=bucket.last_step).contains(&step);
            let found = curve.buckets().iter().find(holds).unwrap();
            assert!(
                [found.min, found.max].contains(&value),
                "{value} at step {step} is lost: {found:?}"
            );
        }
        assert_eq!(curve.range(), Some((-5.0, 5.0)));
    }

    #[test]
    fn a_gap_behind_the_later_of_two_buckets_stays_and_one_between_them_keeps_them_apart() {
        let mut curve = Curve::default();
        for (step, value) in [(0, 1.0), (1, f64::NAN), (2, 2.0), (3, 3.0), (4, f64::NAN), (5, 4.0)] {
            curve.push(step, value);
        }
        curve.compact(3);
        let buckets = curve.buckets().iter();
        let found: Vec<_> = buckets.map(|b| (b.first_step, b.last_step, b.gap_after)).collect();
        assert_eq!(found, [(0, 0, true), (2, 3, true), (5, 5, false)]);
    }

    #[test]
    fn compacting_keeps_both_ends_of_the_curve() {
        let mut curve = Curve::default();
        for step in 0..1_000_u32 {
            curve.push(step.into(), f64::from(step));
        }
        curve.compact(100);
        assert!(curve.buckets().len() <= 100);
        assert_eq!(curve.buckets()[0].first_step, 0);
        assert_eq!(curve.last_step(), Some(999));
        assert_eq!(curve.range(), Some((0.0, 999.0)));
    }

    #[test]
    fn a_value_is_read_off_where_it_was_measured_or_last_was_before_and_not_in_a_gap() {
        let mut curve = Curve::default();
        for (step, value) in [(0, 1.0), (10, 2.0), (20, f64::NAN), (30, 4.0)] {
            curve.push(step, value);
        }
        let at = |step| curve.at(step).map(|bucket| bucket.last);
        assert_eq!([at(0), at(9), at(10)], [Some(1.0), Some(1.0), Some(2.0)]);
        assert_eq!([at(15), at(25), at(30), at(99)], [None, None, Some(4.0), Some(4.0)]);
        assert_eq!(Curve::default().at(3), None);
    }
}
