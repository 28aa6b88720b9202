//! Tests that a newly declared quantity appears everywhere: on disk, in tables, on a chart, in the glossary, at the
//! cursor, in a filter, in plain lines and in the report.

use std::fs;
use std::path::Path;
use std::time::Instant;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::config::Experiment;
use crate::event::{CellEnding, CellPlan, Event, LambdaPoint, Point, StopReason, Summary, SweepPlan};
use crate::monitor::Monitor;
use crate::quantity::{
    self, Chart, ChartOf, ChartSpan, Format, Kept, LAMBDA, LOSS, Line, Lines, Quantity, Source, Subject, Told,
    Uncertainty,
};
use crate::record::{self, CellRow, RowState, RunDir};
use crate::tui::{Charts, Colours, Filter, Glyphs, Overlay, Page, Scene, Theme, View, render};
use crate::{characters, curve, plain, report};

static TRACES: Chart = Chart {
    key: "hessian_trace",
    title: "trace of the Hessian",
    span: ChartSpan::Positive,
    of: ChartOf::Measured,
    also: &[],
};

static TRACE: Quantity = Quantity {
    key: "hessian_trace",
    label: "trace",
    column: "trace",
    on_chart: "",
    names: &["tr"],
    format: Format::Number,
    subject: Subject::Probe,
    source: Source::Recorded,
    uncertainty: Uncertainty::None,
    chart: &TRACES,
    line: Line::Main,
    told: Told {
        kept: Kept::InTables,
        in_lines: Lines::All,
        largest_first: true,
    },
    meaning: "the sum of all eigenvalues of the Hessian on {probes}.",
};

/// Returns a point after `step` steps, with only λ_max and the trace.
fn point(step: u64, trace: f64) -> Point {
    let lambda = LambdaPoint {
        lambda_max: 3.0,
        lambda_converged: true,
        lambda_on: "training".to_owned(),
        ..LambdaPoint::default()
    };
    let point = Point {
        step,
        seconds: step as f64 / 10.0,
        lambda: Some(lambda),
        ..Point::default()
    };
    point.with(TRACE.key, trace)
}

/// Returns the points of the cell; the trace of the second one is not finite.
fn points() -> Vec<Point> {
    vec![point(0, 41.25), point(5, f64::NAN), point(10, 43.5)]
}

fn summary() -> Summary {
    let mut summary = Summary::default();
    for point in points() {
        summary.take_in(&point);
    }
    summary
}

fn events() -> Vec<Event> {
    let cell = CellPlan {
        planned_steps: 10,
        steps_per_epoch: 1,
        probes: vec!["training, 10 examples".to_owned()],
        ..CellPlan::default()
    };
    let plan = SweepPlan {
        name: "one more".to_owned(),
        run_dir: "runs/one-more".into(),
        device: "flex".to_owned(),
        cells: vec![cell],
        earlier_seconds: 0.0,
    };
    let measured = points().into_iter().map(|point| Event::Measured {
        cell: 0,
        point: Box::new(point),
    });
    let ended = Event::CellEnded {
        cell: 0,
        ending: CellEnding::Finished(StopReason::Steps),
        summary: summary(),
    };
    [Event::SweepStarted(plan), Event::CellStarted { cell: 0 }]
        .into_iter()
        .chain(measured)
        .chain([ended])
        .collect()
}

fn monitor(now: Instant) -> Monitor {
    let mut monitor = Monitor::default();
    for event in events() {
        monitor.apply(event, now);
    }
    monitor
}

fn screen(monitor: &Monitor, change: impl FnOnce(&mut View)) -> String {
    let mut view = View::new(Theme::new(Colours::Indexed, Glyphs::Unicode));
    view.charts = Charts::new([&TRACES, &LAMBDA, &LOSS]);
    change(&mut view);
    let scene = Scene {
        monitor,
        view: &view,
        load: None,
        now: Instant::now(),
    };
    let mut terminal = Terminal::new(TestBackend::new(240, 44)).unwrap();
    terminal
        .draw(|frame| render(&scene, frame.area(), frame.buffer_mut()))
        .unwrap();
    terminal.backend().to_string()
}

