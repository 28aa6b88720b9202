//! Means, differences, interactions, rank correlations and adjusted p-values, compared with SciPy and statsmodels: the
//! script beside `fixtures/scipy_statistics.json` wrote that file.

#![allow(clippy::unwrap_used)] // Clippy allows it in tests, but not in their helpers.

use serde_json::Value;
use sharptui::statistics::{
    Estimate, Interval, Square, difference_of_differences, holm, kendall, mean, paired_difference, welch_difference,
};

fn fixture(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("fixtures/scipy_statistics.json")).unwrap();
    all[part].as_array().unwrap().clone()
}

fn numbers(case: &Value, name: &str) -> Vec<f64> {
    let list = case[name].as_array().unwrap();
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Compares ten digits: both programs compute quantiles by iteration.
fn agrees(ours: f64, theirs: f64) {
    assert!(
        (ours - theirs).abs() <= 1e-10 * theirs.abs().max(1.0),
        "{ours} {theirs}"
    );
}

fn interval_agrees(ours: Option<Interval>, case: &Value) {
    let Some(ours) = ours else {
        assert!(case["interval"].is_null(), "{case}");
        return;
    };
    let theirs = numbers(case, "interval");
    agrees(ours.low, theirs[0]);
    agrees(ours.high, theirs[1]);
}

fn estimate_agrees(ours: Estimate, case: &Value, value: &str) {
    agrees(ours.value, case[value].as_f64().unwrap());
    interval_agrees(ours.interval, case);
    // A p-value may be small, so its digits are compared, not its size.
    let p_value = case["p_value"].as_f64().unwrap();
    agrees(ours.p_value().unwrap() / p_value, 1.0);
    // The script has the same number of comparisons.
    let (adjusted, theirs) = (ours.bonferroni(12).unwrap(), numbers(case, "bonferroni"));
    agrees(adjusted.low, theirs[0]);
    agrees(adjusted.high, theirs[1]);
    assert_eq!(ours.bonferroni(1), ours.interval);
}

#[test]
fn means_have_the_intervals_of_scipy() {
    for case in fixture("means") {
        estimate_agrees(mean(&numbers(&case, "values")).unwrap(), &case, "mean");
    }
}

#[test]
fn differences_have_the_intervals_of_scipy() {
    for case in fixture("paired") {
        let pairs: Vec<_> = numbers(&case, "before")
            .into_iter()
            .zip(numbers(&case, "after"))
            .collect();
        estimate_agrees(paired_difference(&pairs).unwrap(), &case, "difference");
    }
    for case in fixture("welch") {
        let ours = welch_difference(&numbers(&case, "before"), &numbers(&case, "after")).unwrap();
        estimate_agrees(ours, &case, "difference");
    }
}

#[test]
fn interactions_are_those_of_scipy_and_statsmodels() {
    for case in fixture("interactions") {
        let pairs = |name: &str| -> Vec<(f64, f64)> {
            let list = case[name].as_array().unwrap();
            list.iter()
                .map(|pair| (pair[0].as_f64().unwrap(), pair[1].as_f64().unwrap()))
                .collect()
        };
        let seeds: Vec<Square> = (pairs("first").into_iter().zip(pairs("second")))
            .map(|(first, second)| Square { first, second })
            .collect();
        let ours = difference_of_differences(&seeds).unwrap();
        agrees(ours.error.unwrap().freedom, seeds.len() as f64 - 1.0);
        estimate_agrees(ours, &case, "difference");
    }
}

#[test]
fn an_interaction_that_is_rounding_alone_is_nothing() {
    let square = |first, second| Square { first, second };
    // Both gains are 0.2 and 0.4, but their differences are not zero: 0.3 − 0.1 < 0.2 in floating point.
    let gains = [
        square((0.1, 0.3), (0.0, 0.2)),
        square((0.3, 0.7), (0.2, 0.6)),
        square((70.1, 70.3), (0.7, 0.9)),
    ];
    let interactions = gains.map(|gain| (gain.first.1 - gain.first.0) - (gain.second.1 - gain.second.0));
    assert!(interactions.iter().any(|one| *one != 0.0), "{interactions:?}");
    let none = difference_of_differences(&gains).unwrap();
    assert_eq!(
        (none.count, none.value, none.interval, none.p_value()),
        (3, 0.0, None, None)
    );
    // The same small interaction at every seed, between large values.
    let shifted = [100.0, 300.0, 700.0].map(|level| square((level, level + 1e-9), (level + 1.0, level + 1.0)));
    let shifted = difference_of_differences(&shifted).unwrap();
    assert_eq!((shifted.interval, shifted.told_sign()), (None, None));
    assert!((shifted.value - 1e-9).abs() < 1e-12);
    assert_eq!(difference_of_differences(&[]), None);
    let one = difference_of_differences(&[square((1.0, 4.0), (2.0, 3.0))]).unwrap();
    assert_eq!((one.count, one.value, one.interval), (1, 2.0, None));
}

#[test]
fn p_values_of_many_comparisons_are_adjusted_as_statsmodels_does() {
    for case in fixture("adjusted") {
        let (ours, theirs) = (holm(&numbers(&case, "p_values")), numbers(&case, "holm"));
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            agrees(ours, theirs);
        }
    }
    assert_eq!(holm(&[]), Vec::<f64>::new());
}

