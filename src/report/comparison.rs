//! Comparisons of levels: the effect of one setting on a measure, with all other settings equal.

use super::run::{Cell, Measure, Run};
use crate::statistics::{Estimate, Kendall, kendall, mean, paired_difference, welch_difference};

/// The comparison of the levels of one axis by one measure, within each combination of the other settings.
pub(super) struct Comparison {
    pub(super) axis: usize,
    pub(super) measure: Measure,
    pub(super) strata: Vec<Stratum>,
}

/// One combination of the settings other than the axis.
pub(super) struct Stratum {
    /// The level of every axis; the entry of the compared axis has no meaning.
    pub(super) others: Vec<usize>,
    /// The levels that have values, lowest first.
    pub(super) groups: Vec<Group>,
    /// The difference between the lowest and the highest of these levels; `None` if there are fewer than two.
    pub(super) ends: Option<Step>,
    /// For each level between the ends, the difference from the lowest level to it and from it to the highest.
    pub(super) between: Vec<(Step, Step)>,
    /// The rank correlation of level and measure, if there are three ordered levels or more.
    pub(super) trend: Option<Kendall>,
}

/// The values of one level.
pub(super) struct Group {
    pub(super) level: usize,
    pub(super) mean: Estimate,
    /// The values with their seeds.
    values: Vec<(u64, f64)>,
}

impl Group {
    /// Returns the values without their seeds.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        self.values.iter().map(|(_, value)| *value)
    }
}

/// The difference between two levels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The lower level and its mean.
    pub(super) from: (usize, f64),
    /// The higher level and its mean.
    pub(super) to: (usize, f64),
    /// The mean of the higher level minus the mean of the lower level.
    pub(super) difference: Estimate,
    /// Whether the values are paired by seed.
    pub(super) paired: bool,
}

impl Step {
    /// Returns the sign of the difference: 1 or −1, or `None` if the interval does not tell it.
    pub(super) fn sign(&self) -> Option<f64> {
        self.difference.told_sign()
    }
}

impl Comparison {
    /// Compares the levels of an axis within every combination of the others.
    pub(super) fn of(run: &Run, axis: usize, measure: Measure) -> Self {
        let strata = combinations(run, Some(axis))
            .into_iter()
            .map(|others| Stratum::of(run, axis, measure, others))
            .collect();
        Self { axis, measure, strata }
    }
}

impl Stratum {
    fn of(run: &Run, axis: usize, measure: Measure, others: Vec<usize>) -> Self {
        let of_level = |level| {
            let mut levels = others.clone();
            levels[axis] = level;
            let cells = run.compared().filter(|cell| cell.levels == levels);
            let values: Vec<(u64, f64)> = cells
                .filter_map(|cell| Some((cell.seed, cell.value(measure)?)))
                .collect();
            let numbers: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
            Some(Group {
                level,
                mean: mean(&numbers)?,
                values,
            })
        };
        let groups: Vec<Group> = (0..run.axes[axis].len()).filter_map(of_level).collect();
        let (ends, between) = match &groups[..] {
            [low, middle @ .., high] => (
                Some(step(low, high)),
                middle
                    .iter()
                    .map(|group| (step(low, group), step(group, high)))
                    .collect(),
            ),
            _ => (None, Vec::new()),
        };
        let ranked: Vec<(f64, f64)> = groups
            .iter()
            .flat_map(|group| group.values.iter().map(|(_, value)| (group.level as f64, *value)))
            .collect();
        let has_trend = run.axes[axis].ordered && groups.len() > 2;
        Self {
            others,
            trend: has_trend.then(|| kendall(&ranked)).flatten(),
            ends,
            between,
            groups,
        }
    }

    /// Returns the differences to and from a level between the ends that contradicts the difference between the ends.
    /// Such a level is clearly above both ends or clearly below both. A level also counts if only one of its two
    /// differences has a clear sign, and the difference between the ends has the opposite sign or no clear sign. Of
    /// several levels, returns the one farthest from the lowest level.
    pub(super) fn turn(&self) -> Option<(Step, Step)> {
        let ends = self.ends?.sign();
        let turns = |(from, to): &&(Step, Step)| match (from.sign(), to.sign()) {
            (Some(there), Some(back)) => there * back < 0.0,
            (Some(there), None) => ends.is_none_or(|ends| ends * there < 0.0),
            (None, Some(back)) => ends.is_none_or(|ends| ends * back < 0.0),
            (None, None) => false,
        };
        let far = |(from, _): &&(Step, Step)| from.difference.value.abs();
        self.between
            .iter()
            .filter(turns)
            .max_by(|a, b| far(a).total_cmp(&far(b)))
            .copied()
    }
}

/// Returns the difference between two levels: paired by seed if both have the same seeds, else between two groups.
fn step(low: &Group, high: &Group) -> Step {
    let partner = |seed| {
        high.values
            .iter()
            .find(|(other, _)| *other == seed)
            .map(|(_, value)| *value)
    };
    let pairs: Vec<(f64, f64)> = low
        .values
        .iter()
        .filter_map(|(seed, value)| Some((*value, partner(*seed)?)))
        .collect();
    let paired = pairs.len() == low.values.len() && pairs.len() == high.values.len();
    let numbers = |group: &Group| group.values().collect::<Vec<f64>>();
    let unpaired = || welch_difference(&numbers(low), &numbers(high));
    let difference = if paired { paired_difference(&pairs) } else { unpaired() };
    let (from, to) = (low.mean.value, high.mean.value);
    // A group has at least one value, so this default is not reached in practice.
    let mut difference = difference.unwrap_or(Estimate {
        count: 0,
        value: to - from,
        interval: None,
        error: None,
    });
    if difference.interval.is_none() && difference.value.abs() <= ROUNDING * from.abs().max(to.abs()) {
        difference.value = 0.0;
    }
    Step {
        from: (low.level, from),
        to: (high.level, to),
        difference,
        paired,
    }
}

