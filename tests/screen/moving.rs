//! The animated picture of the README: a recorded run at the edge of stability, drawn by the screen.

#![allow(clippy::unwrap_used)] // Clippy does not recognize helpers as test code.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sharptui::event::{Activity, Event, Point, Progress};
use sharptui::monitor::Monitor;
use sharptui::tui::{self, Colours, Glyphs, Scene, Theme, View};

use crate::script;

/// The `metrics.jsonl` of the cell of `configs/edge_of_stability.ron` with η = 0.03 and seed 0, run with flex (CPU).
const RECORDED: &str = include_str!("edge_of_stability.jsonl");
const RATES_AND_STEPS: [(&str, u64); 3] = [("0.03", 2500), ("0.04", 1500), ("0.05", 1000)];
const SEEDS: usize = 3;

/// Number of measurements between two frames.
const POINTS_PER_FRAME: usize = 10;
const SECONDS_PER_FRAME: f64 = 0.25;
/// Number of frames for which the last frame stays, so that viewers can read it.
const LAST_FRAME_STAYS: usize = 14;

fn started() -> Vec<Event> {
    let mut plan = script::plan();
    plan.name = "edge_of_stability".into();
    plan.run_dir = PathBuf::from("runs/edge_of_stability");
    let like = plan.cells.swap_remove(0);
    plan.cells.clear();
    for (rate, steps) in RATES_AND_STEPS {
        for seed in 0..SEEDS {
            let mut cell = like.clone();
            cell.swept = vec![("learning_rate".into(), rate.into()), ("seed".into(), seed.to_string())];
            for (name, value) in &cell.swept {
                let setting = cell.settings.iter_mut().find(|(other, _)| other == name);
                setting.unwrap().1.clone_from(value);
            }
            cell.planned_steps = steps;
            cell.probes.truncate(1);
            plan.cells.push(cell);
        }
    }
    let training = Event::Activity {
        cell: Some(0),
        activity: Activity::Training,
    };
    vec![Event::SweepStarted(plan), Event::CellStarted { cell: 0 }, training]
}

/// Returns the screen after these measurements.
fn frame(points: &[Point]) -> String {
    let start = Instant::now();
    let mut monitor = Monitor::default();
    let last = points.last().unwrap();
    let progress = Progress {
        step: last.step,
        epoch: last.epoch,
        seconds: last.seconds,
        steps_per_second: last.step as f64 / last.seconds.max(0.1),
    };
    let measured = points.iter().cloned().map(|point| Event::Measured {
        cell: 0,
        point: Box::new(point),
    });
    let progress = Event::Progress { cell: 0, progress };
    for event in started().into_iter().chain(measured).chain([progress]) {
        monitor.apply(event, start);
    }
    let mut view = View::new(Theme::new(Colours::Indexed, Glyphs::Unicode));
    view.follow(&monitor);
    let area = Rect::new(0, 0, 100, 30);
    let mut buffer = Buffer::empty(area);
    let scene = Scene {
        monitor: &monitor,
        view: &view,
        load: None,
        now: start + Duration::from_secs_f64(last.seconds),
    };
    tui::render(&scene, area, &mut buffer);
    tui::svg::picture(&buffer)
}

/// Combines the frames into one animated SVG. Each line is visible while it is part of the current frame. Viewers
/// without animation show the last frame.
fn moving(frames: &[String]) -> String {
    let count = frames.len() + LAST_FRAME_STAYS;
    let seconds = count as f64 * SECONDS_PER_FRAME;
    let mut shown: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    for (index, frame) in frames.iter().enumerate() {
        for line in frame.lines().skip(2).filter(|line| *line != "</svg>") {
            shown.entry(line).or_insert_with(|| vec![false; frames.len()])[index] = true;
        }
    }
    let mut together: BTreeMap<Vec<bool>, Vec<&str>> = BTreeMap::new();
    for (line, when) in shown {
        together.entry(when).or_default().push(line);
    }
    let word = |visible: bool| if visible { "visible" } else { "hidden" };
    let head: Vec<&str> = frames[0].lines().take(2).collect();
    let mut svg = format!("{}\n", head.join("\n"));
    for (when, lines) in together {
        let lines = lines.join("\n");
        if when.iter().all(|visible| *visible) {
            let _ = writeln!(svg, "{lines}");
            continue;
        }
        let turns = (0..when.len()).filter(|&index| index == 0 || when[index] != when[index - 1]);
        let (values, times): (Vec<&str>, Vec<String>) = turns
            .map(|index| (word(when[index]), format!("{:.4}", index as f64 / count as f64)))
            .unzip();
        let at_rest = word(*when.last().unwrap());
        let _ = writeln!(
            svg,
            "<g visibility=\"{at_rest}\"><animate attributeName=\"visibility\" calcMode=\"discrete\" dur=\"{seconds}s\" \
             repeatCount=\"indefinite\" values=\"{}\" keyTimes=\"{}\"/>\n{lines}</g>",
            values.join(";"),
            times.join(";"),
        );
    }
    svg + "</svg>\n"
}

/// `UPDATE_PICTURE=1 cargo test --test screen` writes a new picture.
#[test]
fn the_moving_picture_is_what_the_screen_draws_of_a_recorded_run() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/screen/edge_of_stability.svg");
    let points: Vec<Point> = RECORDED
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut ends: Vec<usize> = (1..points.len()).step_by(POINTS_PER_FRAME).collect();
    ends.push(points.len());
    let frames: Vec<String> = ends.into_iter().map(|end| frame(&points[..end])).collect();
    let drawn = moving(&frames);
    if std::env::var_os("UPDATE_PICTURE").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == drawn, "out of date: UPDATE_PICTURE=1 cargo test --test screen");
    assert!(kept.len() < 1_000_000, "{} bytes", kept.len());
}