#[test]
fn it_is_on_disk_and_in_the_table_and_in_the_report() {
    quantity::add(&TRACE);
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path(), "made").unwrap();
    let text = "(name: \"made\", model: Mlp(widths: [4]), learning_rate: 0.05, batch_size: Full, steps: 10)";
    let experiment = Experiment::parse(text, Path::new("made.ron")).unwrap();
    run.write_config(&experiment.to_ron().unwrap()).unwrap();
    let entries = experiment.cells[0].settings.entries();
    let entries: Vec<(String, String)> = entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let mut cell = run.begin_cell(0, &entries).unwrap();
    for point in points() {
        cell.append(&point).unwrap();
    }
    let read = record::read_metrics(cell.path()).unwrap().points;
    let values: Vec<f64> = read.iter().filter_map(|point| TRACE.value(point)).collect();
    assert_eq!(format!("{values:?}"), "[41.25, NaN, 43.5]");
    cell.finish(&CellEnding::Finished(StopReason::Steps), &summary())
        .unwrap();
    let ended = record::read_summary(cell.path()).unwrap().summary;
    assert_eq!(ended.last(&TRACE), Some(43.5));
    run.write_table(&[CellRow {
        cell: 0,
        swept: Vec::new(),
        state: RowState::Ended(CellEnding::Finished(StopReason::Steps)),
        summary: ended,
    }])
    .unwrap();
    let table = fs::read_to_string(run.path().join("summary.csv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    let column = rows[0].iter().position(|name| *name == "hessian_trace").unwrap();
    assert_eq!(rows[1][column], "43.5");

    report::write(run.path(), None, curve::Across::Steps).unwrap();
    let page = fs::read_to_string(run.path().join("report.md")).unwrap();
    assert!(page.contains("| trace |") && page.contains("43.5"), "{page}");
    let page = fs::read_to_string(run.path().join("report.html")).unwrap();
    assert!(page.contains(">trace<"), "no panel of it");
}

#[test]
fn it_is_correlated_with_test_accuracy_in_the_report() {
    quantity::add(&TRACE);
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path(), "made").unwrap();
    let text =
        "(model: Mlp(widths: [4]), learning_rate: 0.05, batch_size: Full, steps: 10, sweep: (seed: [0, 1, 2, 3, 4]))";
    let experiment = Experiment::parse(text, Path::new("made.ron")).unwrap();
    run.write_config(&experiment.to_ron().unwrap()).unwrap();
    for (index, trace) in [41.0, 42.0, 43.0, 44.0, 45.0].into_iter().enumerate() {
        let settings = &experiment.cells[index].settings;
        let entries = settings.entries().into_iter();
        let entries: Vec<(String, String)> = entries.map(|(name, value)| (name.to_owned(), value)).collect();
        let mut cell = run.begin_cell(index, &entries).unwrap();
        let point = point(10, trace).with(quantity::TEST_ACCURACY.key, 0.01 * trace);
        cell.append(&point).unwrap();
        let mut summary = Summary::default();
        summary.take_in(&point);
        cell.finish(&CellEnding::Finished(StopReason::Steps), &summary).unwrap();
    }
    report::write(run.path(), None, curve::Across::Steps).unwrap();
    let page = fs::read_to_string(run.path().join("report.md")).unwrap();
    assert!(
        page.contains("| trace | all cells | 5 | +1.00 [0.17, 1.00] | 0.017 |"),
        "{page}"
    );
    let figure = fs::read_to_string(run.path().join("figures/correlations.svg")).unwrap();
    assert!(figure.contains("trace"), "no row of it");
}

#[test]
fn it_is_on_the_screen() {
    quantity::add(&TRACE);
    let monitor = monitor(Instant::now());
    let drawn = screen(&monitor, |_| {});
    assert!(
        drawn.contains("trace of the Hessian") && drawn.contains("43.5"),
        "{drawn}"
    );
    // A value that is not finite is a gap.
    assert!(!drawn.contains("NaN"), "{drawn}");
    let there = screen(&monitor, |view| view.cursor = Some(0));
    assert!(there.contains("41.2"), "{there}");
    let table = screen(&monitor, |view| view.page = Page::Cells);
    assert!(table.contains("trace") && table.contains("43.5"), "{table}");
    let glossary = screen(&monitor, |view| {
        view.overlay = Some(Overlay::Glossary);
        view.scrolled = 6;
    });
    assert!(
        glossary.contains("the sum of all eigenvalues of the Hessian on"),
        "{glossary}"
    );
    assert!(Filter::parse("tr>43").holds(0, &monitor) && !Filter::parse("hessian_trace>44").holds(0, &monitor));
}

#[test]
fn lines_tell_it() {
    quantity::add(&TRACE);
    let (sender, receiver) = crossbeam_channel::unbounded();
    for event in events() {
        sender.send(event).unwrap();
    }
    drop(sender);
    let mut out = Vec::new();
    let stop = crossbeam_channel::never();
    plain::look_on(
        &receiver,
        &stop,
        &mut out,
        plain::Style::Lines,
        characters::Glyphs::Unicode,
    )
    .unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("trace 41.25") && text.contains("trace 43.5"), "{text}");
}