/// Largest relative difference between two equal means whose values were added in a different order.
const ROUNDING: f64 = 1e-12;

/// Returns every combination of levels of the sweep, sorted by level. If `without` is given, combinations that differ
/// only on that axis are merged.
pub(super) fn combinations(run: &Run, without: Option<usize>) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = Vec::new();
    for cell in &run.cells {
        let mut levels = cell.levels.clone();
        if let Some(axis) = without {
            levels[axis] = 0;
        }
        if !found.contains(&levels) {
            found.push(levels);
        }
    }
    found.sort();
    found
}

/// Returns λ_max on a probe and test accuracy in percent for each of these cells that has both.
pub(super) fn pairs<'a>(cells: impl Iterator<Item = &'a Cell>, probe: usize) -> Vec<(f64, f64)> {
    cells
        .filter_map(|cell| Some((cell.value(Measure::Lambda(probe))?, cell.value(Measure::TestAccuracy)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Interval;

    fn group(level: usize, values: &[(u64, f64)]) -> Group {
        let numbers: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        Group {
            level,
            mean: mean(&numbers).unwrap(),
            values: values.to_vec(),
        }
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn groups_with_the_same_seeds_are_compared_seed_by_seed_and_others_as_a_whole() {
        let low = group(0, &[(0, 1.0), (1, 2.0), (2, 3.0)]);
        let paired = step(&low, &group(1, &[(2, 4.0), (0, 2.0), (1, 3.5)]));
        near(paired.difference.value, 3.5 / 3.0);
        assert!(paired.paired && paired.sign() == Some(1.0), "{paired:?}");
        assert_eq!((paired.from, paired.to.0), ((0, 2.0), 1));
        near(paired.to.1, 9.5 / 3.0);
        for high in [
            // Different seeds, fewer seeds, and more seeds.
            group(1, &[(3, 4.0), (4, 2.0), (5, 3.5)]),
            group(1, &[(0, 4.0), (1, 2.0)]),
            group(1, &[(0, 4.0), (1, 2.0), (2, 3.5), (3, 9.0)]),
        ] {
            let found = step(&low, &high);
            assert!(!found.paired);
            near(found.difference.value, high.mean.value - low.mean.value);
            assert_eq!(found.difference.count, high.values.len().min(3));
        }
    }

    #[test]
    fn means_that_differ_by_rounding_alone_are_the_same() {
        let between = |from, to| step(&group(0, &[(0, from)]), &group(1, &[(0, to)])).difference.value;
        let sum = 0.1 + 0.2;
        assert!(sum > 0.3);
        for (from, to) in [(sum, 0.3), (0.3, sum), (-sum, -0.3), (-0.3, -sum)] {
            assert_eq!(Some(between(from, to)), Some(0.0), "{from} {to}");
        }
        near(between(0.0, 1e-13) / 1e-13, 1.0);
        near(between(0.3, 0.3 + 1e-8) / ((0.3 + 1e-8) - 0.3), 1.0);
    }

    /// Returns a step whose interval tells its sign; for 0, a step whose interval does not.
    fn told(value: f64) -> Step {
        let (low, high) = if value == 0.0 {
            (-1.0, 1.0)
        } else {
            (value - 0.1, value + 0.1)
        };
        let difference = Estimate {
            count: 3,
            value,
            interval: Some(Interval { low, high }),
            error: None,
        };
        Step {
            from: (0, 0.0),
            to: (1, value),
            difference,
            paired: true,
        }
    }

    fn turn(ends: f64, between: &[(f64, f64)]) -> Option<f64> {
        let stratum = Stratum {
            others: vec![],
            groups: vec![],
            ends: Some(told(ends)),
            between: between
                .iter()
                .map(|(there, back)| (told(*there), told(*back)))
                .collect(),
            trend: None,
        };
        stratum.turn().map(|(there, _)| there.difference.value)
    }

    #[test]
    fn a_level_between_turns_where_what_is_told_of_it_contradicts_the_ends() {
        for (ends, there, back, turns) in [
            // Above both, or below both.
            (1.0, 2.0, -1.0, true),
            (1.0, -1.0, 2.0, true),
            (0.0, 2.0, -2.0, true),
            // Between the ends.
            (1.0, 0.5, 0.5, false),
            (-1.0, -0.5, -0.5, false),
            (0.0, 0.5, 0.5, false),
            // Only one of the two signs is known.
            (1.0, 0.5, 0.0, false),
            (1.0, -0.5, 0.0, true),
            (-1.0, 0.5, 0.0, true),
            (0.0, 0.5, 0.0, true),
            (1.0, 0.0, 0.5, false),
            (1.0, 0.0, -0.5, true),
            (-1.0, 0.0, 0.5, true),
            (0.0, 0.0, 0.5, true),
            (1.0, 0.0, 0.0, false),
            (0.0, 0.0, 0.0, false),
        ] {
            let found = turn(ends, &[(there, back)]).is_some();
            assert_eq!(found, turns, "ends {ends}, there {there}, back {back}");
        }
        // The farthest of several, in either direction.
        assert_eq!(turn(1.0, &[(2.0, -1.0), (-3.0, 4.0), (2.5, -1.0)]), Some(-3.0));
    }
}
