mod numbers;
mod several;

use std::path::PathBuf;

use super::cell::BUCKETS_OF_ENDED;
use super::*;
use crate::event::{CellEnding, CellPlan, LambdaPoint, Point, Progress, StopReason, Summary, Threshold};
use crate::quantity::{LAMBDA_MAX, TRAIN_LOSS};

fn plan(planned_steps: u64) -> CellPlan {
    CellPlan {
        swept: vec![],
        settings: vec![],
        planned_steps,
        steps_per_epoch: 1,
        probes: vec!["held-out".into(), "training".into()],
        threshold: Threshold {
            formula: "2/η".into(),
            edge_formula: "2/η".into(),
            is_inverse_in_rate: true,
            ..Threshold::default()
        },
        ended: None,
        ..CellPlan::default()
    }
}

fn started(cells: Vec<CellPlan>, now: Instant) -> Monitor {
    let mut monitor = Monitor::default();
    let sweep = SweepPlan {
        earlier_seconds: 0.0,
        name: "s".into(),
        run_dir: PathBuf::from("runs/s"),
        device: "flex".into(),
        cells,
    };
    monitor.apply(Event::SweepStarted(sweep), now);
    monitor
}

fn progress(cell: usize, step: u64, seconds: f64, steps_per_second: f64) -> Event {
    Event::Progress {
        cell,
        progress: Progress {
            step,
            epoch: 0.0,
            seconds,
            steps_per_second,
        },
    }
}

fn busy(cell: usize, activity: Activity) -> Event {
    let cell = Some(cell);
    Event::Activity { cell, activity }
}

/// Returns the estimated time left of a cell, in whole seconds.
fn left_of(monitor: &Monitor, cell: usize) -> Option<u64> {
    let left = monitor.time_left_of(cell, monitor.pace_ahead());
    left.map(|left| left.as_secs())
}

fn finished(cell: usize, seconds: f64) -> Event {
    let summary = Summary {
        steps: 100,
        seconds,
        ..Summary::default()
    };
    Event::CellEnded {
        cell,
        ending: CellEnding::Finished(StopReason::Steps),
        summary,
    }
}

#[test]
fn time_left_is_unknown_until_something_was_timed() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100), plan(100)], now);
    assert_eq!(monitor.time_left(), None);
    monitor.apply(Event::CellStarted { cell: 0 }, now);
    monitor.apply(progress(0, 0, 0.0, 0.0), now);
    assert_eq!(monitor.time_left(), None);
    monitor.apply(progress(0, 50, 5.0, 10.0), now);
    assert_eq!(left_of(&monitor, 0), Some(5));
    assert_eq!(monitor.time_left(), Some(Duration::from_secs(15)));
}

#[test]
fn what_came_before_the_first_step_and_what_was_last_measured_do_not_sway_the_estimate() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(101)], now);
    monitor.apply(Event::CellStarted { cell: 0 }, now);
    // A cold measurement of 60 s came before the first step, and a warm measurement has just lowered the recent rate.
    monitor.apply(progress(0, 1, 60.0, 0.02), now);
    monitor.apply(progress(0, 51, 70.0, 0.02), now);
    assert_eq!(left_of(&monitor, 0), Some(10));
}

#[test]
fn a_cell_that_has_not_taken_a_step_is_estimated_from_the_finished_ones() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100), plan(100)], now);
    monitor.apply(Event::CellStarted { cell: 0 }, now);
    monitor.apply(finished(0, 30.0), now);
    monitor.apply(Event::CellStarted { cell: 1 }, now);
    assert_eq!(monitor.time_left(), Some(Duration::from_secs(30)));
}

#[test]
fn queued_cells_are_estimated_from_the_finished_ones_rather_than_from_the_running_one() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100), plan(100), plan(200)], now);
    monitor.apply(Event::CellStarted { cell: 0 }, now);
    monitor.apply(finished(0, 30.0), now);
    monitor.apply(Event::CellStarted { cell: 1 }, now);
    monitor.apply(progress(1, 90, 9.0, 10.0), now);
    assert_eq!(monitor.time_left(), Some(Duration::from_secs(1 + 60)));
}

