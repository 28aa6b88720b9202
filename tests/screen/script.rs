//! An invented sweep that looks like a real one: six cells of gradient descent at the edge of stability.

use std::path::PathBuf;

use crate::event::{
    Activity, CellEnding, CellPlan, CellSize, Event, LambdaPoint, LogEntry, LogKind, Point, Progress, RateChange,
    Runner, StopReason, Summary, SweepPlan, Threshold,
};

/// Planned steps of every cell.
pub const STEPS: u64 = 1_000;

/// Seconds per step.
const SECONDS_PER_STEP: f64 = 0.018;

const RATES: [f64; 3] = [0.1, 0.05, 0.025];
const ACTIVATIONS: [&str; 2] = ["tanh", "relu"];
const PROBES: [&str; 2] = ["training, all 1000 examples", "held-out, 1000 examples"];

fn rate(cell: usize) -> f64 {
    RATES[cell / ACTIVATIONS.len()]
}

/// Returns the plan of the sweep.
pub fn plan() -> SweepPlan {
    let cells = (0..RATES.len() * ACTIVATIONS.len()).map(cell_plan).collect();
    SweepPlan {
        earlier_seconds: 0.0,
        name: "edge-of-stability".into(),
        run_dir: PathBuf::from("runs/edge-of-stability"),
        device: "flex (CPU, 2 threads)".into(),
        cells,
    }
}

fn cell_plan(cell: usize) -> CellPlan {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    let swept = vec![
        pair("learning_rate", rate(cell).to_string()),
        pair("activation", ACTIVATIONS[cell % ACTIVATIONS.len()].to_owned()),
    ];
    let mut settings = vec![
        pair("data", "FashionMnistSubset".into()),
        pair("train_examples", "1000".into()),
        pair("test_examples", "Full".into()),
        pair("model", "Mlp(widths: [200, 200])".into()),
        pair("dropout", "0".into()),
        pair("batch_norm", "false".into()),
        pair("loss", "SquaredError".into()),
        pair("momentum", "0".into()),
        pair("weight_decay", "0".into()),
        pair("batch_size", "Full".into()),
        pair("seed", "0".into()),
        pair("steps", STEPS.to_string()),
        pair("evaluate_every", "Steps(5)".into()),
        pair("lambda_every", "Steps(5)".into()),
        pair("lambda_tolerance", "0.01".into()),
        pair("precision", "Float32".into()),
    ];
    settings.splice(3..3, swept.clone());
    CellPlan {
        swept,
        settings,
        planned_steps: STEPS,
        steps_per_epoch: 1,
        probes: PROBES.map(str::to_owned).to_vec(),
        threshold: Threshold {
            formula: "2/η".into(),
            edge_formula: "2/η".into(),
            meaning: "gradient descent at learning rate η stays near a minimum only while λ_max is below 2/η".into(),
            is_inverse_in_rate: true,
            ..Threshold::default()
        },
        size: Some(CellSize {
            parameters: 199_210,
            memory_bytes: 96_000_000,
        }),
        ended: None,
    }
}

