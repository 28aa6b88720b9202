//! Several curves as one: their mean, with the smallest and the largest value at each place of the horizontal axis.
//!
//! ```text
//! curve 1, finished    ───────────╌╌╌╌╌╌╌   its last value is held
//! curve 2, unfinished     ─────────────
//! curve 3, unfinished  ──────────────────
//!                         ├───────────┤     the band
//! ```
//!
//! The band begins where the last curve begins and ends where the first unfinished curve ends, so its mean is always
//! over the same number of curves, and no curve that begins or ends makes the mean jump.

use std::borrow::Cow;

use super::{Curve, Marks};

/// Largest number of places at which a band is computed: more than any screen has columns of dots.
const MOST_PLACES: usize = 4_096;

/// One of the curves.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// The curve, with its steps converted to places on the horizontal axis.
    pub curve: Cow<'a, Curve>,
    /// Whether the curve is complete, so that its last value holds from there on.
    pub holds: bool,
}

/// The values of all curves at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// The arithmetic mean, with every curve linear between two measurements.
    pub mean: f64,
    /// The smallest value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
    /// Whether one of the values did not converge.
    pub unconverged: bool,
    /// Whether one of the values was corrected by an audit.
    pub corrected: bool,
}

/// The mean of several curves, and the band from their smallest to their largest value, at the same places.
#[derive(Clone, Debug, Default)]
pub struct Band {
    /// The mean.
    pub mean: Curve,
    /// The smallest value.
    pub low: Curve,
    /// The largest value.
    pub high: Curve,
}

impl Band {
    /// Returns the band over curves that all have a value, within the places `from` to `to`.
    ///
    /// The mean is given at each place where some curve has a measurement (of more than 4,096 places, at evenly chosen
    /// ones). A bucket that stands for several measurements contributes its first and its last value to the mean, and
    /// its smallest and largest to the band, so that no spike is lost. Where one curve has a gap, the band has one.
    #[must_use]
    pub fn over(members: &[Member], from: u64, to: u64) -> Self {
        let mut band = Self::default();
        let Some((start, end)) = ends(members) else { return band };
        let mut places: Vec<u64> = Vec::new();
        for member in members {
            member.add_places(start.max(from), end.min(to), &mut places);
        }
        places.sort_unstable();
        places.dedup();
        let mut before = None;
        for place in thinned(&places) {
            let has_gap = before.is_some_and(|before| members.iter().any(|member| member.has_gap(before, place)));
            if has_gap {
                band.push(place, None);
            }
            band.push(place, level(members, before, place));
            before = Some(place);
        }
        band
    }

    fn push(&mut self, place: u64, level: Option<Level>) {
        let value = |of: fn(&Level) -> f64| level.as_ref().map_or(f64::NAN, of);
        let marks = level.map_or_else(Marks::default, |level| Marks {
            unconverged: level.unconverged,
            corrected: level.corrected,
            residual: 0.0,
        });
        self.mean.push_marked(place, value(|level| level.mean), marks);
        self.low.push(place, value(|level| level.low));
        self.high.push(place, value(|level| level.high));
    }
}

/// Returns the first and the last place at which every curve has a value; `None` if there is none.
#[must_use]
pub fn ends(members: &[Member]) -> Option<(u64, u64)> {
    let firsts = members
        .iter()
        .map(|member| Some(member.curve.buckets().first()?.first_step));
    let start = firsts.collect::<Option<Vec<u64>>>()?.into_iter().max()?;
    let last = |member: &Member| member.curve.last_step();
    let unfinished = members.iter().filter(|member| !member.holds).filter_map(last).min();
    let end = unfinished.or_else(|| members.iter().filter_map(last).max())?;
    (start <= end).then_some((start, end))
}

/// Returns the values where some curve was last measured at or before a place, if every curve has a value there.
#[must_use]
pub fn at(members: &[Member], place: u64) -> Option<Level> {
    let (start, end) = ends(members)?;
    if !(start..=end).contains(&place) {
        return None;
    }
    let measured = members
        .iter()
        .filter_map(|member| member.measured_before(place))
        .max()?;
    let has_gap = members.iter().any(|member| member.has_gap(measured, place));
    if has_gap {
        return None;
    }
    level(members, None, measured)
}