#[test]
fn where_cells_end_at_their_aim_the_running_one_is_thought_to_take_as_long_as_the_longest_of_them() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(1_000), plan(1_000), plan(2_000)], now);
    for (cell, steps) in [(0, 100), (1, 60)] {
        monitor.apply(Event::CellStarted { cell }, now);
        let summary = Summary {
            steps,
            seconds: steps as f64,
            ..Summary::default()
        };
        let ending = CellEnding::Finished(StopReason::TrainAccuracy);
        monitor.apply(Event::CellEnded { cell, ending, summary }, now);
    }
    monitor.apply(Event::CellStarted { cell: 2 }, now);
    let left = |monitor: &Monitor| left_of(monitor, 2);
    // Before its first step, the estimate uses the pace of the finished cells and the planned steps.
    assert_eq!(left(&monitor), Some(160));
    monitor.apply(progress(2, 50, 50.0, 1.0), now);
    assert_eq!(left(&monitor), Some(150));
    // It has taken more steps than any finished cell: the estimate is as many again, but at most the planned steps.
    monitor.apply(progress(2, 300, 300.0, 1.0), now);
    assert_eq!(left(&monitor), Some(300));
    monitor.apply(progress(2, 1_900, 1_900.0, 1.0), now);
    assert_eq!(left(&monitor), Some(100));
}

#[test]
fn a_cell_that_was_interrupted_before_counts_as_ahead_and_its_progress_is_told_once_it_runs() {
    let now = Instant::now();
    let mut interrupted = plan(100);
    interrupted.ended = Some((
        CellEnding::Interrupted,
        Summary {
            steps: 40,
            ..Summary::default()
        },
    ));
    let mut done = plan(100);
    let summary = Summary {
        steps: 100,
        seconds: 10.0,
        ..Summary::default()
    };
    done.ended = Some((CellEnding::Finished(StopReason::Steps), summary));
    let mut monitor = started(vec![done, interrupted], now);
    assert_eq!(monitor.done(), 1);
    assert_eq!(monitor.state(1), CellState::Ended(CellEnding::Interrupted));
    // The 60 steps after its checkpoint, at 0.1 s.
    assert_eq!(monitor.time_left(), Some(Duration::from_secs(6)));
    monitor.apply(Event::CellStarted { cell: 1 }, now);
    assert_eq!(monitor.state(1), CellState::Running);
    assert_eq!(monitor.cells[1].progress.step, 0);
}

#[test]
fn what_an_earlier_process_measured_fills_the_curves_of_its_cell_and_no_more() {
    let now = Instant::now();
    let mut done = plan(100);
    let summary = Summary {
        steps: 100,
        seconds: 10.0,
        lambda_converged: Some(true),
        values: [("lambda_max", 3.0)].into(),
        ..Summary::default()
    };
    done.ended = Some((CellEnding::Finished(StopReason::Steps), summary));
    let mut monitor = started(vec![done, plan(100)], now);
    // More points than the curve of an ended cell keeps.
    for step in 0..=10_000 {
        let lambda = LambdaPoint {
            lambda_max: 3.0,
            lambda_converged: step != 5_000,
            lambda_on: "held-out".into(),
            ..LambdaPoint::default()
        };
        let point = Box::new(Point {
            step,
            lambda: Some(lambda),
            values: [("train_loss", 0.5)].into(),
            ..Point::default()
        });
        monitor.apply(Event::Measured { cell: 0, point }, now);
    }
    assert_eq!(
        (monitor.turns.running.len(), monitor.state(0)),
        (0, CellState::Ended(CellEnding::Finished(StopReason::Steps)))
    );
    assert_eq!((monitor.activity(Some(0)), monitor.done()), (None, 1));
    assert_eq!(
        (monitor.cells[0].progress.step, monitor.cells[0].progress.seconds),
        (100, 10.0)
    );
    let curves = &monitor.cells[0].curves;
    for curve in [curves.of(&LAMBDA_MAX, 0), curves.of(&TRAIN_LOSS, 0)] {
        assert_eq!(curve.last_step(), Some(10_000));
        assert!(curve.buckets().len() <= BUCKETS_OF_ENDED, "{}", curve.buckets().len());
    }
    assert!(
        curves
            .of(&LAMBDA_MAX, 0)
            .buckets()
            .iter()
            .any(|bucket| bucket.unconverged)
    );
    let latest = monitor.cells[0].latest.lambda[0].as_ref().unwrap();
    assert_eq!(
        (latest.lambda_max, latest.lambda_converged, latest.lambda_on.as_str()),
        (3.0, true, "held-out")
    );
    assert_eq!(monitor.time_left(), Some(Duration::from_secs(10)));
}

#[test]
fn a_pause_shows_as_a_state_of_the_cell_and_is_timed() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut monitor = started(vec![plan(100)], start);
    monitor.apply(Event::CellStarted { cell: 0 }, at(1));
    monitor.apply(busy(0, Activity::Paused), at(10));
    assert_eq!(monitor.state(0), CellState::Paused);
    assert_eq!(monitor.paused_for(at(14)), Duration::from_secs(4));
    monitor.apply(busy(0, Activity::Training), at(15));
    assert_eq!(monitor.state(0), CellState::Running);
    assert_eq!(monitor.paused_for(at(60)), Duration::from_secs(5));
    monitor.apply(Event::SweepEnded(SweepEnding::Complete), at(61));
    assert_eq!(monitor.elapsed(at(99)), Duration::from_secs(61));
}

