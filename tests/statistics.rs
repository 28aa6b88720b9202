//! Means, differences and rank correlations against SciPy's: `fixtures/scipy_statistics.json`, written by the script
//! beside it.

#![allow(clippy::unwrap_used)] // Clippy takes the helpers of these tests for something else.

use serde_json::Value;
use sharptui::statistics::{Estimate, Interval, kendall, mean, paired_difference, welch_difference};

fn fixture(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("fixtures/scipy_statistics.json")).unwrap();
    all[part].as_array().unwrap().clone()
}

fn numbers(case: &Value, name: &str) -> Vec<f64> {
    let list = case[name].as_array().unwrap();
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

/// To ten digits: quantiles are found by iteration, here and there.
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
    // Their differences are equal but for rounding.
    let shifted = paired_difference(&[(0.1, 0.2), (0.3, 0.4), (0.7, 0.8)]).unwrap();
    assert_eq!(shifted.interval, None);
    assert_eq!(welch_difference(&[1.0], &[2.0, 3.0]).unwrap().interval, None);
    assert_eq!(welch_difference(&[], &[2.0, 3.0]), None);
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