/// Returns the values at a place. Extremes and marks include the buckets after the place `before`.
fn level(members: &[Member], before: Option<u64>, place: u64) -> Option<Level> {
    let mut sum = 0.0;
    let mut level = Level {
        mean: f64::NAN,
        low: f64::INFINITY,
        high: f64::NEG_INFINITY,
        unconverged: false,
        corrected: false,
    };
    for member in members {
        let (value, unconverged) = member.value(place)?;
        sum += value;
        (level.low, level.high) = (level.low.min(value), level.high.max(value));
        level.unconverged |= unconverged;
        let buckets = member.curve.buckets();
        let start = buckets.partition_point(|bucket| match before {
            Some(before) => bucket.last_step <= before,
            None => bucket.last_step < place,
        });
        let end = buckets.partition_point(|bucket| bucket.first_step <= place);
        for bucket in &buckets[start.min(end)..end] {
            (level.low, level.high) = (level.low.min(bucket.min), level.high.max(bucket.max));
            level.unconverged |= bucket.unconverged;
            level.corrected |= bucket.corrected;
        }
    }
    level.mean = sum / members.len() as f64;
    Some(level)
}

/// Returns the places, or, if they are too many, evenly chosen ones with the last.
fn thinned(places: &[u64]) -> Vec<u64> {
    let stride = places.len().div_ceil(MOST_PLACES).max(1);
    let mut chosen: Vec<u64> = places.iter().step_by(stride).copied().collect();
    chosen.extend(places.last());
    chosen.dedup();
    chosen
}

impl Member<'_> {
    /// Returns the value at a place, linear between two measurements, and whether it did not converge. `None` before
    /// the first value, in a gap, and after the last value of a curve that does not hold.
    fn value(&self, place: u64) -> Option<(f64, bool)> {
        let buckets = self.curve.buckets();
        let behind = buckets.partition_point(|bucket| bucket.first_step <= place);
        let bucket = buckets.get(behind.checked_sub(1)?)?;
        if place <= bucket.last_step {
            let (from, to) = ((bucket.first_step, bucket.first), (bucket.last_step, bucket.last));
            return Some((between(from, to, place), bucket.unconverged));
        }
        if bucket.gap_after {
            return None;
        }
        let Some(next) = buckets.get(behind) else {
            return self.holds.then_some((bucket.last, bucket.unconverged));
        };
        let (from, to) = ((bucket.last_step, bucket.last), (next.first_step, next.first));
        Some((between(from, to, place), bucket.unconverged || next.unconverged))
    }

    /// Returns the last place of a measurement at or before a place.
    fn measured_before(&self, place: u64) -> Option<u64> {
        let buckets = self.curve.buckets();
        let behind = buckets.partition_point(|bucket| bucket.first_step <= place);
        let bucket = buckets.get(behind.checked_sub(1)?)?;
        Some(if bucket.last_step <= place {
            bucket.last_step
        } else {
            bucket.first_step
        })
    }

    /// Returns whether there is a gap between two places.
    fn has_gap(&self, from: u64, to: u64) -> bool {
        let buckets = self.curve.buckets();
        let start = buckets.partition_point(|bucket| bucket.last_step < from);
        let end = buckets.partition_point(|bucket| bucket.last_step < to);
        buckets[start.min(end)..end].iter().any(|bucket| bucket.gap_after)
    }

    /// Adds the ends of the buckets within these places, of a long curve only of some buckets.
    fn add_places(&self, from: u64, to: u64, places: &mut Vec<u64>) {
        let buckets = self.curve.buckets();
        let start = buckets.partition_point(|bucket| bucket.last_step < from);
        let end = buckets.partition_point(|bucket| bucket.first_step <= to);
        let shown = &buckets[start.min(end)..end];
        let stride = shown.len().div_ceil(MOST_PLACES).max(1);
        let chosen = shown.iter().step_by(stride).chain(shown.last());
        let both = chosen.flat_map(|bucket| [bucket.first_step, bucket.last_step]);
        places.extend(both.filter(|place| (from..=to).contains(place)));
    }
}