#[test]
fn each_probe_has_its_own_curve_and_an_unconverged_or_corrected_value_is_marked() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100)], now);
    monitor.apply(Event::CellStarted { cell: 0 }, now);
    for (step, lambda_probe, lambda_converged, from) in
        [(0, 0, true, None), (0, 1, false, None), (5, 0, true, Some(2.0))]
    {
        let lambda = LambdaPoint {
            lambda_max: 3.0,
            lambda_converged,
            lambda_probe,
            lambda_corrected_from: from,
            ..LambdaPoint::default()
        };
        let point = Box::new(Point {
            step,
            lambda: Some(lambda),
            ..Point::default()
        });
        monitor.apply(Event::Measured { cell: 0, point }, now);
    }
    let curve = monitor.cells[0].curves.of(&LAMBDA_MAX, 0);
    assert_eq!(curve.buckets().len(), 2);
    assert!(!curve.buckets()[0].unconverged && curve.buckets()[1].corrected);
    let curve = monitor.cells[0].curves.of(&LAMBDA_MAX, 1);
    assert!(curve.buckets()[0].unconverged);
}

#[test]
fn events_about_unknown_cells_and_probes_are_ignored() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100)], now);
    monitor.apply(Event::CellStarted { cell: 7 }, now);
    monitor.apply(finished(7, 1.0), now);
    let lambda = LambdaPoint {
        lambda_probe: 9,
        ..LambdaPoint::default()
    };
    let point = Box::new(Point {
        lambda: Some(lambda),
        ..Point::default()
    });
    monitor.apply(Event::Measured { cell: 0, point }, now);
    assert!(monitor.turns.running.is_empty());
    assert!(
        [0, 1, 7]
            .iter()
            .all(|probe| monitor.cells[0].curves.of(&LAMBDA_MAX, *probe).is_empty())
    );
}

#[test]
fn a_training_thread_that_vanishes_leaves_a_notice_and_no_cell_running() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100)], now);
    monitor.apply(Event::CellStarted { cell: 0 }, now);
    monitor.lose(Some("panicked at 'index out of bounds'".into()), now);
    assert!(monitor.is_over());
    assert_eq!(monitor.state(0), CellState::Ended(CellEnding::Interrupted));
    assert!(monitor.notices[0].words.contains("out of bounds"));
}

#[test]
fn a_thread_that_leaves_after_the_end_is_not_lost() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100)], now);
    monitor.apply(Event::SweepEnded(SweepEnding::Complete), now);
    monitor.lose(None, now);
    assert!(!monitor.lost && monitor.notices.is_empty());
}

#[test]
fn what_failed_is_noted_in_its_own_words() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100)], now);
    let ending = CellEnding::Failed("no memory".into());
    monitor.apply(
        Event::CellEnded {
            cell: 0,
            ending,
            summary: Summary::default(),
        },
        now,
    );
    monitor.apply(Event::SweepEnded(SweepEnding::Failed("disk full".into())), now);
    let notices: Vec<String> = monitor.notices.iter().map(Note::text).collect();
    assert_eq!(notices, ["cell 0 failed: no memory", "the sweep failed: disk full"]);
    assert!(monitor.has_failed());
}

#[test]
fn notices_are_bounded() {
    let now = Instant::now();
    let mut monitor = started(vec![], now);
    for number in 0..500 {
        let notice = Event::Notice {
            cell: None,
            words: number.to_string(),
        };
        monitor.apply(notice, now);
    }
    assert_eq!(monitor.notices.len(), KEPT_NOTICES);
    assert_eq!(monitor.notices.back().unwrap().words, "499");
}

