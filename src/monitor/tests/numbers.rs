//! Numbers on the screen and in plain lines: times, fractions and last values, compared with values calculated by hand.

use super::{
    CellEnding, Duration, Event, Instant, LAMBDA_MAX, LambdaPoint, Monitor, Point, StopReason, Summary, TRAIN_LOSS,
    at_the_edge, finished, plan, progress, started,
};
use crate::event::{CellPlan, PreconditionedPoint, RateChange, Threshold};
use crate::monitor::{Cell, Turns};
use crate::quantity::{PRECONDITIONED_SHARPNESS, PRECONDITIONED_THRESHOLD, TEST_ACCURACY, TEST_LOSS};

fn measured(cell: usize, step: u64, seconds: f64, values: &[(&'static str, f64)]) -> Event {
    let point = Point {
        step,
        seconds,
        ..Point::default()
    };
    let point = values
        .iter()
        .fold(point, |point, (name, value)| point.with(name, *value));
    Event::Measured {
        cell,
        point: Box::new(point),
    }
}

/// Returns a monitor after these events, with a running cell of 100 planned steps.
fn after(events: Vec<Event>) -> Monitor {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100), plan(100)], now);
    for event in [Event::CellStarted { cell: 0 }].into_iter().chain(events) {
        monitor.apply(event, now);
    }
    monitor
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} {expected}");
}

#[test]
fn seconds_lie_on_the_line_between_two_points_and_go_on_at_the_pace_beyond_the_last() {
    let monitor = after(vec![
        measured(0, 10, 5.0, &[]),
        measured(0, 20, 15.0, &[]),
        progress(0, 30, 24.0, 1.0),
    ]);
    for (step, seconds) in [
        (0, 0.0),
        (5, 2.5),
        (10, 5.0),
        (15, 10.0),
        (20, 15.0),
        (25, 19.5),
        (30, 24.0),
        (60, 48.0),
    ] {
        near(monitor.cells[0].seconds_at(step), seconds);
    }
    // The other cell has no points.
    near(monitor.cells[1].seconds_at(7), 0.0);
    // Measurements before the first step take time, too.
    near(after(vec![measured(0, 0, 1.5, &[])]).cells[0].seconds_at(0), 1.5);
    // Both ends of a bucket are known.
    let mut monitor = after(
        [(10, 5.0), (20, 15.0), (30, 18.0), (40, 40.0)]
            .map(|(s, t)| measured(0, s, t, &[]))
            .into(),
    );
    monitor.cells[0].curves.seconds.compact(2);
    for (step, seconds) in [(10, 5.0), (20, 15.0), (25, 16.5), (30, 18.0), (40, 40.0)] {
        near(monitor.cells[0].seconds_at(step), seconds);
    }
}

#[test]
fn time_that_goes_back_or_is_none_is_no_point_and_the_longest_counts() {
    let monitor = after(vec![
        measured(0, 10, 5.0, &[]),
        measured(0, 10, 6.0, &[]),
        measured(0, 20, 4.0, &[]),
        measured(0, 30, f64::NAN, &[]),
        measured(0, 40, 5.0, &[]),
        measured(0, 35, 9.0, &[]),
    ]);
    let cell = &monitor.cells[0];
    let seconds = cell.curves.seconds.buckets().iter();
    let seconds: Vec<_> = seconds.map(|b| (b.last_step, b.last, b.gap_after)).collect();
    assert_eq!(seconds, [(10, 5.0, false), (40, 5.0, false)]);
    // The point at step 35 came after the point at step 40, so it does not change the progress.
    assert_eq!((cell.progress.step, cell.progress.seconds), (40, 6.0));
}

#[test]
fn the_pace_of_a_running_cell_is_that_of_its_steps_and_else_what_it_tells_itself() {
    let left = |events: Vec<Event>| {
        let left = after(events);
        let left = left.time_left_of(0, left.pace_ahead());
        left.map(|left| left.as_secs_f64())
    };
    // With 100 planned steps. Each progress is a step, its seconds, and steps per second.
    for (told, expected) in [
        // One progress: the estimate uses the rate, or the average over all steps if the rate is 0.
        (vec![(10, 5.0, 4.0)], Some(90.0 / 4.0)),
        (vec![(1, 5.0, 0.1)], Some(99.0 / 0.1)),
        (vec![(10, 5.0, 0.0)], Some(90.0 * 0.5)),
        (vec![(1, 0.1, 0.0)], Some(99.0 * 0.1)),
        (vec![(0, 5.0, 0.0)], None),
        (vec![(10, 0.0, 0.0)], None),
        // Two progresses: the estimate uses the difference, if both step and time increased.
        (vec![(10, 5.0, 4.0), (20, 5.05, 4.0)], Some(80.0 * 0.005)),
        (vec![(10, 5.0, 4.0), (11, 6.0, 4.0)], Some(89.0)),
        (vec![(10, 5.0, 4.0), (10, 6.0, 4.0)], Some(90.0 / 4.0)),
        (vec![(10, 5.0, 4.0), (20, 5.0, 4.0)], Some(80.0 / 4.0)),
    ] {
        let events = told
            .iter()
            .map(|(step, seconds, rate)| progress(0, *step, *seconds, *rate));
        let found = left(events.collect());
        let is_near = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-6,
            (found, expected) => found == expected,
        };
        assert!(is_near, "{told:?}: {found:?} {expected:?}");
    }
}