#[test]
fn rank_correlations_are_those_of_scipy_with_and_without_ties() {
    for case in fixture("ranks") {
        let pairs: Vec<_> = numbers(&case, "x").into_iter().zip(numbers(&case, "y")).collect();
        let ours = kendall(&pairs).unwrap();
        agrees(ours.tau_b, case["tau_b"].as_f64().unwrap());
        agrees(ours.p_value, case["p_value"].as_f64().unwrap());
        interval_agrees(ours.interval, &case);
    }
}

#[test]
fn too_few_values_and_equal_values_have_no_interval() {
    assert_eq!(mean(&[]), None);
    let (one, equal) = (mean(&[0.5]).unwrap(), mean(&[0.7, 0.7, 0.7]).unwrap());
    assert_eq!((one.value, one.interval), (0.5, None));
    assert_eq!((equal.count, equal.interval, equal.told_sign()), (3, None, None));
    // The differences are equal up to rounding.
    let shifted = paired_difference(&[(0.1, 0.2), (0.3, 0.4), (0.7, 0.8)]).unwrap();
    assert_eq!(shifted.interval, None);
    assert_eq!(welch_difference(&[1.0], &[2.0, 3.0]).unwrap().interval, None);
    assert_eq!(welch_difference(&[], &[2.0, 3.0]), None);
    for bare in [one, equal, shifted] {
        assert_eq!(
            (bare.p_value(), bare.bonferroni(3), bare.interval_at(0.5)),
            (None, None, None)
        );
    }
}

#[test]
fn numbers_near_the_ends_of_the_range_have_the_intervals_of_those_in_its_middle() {
    let values = [1.0, 3.0, 7.0];
    let middle = mean(&values).unwrap();
    // Multiplication by a power of two causes no rounding.
    for scale in [2.0_f64.powi(900), 2.0_f64.powi(-900), -(2.0_f64.powi(900))] {
        let scaled = mean(&values.map(|value| value * scale)).unwrap();
        let interval = scaled.interval.unwrap();
        let expected = middle.interval.unwrap();
        let mut ends = [expected.low * scale, expected.high * scale];
        ends.sort_by(f64::total_cmp);
        for (ours, theirs) in [
            (scaled.value, middle.value * scale),
            (interval.low, ends[0]),
            (interval.high, ends[1]),
        ] {
            assert!((ours / theirs - 1.0).abs() < 1e-12, "{ours} {theirs}");
        }
    }
    for equal in [0.0, -0.7, 2.0_f64.powi(-900)] {
        assert_eq!(mean(&[equal; 3]).unwrap().interval, None, "{equal}");
    }
}

#[test]
fn a_difference_counts_the_values_of_its_smaller_group() {
    let count = |before: &[f64], after: &[f64]| welch_difference(before, after).unwrap().count;
    assert_eq!(count(&[1.0, 2.0], &[1.0, 2.0, 4.0]), 2);
    assert_eq!(count(&[1.0, 2.0, 4.0, 5.0], &[1.0, 2.0, 4.0]), 3);
}

#[test]
fn a_sign_is_told_by_interval_and_p_value_together() {
    let told = |pairs: &[(f64, f64)]| kendall(pairs).unwrap().told_sign();
    let falling: Vec<(f64, f64)> = (0..6).map(|k| (f64::from(k), f64::from(-k))).collect();
    assert_eq!(told(&falling), Some(-1.0));
    // Of the 720 orders of six values, 1 + 5 + 14 have at most two inversions. The p-value is too large for a sign,
    // although the interval excludes 0.
    let two_inversions = [(0.0, 1.0), (1.0, 0.0), (2.0, 3.0), (3.0, 2.0), (4.0, 4.0), (5.0, 5.0)];
    let found = kendall(&two_inversions).unwrap();
    agrees(found.tau_b, 11.0 / 15.0);
    agrees(found.p_value, 2.0 * 20.0 / 720.0);
    assert!(found.interval.unwrap().tells_sign());
    assert_eq!(found.told_sign(), None);
}

#[test]
fn a_perfect_order_of_few_pairs_is_not_certain() {
    let perfect = |n: u32| kendall(&(0..n).map(|k| (f64::from(k), f64::from(k))).collect::<Vec<_>>());
    assert!(perfect(0).is_none() && perfect(1).is_none());
    let four = perfect(4).unwrap();
    assert_eq!((four.tau_b, four.interval, four.told_sign()), (1.0, None, None));
    let five = perfect(5).unwrap();
    let interval = five.interval.unwrap();
    assert!((0.1..0.3).contains(&interval.low) && interval.high >= 1.0);
    assert_eq!(five.told_sign(), Some(1.0));
    assert!((five.p_value - 2.0 / 120.0).abs() < 1e-15);
    assert_eq!(kendall(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
}