#[test]
fn a_seed_that_one_cell_was_added_with_is_a_setting_that_all_have_a_value_of() {
    let of = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    };
    let cell = |rate: &str, seed: &str, swept: &[(&str, &str)]| CellPlan {
        swept: of(swept),
        settings: of(&[("learning_rate", rate), ("seed", seed)]),
        ..plan(10)
    };
    let now = Instant::now();
    let mut monitor = started(
        vec![
            cell("0.1", "0", &[("learning_rate", "0.1")]),
            cell("0.2", "0", &[("learning_rate", "0.2")]),
        ],
        now,
    );
    let names = |monitor: &Monitor| -> Vec<String> { monitor.swept.iter().map(|swept| swept.name.clone()).collect() };
    assert_eq!(names(&monitor), ["learning_rate"]);
    let added = cell("0.2", "1", &[("learning_rate", "0.2"), ("seed", "1")]);
    monitor.apply(Event::CellAdded(Box::new(added)), now);
    assert_eq!(names(&monitor), ["learning_rate", "seed"]);
    assert_eq!(monitor.swept[0].values, ["0.1", "0.2"]);
    assert_eq!(monitor.swept[0].of_cells, [0, 1, 1]);
    assert_eq!([0, 1, 2].map(|cell| monitor.swept[1].value(cell)), ["0", "0", "1"]);
    assert_eq!(monitor.swept[1].value(3), "");
}

/// Returns a monitor of one cell with this weight decay, after one measurement.
fn at_the_edge(weight_decay: f64, lambda_max: f64, threshold: f64) -> Monitor {
    let now = Instant::now();
    let with_decay = CellPlan {
        threshold: Threshold {
            weight_decay,
            ..Threshold::default()
        },
        ..plan(100)
    };
    let mut monitor = started(vec![with_decay], now);
    let point = Point {
        lambda: Some(LambdaPoint {
            lambda_max,
            lambda_converged: true,
            ..LambdaPoint::default()
        }),
        values: [("threshold", threshold)].into(),
        ..Point::default()
    };
    let point = Box::new(point);
    monitor.apply(Event::Measured { cell: 0, point }, now);
    monitor
}

#[test]
fn how_close_the_edge_is_counts_the_weight_decay_on_both_sides() {
    // Weight decay, λ_max, the displayed threshold, and the ratio, with 2/η = 20.
    for (decay, lambda_max, threshold, ratio) in [
        (0.0, 10.0, 20.0, 0.5),
        (0.0, 20.0, 20.0, 1.0),
        // The weight decay exceeds the bare threshold, so every λ_max ≥ 0 is unstable.
        (25.0, 0.0, -5.0, 1.25),
        (25.0, 15.0, -5.0, 2.0),
        (25.0, -5.0, -5.0, 1.0),
        (25.0, -25.0, -5.0, 0.0),
        (20.0, 0.0, 0.0, 1.0),
        (20.0, 10.0, 0.0, 1.5),
        (5e-4, 10.0, 20.0 - 5e-4, 10.0005 / 20.0),
    ] {
        let monitor = at_the_edge(decay, lambda_max, threshold);
        let edge = monitor.cells[0].edge().unwrap();
        assert!((edge - ratio).abs() < 1e-12, "{decay} {lambda_max}: {edge}");
        let trend = monitor.cells[0].trend.parts().flatten().next().unwrap();
        assert!((trend - ratio).abs() < 1e-6, "{decay} {lambda_max}: {trend}");
    }
}

#[test]
fn where_there_is_no_edge_there_is_no_ratio() {
    for (decay, lambda_max, threshold) in [
        (0.0, 10.0, f64::INFINITY),
        (0.0, 10.0, f64::NAN),
        (0.0, f64::NAN, 20.0),
        (0.0, f64::INFINITY, 20.0),
        (0.0, 10.0, 0.0),
        (0.0, 0.0, 0.0),
        (0.0, 10.0, -5.0),
        (20.0, 10.0, -20.0),
        (1e300, 10.0, -1e300),
    ] {
        let monitor = at_the_edge(decay, lambda_max, threshold);
        assert_eq!(monitor.cells[0].edge(), None, "{decay} {lambda_max} {threshold}");
        assert!(monitor.cells[0].trend.is_empty(), "{decay} {lambda_max} {threshold}");
    }
}

/// Returns the events of two cells that run at the same time, each measured at three steps.
fn measured_in_two_cells() -> Vec<Event> {
    let sweep = SweepPlan {
        earlier_seconds: 0.0,
        name: "s".into(),
        run_dir: PathBuf::from("runs/s"),
        device: "flex".into(),
        cells: vec![plan(100); 2],
    };
    let mut events = vec![Event::SweepStarted(sweep)];
    events.extend([0, 1].map(|cell| Event::CellStarted { cell }));
    for step in [0, 5, 10] {
        for cell in [0, 1] {
            let lambda = LambdaPoint {
                lambda_max: step as f64 + 0.5,
                lambda_converged: true,
                ..LambdaPoint::default()
            };
            let point = Box::new(Point {
                step,
                lambda: Some(lambda),
                values: [("train_loss", 0.5)].into(),
                ..Point::default()
            });
            events.push(Event::Measured { cell, point });
        }
    }
    events
}