#[test]
fn finished_cells_that_took_no_time_or_no_step_tell_no_pace() {
    let left = |planned: u64, seconds: f64| {
        let now = Instant::now();
        let mut monitor = started(vec![plan(planned), plan(100)], now);
        monitor.apply(finished(0, seconds), now);
        let left = monitor.time_left_of(1, monitor.pace_ahead());
        left.map(|left| left.as_secs_f64())
    };
    assert_eq!(left(100, 0.0), None);
    assert_eq!(left(0, 1.0), None);
    near(left(100, 0.1).unwrap(), 0.1);
    near(left(1, 0.5).unwrap(), 50.0);
}

#[test]
fn a_cell_that_was_left_half_way_needs_the_time_of_its_other_steps() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100), plan(100)], now);
    monitor.apply(finished(0, 10.0), now);
    let summary = Summary {
        steps: 40,
        ..Summary::default()
    };
    let ending = CellEnding::Interrupted;
    monitor.apply(
        Event::CellEnded {
            cell: 1,
            ending,
            summary,
        },
        now,
    );
    assert_eq!(
        monitor.time_left_of(1, monitor.pace_ahead()),
        Some(Duration::from_secs(6))
    );
}

#[test]
fn a_cell_that_is_as_far_as_the_longest_that_finished_may_take_as_many_steps_again() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100), plan(100)], now);
    let summary = Summary {
        steps: 30,
        seconds: 30.0,
        ..Summary::default()
    };
    let ending = CellEnding::Finished(StopReason::Steps);
    monitor.apply(
        Event::CellEnded {
            cell: 0,
            ending,
            summary,
        },
        now,
    );
    monitor.apply(Event::CellStarted { cell: 1 }, now);
    for (step, left) in [(29, 1), (30, 30), (31, 31), (60, 40)] {
        monitor.apply(progress(1, 0, 0.0, 1.0), now);
        monitor.apply(progress(1, step, step as f64, 1.0), now);
        let found = monitor.time_left_of(1, monitor.pace_ahead());
        assert_eq!(found, Some(Duration::from_secs(left)), "at step {step}");
    }
}

#[test]
fn the_end_of_a_cell_leaves_its_last_values_and_no_rate() {
    let mut summary = Summary {
        steps: 100,
        seconds: 12.0,
        ..Summary::default()
    };
    for (name, value) in [("lambda_max", 30.0), ("train_loss", 0.25), ("test_accuracy", 0.75)] {
        summary.values.set(name, value);
    }
    let change = Point {
        step: 50,
        changed_by_hand: Some(RateChange { from: 0.1, to: 0.2 }),
        ..Point::default()
    };
    let monitor = after(vec![
        progress(0, 60, 6.0, 10.0),
        measured(0, 60, 6.0, &[("test_loss", 0.5), ("train_loss", 0.6)]),
        Event::Measured {
            cell: 0,
            point: Box::new(change),
        },
        Event::CellEnded {
            cell: 0,
            ending: CellEnding::Finished(StopReason::Steps),
            summary,
        },
    ]);
    let cell = &monitor.cells[0];
    let last = [&LAMBDA_MAX, &TRAIN_LOSS, &TEST_ACCURACY, &TEST_LOSS].map(|quantity| cell.latest.first(quantity));
    assert_eq!(last, [Some(30.0), Some(0.25), Some(0.75), Some(0.5)]);
    let progress = cell.progress;
    assert_eq!(
        (progress.step, progress.seconds, progress.steps_per_second),
        (100, 12.0, 0.0)
    );
    // The summary lacks this field, like those of older versions.
    assert!(cell.changed_by_hand);
    assert_eq!(cell.changes(), [50]);
}

#[test]
fn a_share_is_that_of_the_planned_steps_and_never_more_than_all() {
    for (planned, step, share) in [(0, 0, 0.0), (1, 0, 0.0), (1, 1, 1.0), (100, 25, 0.25), (100, 130, 1.0)] {
        let now = Instant::now();
        let mut monitor = started(vec![plan(planned)], now);
        monitor.apply(Event::CellStarted { cell: 0 }, now);
        monitor.apply(progress(0, step, 1.0, 1.0), now);
        near(monitor.cells[0].share(), share);
    }
}

