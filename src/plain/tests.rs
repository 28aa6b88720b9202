mod several;
mod stops;

use std::path::PathBuf;

use crossbeam_channel::{Receiver, never, unbounded};

use super::{Ended, Style, bar, known::Known, run, words};
use crate::characters::Glyphs;
use crate::event::{
    Activity, CellEnding, CellPlan, Command, Event, LambdaPoint, Point, PreconditionedPoint, Progress, StopReason,
    Summary, SweepEnding, SweepPlan, Threshold,
};

fn plan() -> Event {
    let cell = |dropout: &str| CellPlan {
        swept: vec![
            ("dropout".to_owned(), dropout.to_owned()),
            ("seed".to_owned(), "1".to_owned()),
        ],
        settings: Vec::new(),
        planned_steps: 2000,
        steps_per_epoch: 16,
        probes: vec!["held-out, 1000 examples".to_owned()],
        threshold: Threshold {
            formula: "2/η".into(),
            edge_formula: "2/η".into(),
            is_inverse_in_rate: true,
            ..Threshold::default()
        },
        ended: None,
        ..CellPlan::default()
    };
    Event::SweepStarted(SweepPlan {
        earlier_seconds: 0.0,
        name: "edge".to_owned(),
        run_dir: PathBuf::from("runs/edge"),
        device: "flex (CPU, 2 threads)".to_owned(),
        cells: vec![cell("0"), cell("0.25"), cell("0.5")],
    })
}

fn lambda(value: f64, residual: f64, converged: bool) -> LambdaPoint {
    LambdaPoint {
        lambda_max: value,
        lambda_residual: residual,
        lambda_converged: converged,
        ..LambdaPoint::default()
    }
}

fn measured(cell: usize, point: Point) -> Event {
    Event::Measured {
        cell,
        point: Box::new(point),
    }
}

fn evaluation(step: u64, seconds: f64) -> Point {
    Point {
        step,
        seconds,
        values: [("train_loss", 0.512_345), ("test_accuracy", 0.8125)].into(),
        ..Point::default()
    }
}

/// The last values of a cell that finished.
fn finished() -> Summary {
    Summary {
        steps: 2000,
        seconds: 12.34,
        lambda_converged: Some(true),
        values: [
            ("train_loss", 0.001),
            ("test_loss", 0.75),
            ("test_accuracy", 0.9),
            ("lambda_max", 38.0),
            ("lambda_residual", 0.01),
        ]
        .into(),
        ..Summary::default()
    }
}

/// The last values of a cell that diverged.
fn diverged() -> Summary {
    Summary {
        steps: 7,
        lambda_converged: Some(false),
        lambda_step: Some(5),
        values: [("train_loss", f64::NAN), ("lambda_max", 123_456.7)].into(),
        ..Summary::default()
    }
}

/// A sweep of three cells: one that finishes, one that diverges, one that waits.
fn script() -> Vec<Event> {
    let with_lambda = |lambda, point: Point| Point {
        lambda: Some(lambda),
        ..point.with("threshold", 40.0)
    };
    let audited = LambdaPoint {
        lambda_audited: true,
        ..lambda(38.0, 0.01, true)
    };
    let corrected = LambdaPoint {
        lambda_corrected_from: Some(31.5),
        ..audited.clone()
    };
    vec![
        plan(),
        Event::Activity {
            cell: Some(0),
            activity: Activity::Preparing,
        },
        Event::CellStarted { cell: 0 },
        measured(0, with_lambda(lambda(12.3, 0.01, true), evaluation(0, 0.0))),
        measured(0, evaluation(100, 1.0)),
        measured(0, evaluation(1100, 11.0)),
        measured(
            0,
            with_lambda(
                lambda(41.25, 3.5, false),
                Point {
                    step: 1500,
                    ..Point::default()
                },
            ),
        ),
        measured(
            0,
            with_lambda(
                audited,
                Point {
                    step: 1600,
                    ..Point::default()
                },
            ),
        ),
        measured(
            0,
            with_lambda(
                corrected,
                Point {
                    step: 1700,
                    ..Point::default()
                },
            ),
        ),
        Event::Notice {
            cell: Some(0),
            words: "λ_max was\r\ncorrected \u{1b}[1m".to_owned(),
        },
        Event::PointsSkipped { cell: 0, count: 2 },
        Event::PointsSkipped { cell: 0, count: 3 },
        Event::CellEnded {
            cell: 0,
            ending: CellEnding::Finished(StopReason::Steps),
            summary: finished(),
        },
        Event::CellStarted { cell: 1 },
        Event::Progress {
            cell: 1,
            progress: Progress {
                step: 7,
                ..Progress::default()
            },
        },
        measured(
            1,
            with_lambda(
                lambda(f64::NAN, f64::INFINITY, false),
                Point {
                    step: 7,
                    ..Point::default()
                },
            ),
        ),
        Event::CellEnded {
            cell: 1,
            ending: CellEnding::Diverged,
            summary: diverged(),
        },
        Event::SweepEnded(SweepEnding::Stopped),
    ]
}