/// Returns noise between -1 and 1 that is the same in every run.
fn noise(cell: usize, step: u64) -> f64 {
    let mixed = (step + 1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(cell as u64 * 0x51ed_270b);
    ((mixed >> 33) % 2_001) as f64 / 1_000.0 - 1.0
}

/// Returns a λ_max that rises above 2/η and then oscillates around it.
fn lambda(cell: usize, step: u64) -> f64 {
    let threshold = 2.0 / rate(cell);
    let sharpened = 9.0 + 0.11 * step as f64 * if cell.is_multiple_of(2) { 1.0 } else { 1.35 };
    if sharpened < threshold {
        return sharpened * (1.0 + 0.004 * noise(cell, step));
    }
    let since = sharpened / threshold - 1.0;
    let wave = (step as f64 / 17.0).sin() * 0.05 + 0.02 * noise(cell, step);
    threshold * (1.0 + 0.09 * (-since * 1.4).exp() * (since * 26.0).sin().abs() + wave * 0.7 + 0.015)
}

fn train_loss(cell: usize, step: u64) -> f64 {
    let falling = 0.48 * (-(step as f64) * rate(cell) / 9.0).exp() + 0.012 + 0.1 / (1.0 + step as f64 * rate(cell));
    let at_the_edge = lambda(cell, step) * rate(cell) / 2.0 > 0.99;
    falling
        * if at_the_edge {
            1.0 + 0.22 * noise(cell, step / 5).abs()
        } else {
            1.0
        }
}

/// Returns the measurements at a step.
pub fn point(cell: usize, step: u64, probe: usize) -> Point {
    let loss = train_loss(cell, step);
    let generalization_gap = 0.05 + 0.02 * (step as f64 / 900.0);
    let residual = 0.002 + 0.002 * noise(cell, step).abs();
    let value = lambda(cell, step) * if probe == 0 { 1.0 } else { 0.83 };
    let lambda = LambdaPoint {
        lambda_max: value,
        lambda_residual: residual * value,
        lambda_converged: true,
        lambda_hvps: 2,
        lambda_rounded_hvps: 0,
        lambda_seconds: 0.031,
        lambda_probe: probe,
        lambda_on: PROBES[probe].into(),
        ..LambdaPoint::default()
    };
    Point {
        changed_by_hand: None,
        step,
        epoch: step as f64,
        seconds: step as f64 * SECONDS_PER_STEP,
        lambda: Some(lambda),
        preconditioned: None,
        spectrum: None,
        layers: Vec::new(),
        values: [
            ("train_loss", loss),
            ("train_accuracy", (0.995 - 1.75 * loss).max(0.1)),
            ("test_loss", loss + generalization_gap),
            ("test_accuracy", (0.9 - 1.6 * loss).max(0.1)),
            ("learning_rate", rate(cell)),
            ("threshold", 2.0 / rate(cell)),
            ("gradient_norm", loss.sqrt()),
        ]
        .into(),
    }
}

/// Returns the progress of a cell at a step.
pub fn progress(cell: usize, step: u64) -> Event {
    let seconds = step as f64 * SECONDS_PER_STEP;
    let progress = Progress {
        step,
        epoch: step as f64,
        seconds,
        steps_per_second: 1.0 / SECONDS_PER_STEP,
    };
    Event::Progress { cell, progress }
}

fn activity(cell: usize, activity: Activity) -> Event {
    let cell = Some(cell);
    Event::Activity { cell, activity }
}

/// Returns the events of the measurements at a step. At step 330 λ_max does not converge; at step 500 an audit corrects
/// it.
pub fn measured(cell: usize, step: u64) -> Vec<Event> {
    let mut first = point(cell, step, 0);
    let mut events = vec![activity(cell, Activity::MeasuringLambda)];
    if let Some(lambda) = &mut first.lambda {
        if step == 330 {
            lambda.lambda_converged = false;
            lambda.lambda_residual = 0.08 * lambda.lambda_max;
        }
        if step == 500 {
            lambda.lambda_audited = true;
            lambda.lambda_corrected_from = Some(lambda.lambda_max * 0.97);
            events.push(Event::Notice {
                cell: Some(cell),
                words: "audit at step 500 corrected λ_max from 39.6 to 40.8".into(),
            });
        }
    }
    events.push(Event::Measured {
        cell,
        point: Box::new(first),
    });
    let second = Point {
        lambda: point(cell, step, 1).lambda,
        step,
        ..Point::default()
    };
    events.push(Event::Measured {
        cell,
        point: Box::new(second),
    });
    events.push(progress(cell, step));
    events.push(activity(cell, Activity::Training));
    events
}

/// Returns the events of a cell from its start to `step`.
pub fn up_to(cell: usize, step: u64) -> Vec<Event> {
    let mut events = vec![Event::CellStarted { cell }, activity(cell, Activity::Training)];
    events.extend((0..=step).step_by(5).flat_map(|step| measured(cell, step)));
    events
}

/// Returns the end of a cell.
pub fn ended(cell: usize, step: u64, ending: CellEnding) -> Event {
    let last = point(cell, step, 0);
    let mut summary = Summary::default();
    summary.take_in(&last);
    Event::CellEnded { cell, ending, summary }
}

/// Returns the end of a cell with this λ_max. Its test accuracy decreases with λ_max.
#[allow(dead_code)] // Used only by the tests of the panels.
pub fn came_to(cell: usize, lambda_max: f64) -> Event {
    let mut event = ended(cell, STEPS, CellEnding::Finished(StopReason::Steps));
    if let Event::CellEnded { summary, .. } = &mut event {
        summary.values.set("lambda_max", lambda_max);
        summary.values.set("test_accuracy", 0.9 - 0.001 * lambda_max);
    }
    event
}

/// Returns this many runners with one thread each.
#[allow(dead_code)] // Used by the tests of the panels and by the pictures.
pub fn runners(count: u32) -> Event {
    let runner = |number| Runner {
        number,
        device: "flex (CPU)".into(),
        threads: 1,
    };
    Event::Runners((0..count).map(runner).collect())
}

/// Returns the events of a sweep with one finished cell and three running cells: the third, which started first, the
/// second, and the fourth, which is paused.
pub fn three_at_once() -> Vec<Event> {
    let mut events = vec![Event::SweepStarted(plan()), runners(3)];
    events.extend(up_to(0, STEPS));
    events.push(ended(0, STEPS, CellEnding::Finished(StopReason::Steps)));
    for (runner, (cell, step)) in (0..).zip([(2, 720), (1, 405), (3, 95)]) {
        events.push(Event::Assigned { cell, runner });
        events.extend(up_to(cell, step));
    }
    events.push(activity(3, Activity::Paused));
    events
}

/// Returns the events of a sweep with two finished cells, and the third at step 720 of 1,000.
pub fn half_way() -> Vec<Event> {
    two_finished_and(720)
}

fn two_finished_and(step: u64) -> Vec<Event> {
    let mut events = vec![Event::SweepStarted(plan())];
    for cell in 0..2 {
        events.extend(up_to(cell, STEPS));
        events.push(ended(cell, STEPS, CellEnding::Finished(StopReason::Steps)));
    }
    events.extend(up_to(2, step));
    events
}

/// Returns the events of the same sweep with a log, and with the learning rate of the third cell halved at step 600.
#[allow(dead_code)] // Used only by the pictures.
pub fn changed_by_hand() -> Vec<Event> {
    let line = |minute: f64, cell: Option<usize>, kind: LogKind, words: &str| {
        Event::Logged(LogEntry {
            at: 1_795_644_000.0 + 60.0 * minute,
            cell,
            kind,
            words: words.to_owned(),
        })
    };
    let mut events = two_finished_and(595);
    events.extend([
        line(
            0.0,
            None,
            LogKind::Sweep,
            "the sweep began: 6 cells, flex (CPU, 2 threads)",
        ),
        line(
            0.0,
            Some(0),
            LogKind::Begun,
            "began: learning_rate 0.1, activation tanh",
        ),
        line(0.4, Some(0), LogKind::Ended, "finished: all steps taken"),
        line(
            0.4,
            Some(1),
            LogKind::Begun,
            "began: learning_rate 0.1, activation relu",
        ),
        line(0.7, Some(1), LogKind::Ended, "finished: all steps taken"),
        line(
            0.7,
            Some(2),
            LogKind::Begun,
            "began: learning_rate 0.05, activation tanh",
        ),
        line(
            0.8,
            Some(2),
            LogKind::Warning,
            "audit at step 500 corrected λ_max from 39.6 to 40.8",
        ),
        line(
            0.9,
            Some(2),
            LogKind::ByHand,
            "learning rate changed by hand at step 600: 0.05 to 0.025",
        ),
    ]);
    events.extend((600..=720).step_by(5).map(|step| {
        let mut point = point(2, step, 0).with("learning_rate", 0.025).with("threshold", 80.0);
        point.changed_by_hand = (step == 600).then_some(RateChange { from: 0.05, to: 0.025 });
        if let Some(lambda) = &mut point.lambda {
            lambda.lambda_max += 0.11 * (step - 600) as f64;
        }
        let point = Box::new(point);
        Event::Measured { cell: 2, point }
    }));
    events.push(progress(2, 720));
    events
}