#[test]
fn a_probe_behind_the_last_is_unknown_and_a_residual_that_is_none_is_zero() {
    let on = |probe, lambda_residual| {
        let lambda = LambdaPoint {
            lambda_max: 3.0,
            lambda_probe: probe,
            lambda_residual,
            ..LambdaPoint::default()
        };
        let point = Point {
            lambda: Some(lambda),
            ..Point::default()
        };
        Event::Measured {
            cell: 0,
            point: Box::new(point),
        }
    };
    let monitor = after(vec![on(1, f64::NAN), on(2, 0.1)]);
    let curves = &monitor.cells[0].curves;
    let found = curves.of(&LAMBDA_MAX, 1).buckets()[0];
    assert_eq!((found.last, found.residual), (3.0, 0.0));
    assert!(curves.of(&LAMBDA_MAX, 2).is_empty());
}

#[test]
fn small_thresholds_are_thresholds_and_zero_is_not_below_zero() {
    assert_eq!(at_the_edge(0.0, 0.05, 0.1).cells[0].edge(), Some(0.5));
    for (threshold, is_unstable) in [(-0.1, true), (0.0, false), (0.1, false)] {
        let monitor = at_the_edge(1.0, 0.05, threshold);
        assert_eq!(monitor.cells[0].is_unstable_at_zero(), is_unstable, "{threshold}");
    }
}

#[test]
fn a_cell_whose_accuracy_is_no_number_came_to_nothing_that_can_be_compared() {
    let outcomes = |accuracy| {
        let mut summary = Summary::default();
        summary.values.set("lambda_max", 30.0);
        summary.values.set("test_accuracy", accuracy);
        let ending = CellEnding::Finished(StopReason::Steps);
        after(vec![Event::CellEnded {
            cell: 0,
            ending,
            summary,
        }])
        .outcomes()
        .count()
    };
    assert_eq!((outcomes(0.5), outcomes(f64::NAN)), (1, 0));
}

#[test]
fn turns_count_every_added_cell_and_know_none_behind_the_last() {
    let ended = |cell| Event::CellEnded {
        cell,
        ending: CellEnding::Aborted,
        summary: Summary::default(),
    };
    let mut was_left = plan(1);
    was_left.ended = Some((CellEnding::Interrupted, Summary::default()));
    let mut was_finished = plan(1);
    was_finished.ended = Some((CellEnding::Diverged, Summary::default()));
    let plans: Vec<CellPlan> = vec![plan(1), was_left, was_finished];
    let mut turns: Turns = started(plans, Instant::now()).turns;
    assert_eq!((turns.cells, &turns.queue), (3, &vec![0, 1]));
    assert!(turns.ended.iter().eq(&[1, 2]), "{:?}", turns.ended);
    let known = turns.clone();
    let order = vec![0, 1, 3];
    for event in [
        Event::CellStarted { cell: 3 },
        ended(3),
        Event::CellRetried { cell: 3 },
        Event::Queue { order, held: vec![] },
    ] {
        turns.apply(&event);
        assert_eq!(turns, known, "{event:?}");
    }
    for _ in 0..2 {
        turns.apply(&Event::CellAdded(Box::new(plan(1))));
    }
    assert_eq!((turns.cells, &turns.queue), (5, &vec![0, 1, 3, 4]));
    turns.apply(&ended(0));
    turns.apply(&Event::CellRetried { cell: 0 });
    assert_eq!(turns.queue, [1, 3, 4, 0]);
    assert!(!turns.ended.contains(&0));
}

#[test]
fn the_edge_of_an_adaptive_optimizer_is_that_of_its_preconditioned_sharpness() {
    let threshold = Threshold {
        formula: "38/η".into(),
        is_preconditioned: true,
        ..Threshold::default()
    };
    let mut cell = Cell::new(CellPlan { threshold, ..plan(10) });
    let point = |step, sharpness, converged| Point {
        step,
        lambda: Some(LambdaPoint {
            lambda_max: 1e9,
            lambda_converged: true,
            ..LambdaPoint::default()
        }),
        preconditioned: Some(PreconditionedPoint {
            preconditioned_sharpness: sharpness,
            preconditioned_converged: converged,
            ..PreconditionedPoint::default()
        }),
        ..Point::default().with(PRECONDITIONED_THRESHOLD.key, 400.0)
    };
    assert_eq!((cell.edge(), cell.threshold()), (None, None));
    cell.measure(&point(1, 300.0, true));
    assert_eq!((cell.edge(), cell.threshold()), (Some(0.75), Some(400.0)));
    cell.measure(&point(2, 500.0, false));
    assert_eq!(cell.edge(), None, "it did not converge");
    let curve = cell.curves.of(&PRECONDITIONED_SHARPNESS, 0);
    assert!(curve.buckets()[1].unconverged && !curve.buckets()[0].unconverged);
    assert!(!cell.curves.of(&LAMBDA_MAX, 0).buckets()[1].unconverged);
}
