use std::cell::RefCell;

use super::*;
use crate::event::RateChange;

thread_local! {
    static ADDED: RefCell<Vec<&'static Quantity>> = const { RefCell::new(Vec::new()) };
}

/// Returns the quantities that tests added on this thread.
pub(crate) fn added() -> Vec<&'static Quantity> {
    ADDED.with_borrow(Clone::clone)
}

/// Adds a quantity for this thread.
pub(crate) fn add(quantity: &'static Quantity) {
    ADDED.with_borrow_mut(|added| added.push(quantity));
}

#[test]
fn a_summary_takes_the_first_probe_of_what_belongs_to_probes_and_the_last_of_everything_else() {
    let point = |step, probe, lambda_max, train_loss| Point {
        step,
        seconds: step as f64,
        lambda: Some(LambdaPoint {
            lambda_max,
            lambda_residual: lambda_max / 100.0,
            lambda_probe: probe,
            lambda_converged: probe == 0,
            lambda_on: format!("probe {probe}"),
            ..LambdaPoint::default()
        }),
        ..Point::default().with("train_loss", train_loss)
    };
    let mut changed = point(10, 0, 30.0, 0.5);
    changed.changed_by_hand = Some(RateChange { from: 0.1, to: 0.2 });
    let mut summary = Summary::default();
    let without = Point {
        step: 30,
        ..Point::default().with("test_loss", 0.75)
    };
    for point in [
        &changed,
        &point(20, 0, 40.0, 0.25),
        &point(20, 1, 50.0, 0.125),
        &without,
    ] {
        summary.take_in(point);
    }
    let keys = ["lambda_max", "lambda_residual", "train_loss", "test_loss"];
    let last = keys.map(|key| summary.values.get(key));
    assert_eq!(last, [Some(40.0), Some(0.4), Some(0.125), Some(0.75)]);
    assert_eq!((summary.steps, summary.lambda_step), (30, Some(20)));
    assert_eq!(
        (summary.lambda_converged, summary.lambda_on.as_deref()),
        (Some(true), Some("probe 0"))
    );
    assert!(summary.changed_by_hand);
    assert_eq!([probe_of(&without), probe_of(&point(1, 1, 1.0, 1.0))], [0, 1]);
}

#[test]
fn every_quantity_is_found_by_its_key_and_on_its_chart() {
    for quantity in declared() {
        assert_eq!(of_key(quantity.key).map(|found| found.key), Some(quantity.key));
        let drawn: Vec<_> = quantity
            .chart
            .quantities()
            .map(|drawn| (drawn.key, drawn.chart.key))
            .collect();
        assert!(drawn.contains(&(quantity.key, quantity.chart.key)), "{drawn:?}");
        assert!(drawn.iter().all(|(_, chart)| *chart == quantity.chart.key), "{drawn:?}");
        let first = drawn.iter().find(|(key, _)| of_key(key).unwrap().line == quantity.line);
        let line = quantity.chart.line(quantity.line).map(|found| found.key);
        assert_eq!(line, first.map(|(key, _)| *key));
    }
    assert!(of_key("step").is_none());
}

#[test]
fn keys_and_names_are_told_apart() {
    let mut names: Vec<&str> = Vec::new();
    for quantity in all() {
        names.push(quantity.key);
        names.extend(quantity.names);
        names.extend(quantity.error_key());
        names.extend(quantity.converged_key());
        assert!(quantity.column.chars().count() <= 10, "{}", quantity.column);
    }
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "{names:?}");
}