/// Follows the events; returns the output, how following ended, and the commands that the trainer received.
fn follow(events: Vec<Event>, stop: &Receiver<()>, style: Style) -> (String, Ended, Vec<Command>) {
    follow_in(events, stop, style, Glyphs::Unicode)
}

fn follow_in(events: Vec<Event>, stop: &Receiver<()>, style: Style, glyphs: Glyphs) -> (String, Ended, Vec<Command>) {
    let (sender, receiver) = unbounded();
    for event in events {
        sender.send(event).unwrap();
    }
    drop(sender);
    let (commands, asked) = unbounded();
    let mut out = Vec::new();
    let ended = run(&receiver, &commands, stop, &mut out, style, glyphs).unwrap();
    (String::from_utf8(out).unwrap(), ended, asked.try_iter().collect())
}

#[test]
fn a_sweep_in_a_pipe_is_one_line_a_measurement_and_a_table() {
    let (text, ended, asked) = follow(script(), &never(), Style::Lines);
    insta::assert_snapshot!(text);
    assert!(
        !text
            .chars()
            .any(|character| character.is_control() && character != '\n')
    );
    assert_eq!((ended, asked), (Ended::Sweep(SweepEnding::Stopped), Vec::new()));
}

#[test]
fn where_the_terminal_takes_nothing_else_every_line_is_ascii_and_the_table_aligned() {
    let mut events = script();
    if let Some(Event::SweepStarted(plan)) = events.first_mut() {
        plan.name = "schärfe".to_owned();
        plan.cells[1].threshold.formula = "(2+2β)/η − wd".to_owned();
        // With different probes, the probe becomes a column.
        plan.cells[1].probes = vec!["a probe in λ".to_owned()];
    }
    let notice = Event::Notice {
        cell: None,
        words: "λ_max fell… − said “twice”".to_owned(),
    };
    events.insert(1, notice);
    let (text, ..) = follow_in(events, &never(), Style::Lines, Glyphs::Ascii);
    assert!(text.is_ascii(), "{text}");
    for words in [
        "sch?rfe - 3 cells - flex",
        "lambda_max 12.3 (residual",
        "2/eta 40",
        "lambda_max fell... - said \"twice\"",
        "a probe in lambda",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let table: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("cell  "))
        .take(4)
        .collect();
    let ends = |line: &&str| line.len();
    assert!(table.iter().map(ends).all(|end| end == table[0].len()), "{table:#?}");
}