/// Returns the value at a place on the line between two points.
fn between(from: (u64, f64), to: (u64, f64), place: u64) -> f64 {
    if to.0 <= from.0 || place >= to.0 {
        return to.1;
    }
    let share = (place - from.0) as f64 / (to.0 - from.0) as f64;
    from.1 + share * (to.1 - from.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(points: &[(u64, f64)], holds: bool) -> Member<'static> {
        let mut curve = Curve::default();
        for (place, value) in points {
            curve.push(*place, *value);
        }
        let curve = Cow::Owned(curve);
        Member { curve, holds }
    }

    /// Returns place, mean, smallest and largest value at each place of the band.
    fn rows(band: &Band) -> Vec<(u64, f64, f64, f64)> {
        let [mean, low, high] = [&band.mean, &band.low, &band.high].map(Curve::buckets);
        let rows = mean.iter().zip(low).zip(high);
        rows.map(|((mean, low), high)| (mean.first_step, mean.last, low.last, high.last))
            .collect()
    }

    fn over(members: &[Member]) -> Vec<(u64, f64, f64, f64)> {
        rows(&Band::over(members, 0, u64::MAX))
    }

    #[test]
    fn at_common_places_it_is_the_mean_the_smallest_and_the_largest_value() {
        let members = [
            member(&[(0, 1.0), (10, 4.0)], true),
            member(&[(0, 2.0), (10, 5.0)], true),
            member(&[(0, 6.0), (10, 9.0)], true),
        ];
        assert_eq!(over(&members), [(0, 3.0, 1.0, 6.0), (10, 6.0, 4.0, 9.0)]);
    }

    #[test]
    fn between_two_measurements_a_curve_is_a_line() {
        let members = [
            member(&[(0, 0.0), (10, 10.0)], true),
            member(&[(0, 4.0), (5, 7.0), (10, 8.0)], true),
        ];
        let expected = [(0, 2.0, 0.0, 4.0), (5, 6.0, 5.0, 7.0), (10, 9.0, 8.0, 10.0)];
        assert_eq!(over(&members), expected);
    }

    #[test]
    fn the_band_ends_where_the_slowest_unfinished_curve_is_and_holds_a_finished_one() {
        let finished = member(&[(0, 1.0), (4, 3.0)], true);
        let slow = member(&[(0, 5.0), (6, 5.0)], false);
        let fast = member(&[(0, 9.0), (4, 10.0), (8, 12.0)], false);
        // At 6 the fast curve is half way between 10 and 12.
        let expected = [(0, 5.0, 1.0, 9.0), (4, 6.0, 3.0, 10.0), (6, 19.0 / 3.0, 3.0, 11.0)];
        assert_eq!(over(&[finished.clone(), slow, fast.clone()]), expected);
        let all_finished = [finished, Member { holds: true, ..fast }];
        let expected = [(0, 5.0, 1.0, 9.0), (4, 6.5, 3.0, 10.0), (8, 7.5, 3.0, 12.0)];
        assert_eq!(over(&all_finished), expected);
    }

    #[test]
    fn it_begins_where_the_last_curve_begins() {
        let members = [
            member(&[(0, 1.0), (10, 1.0)], false),
            member(&[(5, 3.0), (10, 3.0)], false),
        ];
        assert_eq!(over(&members), [(5, 2.0, 1.0, 3.0), (10, 2.0, 1.0, 3.0)]);
        assert_eq!(ends(&members), Some((5, 10)));
        assert_eq!((at(&members, 4), at(&members, 11)), (None, None));
        let apart = [member(&[(0, 1.0)], false), member(&[(5, 3.0)], false)];
        assert_eq!((ends(&apart), over(&apart)), (None, Vec::new()));
        assert_eq!(ends(&[]), None);
        assert_eq!(ends(&[member(&[], true)]), None);
    }

    #[test]
    fn it_is_read_off_where_something_was_measured_last() {
        let members = [
            member(&[(0, 0.0), (10, 10.0)], true),
            member(&[(0, 4.0), (5, 7.0), (10, 8.0)], true),
        ];
        let read = |place| at(&members, place).map(|level| (level.mean, level.low, level.high));
        assert_eq!([read(0), read(4)], [Some((2.0, 0.0, 4.0)); 2]);
        assert_eq!([read(5), read(9)], [Some((6.0, 5.0, 7.0)); 2]);
        assert_eq!([read(10), read(11)], [Some((9.0, 8.0, 10.0)), None]);
    }

    #[test]
    fn a_gap_in_one_curve_is_a_gap_in_the_band() {
        let members = [
            member(&[(0, 1.0), (5, f64::NAN), (10, 1.0)], true),
            member(&[(0, 3.0), (10, 3.0)], true),
        ];
        let band = Band::over(&members, 0, 10);
        assert_eq!(rows(&band), [(0, 2.0, 1.0, 3.0), (10, 2.0, 1.0, 3.0)]);
        assert!(
            [&band.mean, &band.low, &band.high]
                .iter()
                .all(|curve| curve.buckets()[0].gap_after)
        );
        assert_eq!(at(&members, 7), None);
        // After a last value that was not finite, there is nothing to hold.
        let members = [
            member(&[(0, 1.0), (5, f64::NAN)], true),
            member(&[(0, 3.0), (10, 3.0)], true),
        ];
        assert_eq!(over(&members), [(0, 2.0, 1.0, 3.0)]);
    }

    #[test]
    fn a_value_that_did_not_converge_marks_every_mean_that_it_is_part_of() {
        let mut curve = Curve::default();
        let marks = Marks {
            unconverged: true,
            ..Marks::default()
        };
        curve.push_marked(0, 1.0, Marks::default());
        curve.push_marked(10, 1.0, marks);
        let curve = Cow::Owned(curve);
        let other = member(&[(0, 3.0), (5, 3.0), (20, 3.0)], false);
        let band = Band::over(&[Member { curve, holds: true }, other], 0, 20);
        let marked: Vec<_> = band
            .mean
            .buckets()
            .iter()
            .map(|b| (b.first_step, b.unconverged))
            .collect();
        assert_eq!(marked, [(0, false), (5, true), (10, true), (20, true)]);
    }

    #[test]
    fn of_merged_measurements_the_band_keeps_the_extremes() {
        let mut merged = Curve::default();
        for (place, value) in [(0, 1.0), (1, 9.0), (2, -5.0), (3, 2.0)] {
            merged.push(place, value);
        }
        merged.compact(1);
        let merged = Member {
            curve: Cow::Owned(merged),
            holds: true,
        };
        let members = [merged, member(&[(0, 3.0), (3, 4.0)], true)];
        assert_eq!(over(&members), [(0, 2.0, -5.0, 9.0), (3, 3.0, -5.0, 9.0)]);
    }

    #[test]
    fn of_many_places_few_are_computed_and_no_spike_is_lost() {
        let spiky: Vec<(u64, f64)> = (0..16_000)
            .map(|place| (place, if place == 4_321 { 99.0 } else { 1.0 }))
            .collect();
        let flat: Vec<(u64, f64)> = (0..16_000).map(|place| (place, 1.0)).collect();
        let members = [member(&spiky, true), member(&flat, true)];
        let band = Band::over(&members, 0, 20_000);
        assert!(
            band.mean.buckets().len() <= MOST_PLACES + 1,
            "{}",
            band.mean.buckets().len()
        );
        assert_eq!(
            (band.high.range(), band.low.range()),
            (Some((1.0, 99.0)), Some((1.0, 1.0)))
        );
        assert_eq!(band.mean.last_step(), Some(15_999));
    }

    #[test]
    fn only_what_lies_in_the_window_is_computed() {
        let members = [
            member(&[(0, 1.0), (5, 2.0), (10, 3.0)], true),
            member(&[(0, 3.0), (5, 4.0), (10, 5.0)], true),
        ];
        assert_eq!(rows(&Band::over(&members, 3, 7)), [(5, 3.0, 2.0, 4.0)]);
    }
}