#[test]
fn the_preconditioned_sharpness_has_its_threshold_behind_it_and_a_doubt_if_there_is_one() {
    let found = |sharpness, converged| PreconditionedPoint {
        preconditioned_sharpness: sharpness,
        preconditioned_residual: 12.5,
        preconditioned_converged: converged,
        preconditioned_audited: converged,
        ..PreconditionedPoint::default()
    };
    let at = |step, found| {
        let point = Point {
            step,
            lambda: Some(lambda(41.25, 0.01, true)),
            preconditioned: found,
            ..Point::default()
        };
        measured(0, point.with("preconditioned_threshold", 38_000.0))
    };
    let last = Summary {
        preconditioned_converged: Some(false),
        values: [("lambda_max", 41.25), ("preconditioned_sharpness", 37_000.0)].into(),
        lambda_converged: Some(true),
        ..finished()
    };
    let mut begun = plan();
    if let Event::SweepStarted(plan) = &mut begun {
        plan.cells.truncate(1);
        (
            plan.cells[0].threshold.formula,
            plan.cells[0].threshold.is_preconditioned,
        ) = ("38/η".into(), true);
    }
    let events = vec![
        begun,
        Event::CellStarted { cell: 0 },
        at(0, None),
        at(10, Some(found(36_000.0, true))),
        at(20, Some(found(f64::NAN, false))),
        at(30, Some(found(37_000.0, false))),
        Event::CellEnded {
            cell: 0,
            ending: CellEnding::Finished(StopReason::Steps),
            summary: last,
        },
        Event::SweepEnded(SweepEnding::Complete),
    ];
    let text = follow(events, &never(), Style::Lines).0;
    for words in [
        "step 0/2000 · λ_max 41.25 (residual 0.01, converged)\n",
        "converged) · preconditioned sharpness 36000 (residual 12.5, converged, audited) · 38/η 38000\n",
        "preconditioned sharpness could not be measured (products or vectors are not finite) · 38/η 38000\n",
        "preconditioned sharpness 37000? (residual 12.5, not converged) · 38/η 38000\n",
        "λ_max 41.25 · preconditioned sharpness 37000? · ",
        "  prec. λ  ",
        "  37000?  ",
        "? did not converge",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_lambda_max_that_could_not_be_had_is_no_number_anywhere() {
    let last = Summary {
        lambda_converged: Some(false),
        lambda_step: Some(2000),
        values: [("lambda_max", f64::NAN), ("test_accuracy", f64::NAN)].into(),
        ..finished()
    };
    let point = Point {
        step: 2000,
        lambda: Some(lambda(f64::NAN, f64::NAN, false)),
        ..Point::default()
    };
    let mut known = Known::new();
    let mut lines = known.take(&plan());
    lines.extend(known.take(&Event::CellStarted { cell: 0 }));
    lines.extend(known.take(&measured(0, point)));
    assert_eq!(bar::message(&known, 0), "λ_max -?");
    lines.extend(known.take(&Event::CellEnded {
        cell: 0,
        ending: CellEnding::Finished(StopReason::Steps),
        summary: last,
    }));
    let table = super::table::table(&known, Glyphs::Unicode);
    assert!(table[2].contains("finished   2000     -?"), "{table:#?}");
    lines.extend(table);
    assert!(
        lines
            .iter()
            .any(|line| line.contains("λ_max could not be measured (products")),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("· λ_max could not be measured · ")),
        "{lines:#?}"
    );
    assert!(!lines.iter().any(|line| line.contains("NaN")), "{lines:#?}");
}

#[test]
fn lines_are_the_same_above_a_bar() {
    let lines = follow(script(), &never(), Style::Lines);
    assert_eq!(follow(script(), &never(), Style::Bar), lines);
}

#[test]
fn several_probes_are_named_at_each_value() {
    let mut known = Known::new();
    let Event::SweepStarted(mut plan) = plan() else {
        panic!("the plan comes first")
    };
    plan.cells[0].probes.push("training, 500 examples".to_owned());
    known.take(&Event::SweepStarted(plan));
    let other = LambdaPoint {
        lambda_probe: 1,
        ..lambda(9.0, 0.5, true)
    };
    let lines = known.take(&measured(
        0,
        Point {
            step: 5,
            lambda: Some(other),
            ..Point::default()
        },
    ));
    let expected =
        "cell 0 dropout=0 seed=1 · step 5/2000 · λ_max 9 on training, 500 examples (residual 0.5, converged)";
    assert_eq!(lines, [expected]);
    assert_eq!(
        known.monitor.cells[0].latest.lambda[0], None,
        "the bar shows the first probe only"
    );
}

#[test]
fn cells_measured_on_different_examples_each_say_so_in_the_table() {
    let Event::SweepStarted(mut plan) = plan() else {
        panic!("the plan comes first")
    };
    plan.cells.truncate(2);
    plan.cells[1].probes = vec!["training, 500 examples".to_owned()];
    let mut known = Known::new();
    known.take(&Event::SweepStarted(plan));
    let table = super::table::table(&known, Glyphs::Unicode);
    assert!(
        table[1].starts_with("cell  dropout  seed  λ_max on                 state   steps"),
        "{table:#?}"
    );
    assert!(
        table[2].starts_with("0     0        1     held-out, 1000 examples  queued"),
        "{table:#?}"
    );
    assert!(
        table[3].starts_with("1     0.25     1     training, 500 examples   queued"),
        "{table:#?}"
    );
    assert_eq!(table.len(), 4);
}

#[test]
fn a_resumed_sweep_shows_what_ended_before() {
    let Event::SweepStarted(mut plan) = plan() else {
        panic!("the plan comes first")
    };
    plan.cells.truncate(2);
    let summary = Summary {
        steps: 100,
        seconds: 1.0,
        ..Summary::default()
    };
    plan.cells[0].ended = Some((CellEnding::Failed("no memory".to_owned()), summary.clone()));
    let events = vec![
        Event::SweepStarted(plan),
        // Measurements of an earlier process have no lines.
        measured(0, evaluation(50, 0.5)),
        measured(
            0,
            Point {
                lambda: Some(lambda(12.3, 0.01, true)),
                ..evaluation(100, 1.0)
            },
        ),
        Event::CellStarted { cell: 1 },
        Event::CellEnded {
            cell: 1,
            ending: CellEnding::Aborted,
            summary,
        },
        Event::SweepEnded(SweepEnding::Complete),
    ];
    insta::assert_snapshot!(follow(events, &never(), Style::Lines).0);
}

#[test]
fn a_cell_that_did_not_reach_its_aim_says_so() {
    let missed = Summary {
        reached_aim: Some(false),
        ..finished()
    };
    let ended = Event::CellEnded {
        cell: 0,
        ending: CellEnding::Finished(StopReason::Epochs),
        summary: missed,
    };
    let events = vec![
        plan(),
        Event::CellStarted { cell: 0 },
        ended,
        Event::SweepEnded(SweepEnding::Stopped),
    ];
    let text = follow(events, &never(), Style::Lines).0;
    assert!(
        text.contains("finished: all epochs done, the aim not reached"),
        "{text}"
    );
    assert!(text.contains("  aim missed  "), "{text}");
}

#[test]
fn what_an_earlier_process_measured_is_remembered_without_a_line() {
    let Event::SweepStarted(mut plan) = plan() else {
        panic!("the plan comes first")
    };
    plan.cells[0].ended = Some((CellEnding::Finished(StopReason::Steps), finished()));
    let mut known = Known::new();
    known.take(&Event::SweepStarted(plan));
    let point = Point {
        lambda: Some(lambda(12.3, 0.01, true)),
        ..evaluation(100, 1.0)
    };
    assert!(known.take(&measured(0, point.clone())).is_empty());
    let lambda = &known.monitor.cells[0].latest.lambda[0];
    assert_eq!((lambda, known.monitor.turns.running.len()), (&point.lambda, 0));
    // If the cell runs again, its measurements are new.
    known.take(&Event::CellStarted { cell: 0 });
    assert_eq!(known.take(&measured(0, point)).len(), 1);
}

#[test]
fn the_bar_says_how_long_and_how_sharp() {
    let mut known = Known::new();
    known.take(&plan());
    known.take(&Event::CellStarted { cell: 1 });
    assert_eq!(bar::message(&known, 1), "");
    let progress = Progress {
        step: 500,
        steps_per_second: 12.5,
        ..Progress::default()
    };
    known.take(&Event::Progress { cell: 1, progress });
    let point = Point {
        lambda: Some(lambda(41.25, 3.5, false)),
        values: [("test_accuracy", 0.5)].into(),
        ..Point::default()
    };
    known.take(&measured(1, point));
    known.take(&Event::Activity {
        cell: Some(1),
        activity: Activity::MeasuringLambda,
    });
    let expected = "ETA 00:02:00 · λ_max 41.25? · test accuracy 50.00 % · measuring λ_max";
    assert_eq!(bar::message(&known, 1), expected);
}

#[test]
fn aborting_a_cell_that_waits_leaves_the_bar_of_the_one_that_runs() {
    let mut known = Known::new();
    known.take(&plan());
    known.take(&Event::CellStarted { cell: 0 });
    let ended = |cell| Event::CellEnded {
        cell,
        ending: CellEnding::Aborted,
        summary: Summary::default(),
    };
    known.take(&ended(2));
    assert_eq!(known.monitor.turns.running, [0]);
    known.take(&ended(0));
    assert!(known.monitor.turns.running.is_empty());
}

#[test]
fn numbers_have_four_significant_digits() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (12.3, "12.3"),
        (-40.0, "-40"),
        (0.001_234_56, "0.001235"),
        (0.012_345_6, "0.01235"),
        (0.123_456, "0.1235"),
        (9.999_96, "10"),
        (1234.56, "1235"),
        (1_234_567.0, "1.235e6"),
        (1e-12, "1.000e-12"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(words::short(value), text);
    }
}
