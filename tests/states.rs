//! Tests every state that a run directory can be left in: it opens and shows what is on disk, resumes, and is reported.
//!
//! `tests/fixtures/runs` has run directories of version 0.1.0. The code that writes run directories may change, but
//! these must stay readable.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

#[path = "pty/seat.rs"]
#[allow(dead_code)] // Other tests use the rest of this module.
mod seat;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use portable_pty::CommandBuilder;
use rustix::process::{Pid, Signal, kill_process};
use seat::Seat;
use sharptui::event::CellEnding;
use sharptui::monitor::{CellState, Monitor};
use sharptui::record::{RunState, host_name, read_cells, read_metrics, read_run};
use sharptui::sweep::told_by_disk;

/// Each state, with the number of its interrupted cell, if there is one, counted from 0.
const STATES: [(&str, Option<usize>); 9] = [
    ("finished", None),
    ("stopped", Some(2)),
    // Killed by SIGKILL, with a checkpoint in the cell, and without one.
    ("killed", Some(1)),
    ("killed_early", Some(2)),
    // One cell held until the end.
    ("held", None),
    // A cell that had ended will run again; another was interrupted.
    ("retried", Some(2)),
    // A cell with another seed was added.
    ("added", Some(0)),
    // Learning rates were changed; one cell was aborted, one interrupted.
    ("by_hand", Some(1)),
    // One cell diverged, the other does not fit into memory.
    ("broken", None),
];

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Copies a run directory, with this machine as its host.
    fn with(state: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/runs");
        copy(&from.join(state), &folder.path().join(state));
        let place = Self { folder };
        place.say_host(state, &host_name());
        place
    }

    fn run_dir(&self, state: &str) -> PathBuf {
        self.folder.path().join(state)
    }

    fn say_host(&self, state: &str, host: &str) {
        let path = self.run_dir(state).join("run.json");
        let text = fs::read_to_string(&path).unwrap();
        let said = read_run(&self.run_dir(state)).unwrap().host;
        let before = format!("\"host\": \"{said}\"");
        assert!(text.contains(&before));
        fs::write(&path, text.replace(&before, &format!("\"host\": \"{host}\""))).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Resumes a run to its end or, if that takes long, until it has measured something.
    fn go_on(&self, state: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.current_dir(self.folder.path());
        command.args(["resume", state, "--plain", "--device", "flex"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let is_long = ["held", "added", "by_hand"].contains(&state);
        if is_long {
            let measured = lines.find(|line| line.contains(" · step "));
            assert!(measured.is_some(), "{state}");
            kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        }
        let words: Vec<String> = lines.collect();
        assert!(
            !words.iter().any(|line| line.contains("the cell begins again")),
            "{state}: {words:?}"
        );
        let expected = match state {
            "broken" => 1,
            _ if is_long => 130,
            _ => 0,
        };
        assert_eq!(child.wait().unwrap().code(), Some(expected), "{state}: {words:?}");
        let is_done = known(&self.run_dir(state))
            .cells
            .iter()
            .all(|cell| cell.state.is_done());
        assert_eq!(is_done, !is_long, "{state}: {words:?}");
    }

    /// Starts a screen with these arguments.
    fn screen(&self, arguments: &[&str]) -> Seat {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sharptui"));
        command.cwd(self.folder.path());
        command.args(arguments);
        Seat::start(command, (120, 40), &[])
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), &place).unwrap();
        }
    }
}

/// Returns what a screen without any points would know of the run.
fn known(run_dir: &Path) -> Monitor {
    let mut monitor = Monitor::default();
    for event in told_by_disk(run_dir).unwrap() {
        monitor.apply(event, Instant::now());
    }
    monitor
}

#[test]
fn what_is_on_disk_is_what_is_shown() {
    for (state, left) in STATES {
        let place = Place::with(state);
        let monitor = known(&place.run_dir(state));
        let was_killed = read_run(&place.run_dir(state)).unwrap().state == RunState::Running;
        assert_eq!(monitor.ending.is_none(), was_killed, "{state}");
        for found in read_cells(&place.run_dir(state)).unwrap() {
            let points = read_metrics(&found.path).unwrap().points;
            let cell = &monitor.cells[found.cell];
            if state == "retried" && found.cell == 0 {
                assert_eq!(cell.state, CellState::Queued);
                continue;
            }
            let reached = points.last().map_or(0, |point| point.step);
            // A cell that was stopped or aborted by the user was not measured at its last step.
            assert!(cell.progress.step >= reached, "{state}: cell {}", found.cell);
            let lambda = cell.latest.lambda[0].as_ref().map(|lambda| lambda.lambda_max.to_bits());
            let measured = points.iter().filter_map(|point| point.lambda.as_ref()).next_back();
            assert_eq!(lambda, measured.map(|lambda| lambda.lambda_max.to_bits()), "{state}");
        }
        let interrupted = monitor
            .cells
            .iter()
            .position(|cell| cell.state == CellState::Ended(CellEnding::Interrupted));
        assert_eq!(interrupted, left, "{state}");
    }
}

#[test]
fn every_state_is_shown_with_its_curves_goes_on_and_is_reported() {
    for (state, left) in STATES {
        let place = Place::with(state);
        let mut screen = place.screen(&["attach", state]);
        // The unfinished cell, or else the first, shows its curves. `λ_max –` is a title without a value.
        screen.wait_until("a measurement", |seat| {
            let shown = seat.shown();
            shown.contains("λ_max ") && !shown.contains("⠤⠤ λ_max –") && shown.contains("train ")
        });
        if let Some(cell) = left {
            screen.wait_for("interrupted");
            let shown = screen.shown();
            let row = shown.lines().find(|line| line.contains("interrupted")).unwrap();
            assert!(
                row.trim_start_matches(['›', ' ']).starts_with(&format!("{cell} ")),
                "{shown}"
            );
            assert!(row.contains('›'), "the unfinished cell is selected:\n{shown}");
        }
        screen.press("q");
        screen.wait_for_the_end();

        let lines = place.run(&["attach", state]);
        assert!(!lines.stdout.is_empty(), "{state}: as lines");

        place.go_on(state);

        let reported = place.run(&["report", state]);
        let words = String::from_utf8_lossy(&reported.stderr);
        assert_eq!(reported.status.code(), Some(0), "{state}: {words}");
        assert!(place.run_dir(state).join("report.html").is_file());
    }
}

/// Tests that a resume that is stopped before it reaches a cell leaves that cell's results unchanged.
#[test]
fn a_cell_that_was_broken_off_is_shown_after_a_resume_that_did_not_reach_it() {
    let place = Place::with("killed_early");
    let steps = known(&place.run_dir("killed_early")).cells[2].progress.step;
    assert!(steps > 0);
    // With this queue, another cell comes first.
    let queue = r#"{"order":[2],"again":[0],"added":[]}"#;
    fs::write(place.run_dir("killed_early").join("queue.json"), queue).unwrap();
    let mut screen = place.screen(&["resume", "killed_early", "--device", "flex"]);
    screen.wait_for("training");
    screen.press("qy");
    screen.wait_for_the_end();
    let monitor = known(&place.run_dir("killed_early"));
    let left = &monitor.cells[2];
    assert!(left.progress.step >= steps && left.latest.lambda[0].is_some());
    let table = fs::read_to_string(place.run_dir("killed_early").join("summary.csv")).unwrap();
    assert!(!table.contains("2,0.1,1,queued,,false,0,"), "{table}");
}

#[test]
fn a_run_that_was_killed_before_it_had_a_run_json_is_shown_and_goes_on() {
    let place = Place::with("killed_early");
    fs::remove_file(place.run_dir("killed_early").join("run.json")).unwrap();
    let mut screen = place.screen(&["attach", "killed_early"]);
    screen.wait_for("the training process exited");
    screen.press("q");
    screen.wait_for_the_end();
    let resumed = place.run(&["resume", "killed_early", "--plain", "--device", "flex"]);
    assert_eq!(resumed.status.code(), Some(0));
}

#[test]
fn a_run_that_an_earlier_version_began_says_that_it_was_rounded_otherwise_and_then_no_longer() {
    let place = Place::with("stopped");
    let said = |place: &Place| {
        let output = place.run(&["resume", "stopped", "--plain", "--device", "flex"]);
        assert_eq!(output.status.code(), Some(0));
        let words = [output.stdout, output.stderr].concat();
        String::from_utf8(words)
            .unwrap()
            .contains("adds numbers up in another order")
    };
    assert!(said(&place));
    assert!(!said(&place));
}

#[test]
fn a_setting_that_a_cell_does_not_know_has_its_default_there_and_no_other_value() {
    let place = Place::with("stopped");
    // Earlier versions did not write the run's configuration, so only the cells tell what it was.
    let run = place.run_dir("stopped").join("run.json");
    let text = fs::read_to_string(&run).unwrap();
    let mut info: serde_json::Value = serde_json::from_str(&text).unwrap();
    info.as_object_mut().unwrap().remove("config");
    fs::write(&run, info.to_string()).unwrap();
    let config = place.run_dir("stopped").join("config.ron");
    let text = fs::read_to_string(&config).unwrap();
    let resumed = |given: &str| {
        fs::write(&config, text.replacen('(', &format!("(deterministic: {given},"), 1)).unwrap();
        place.run(&["resume", "stopped", "--plain", "--device", "flex"])
    };
    let refused = resumed("true");
    let words = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{words}");
    assert!(
        words.contains("its cell.json has deterministic: false, the run's config.ron now has true"),
        "{words}"
    );
    assert_eq!(resumed("false").status.code(), Some(0));
}

#[test]
fn a_run_that_another_machine_trains_is_followed_and_never_called_dead() {
    let state = "killed";
    let place = Place::with(state);
    place.say_host(state, "another-machine");
    let mut screen = place.screen(&["attach", state]);
    screen.wait_for("trained on another-machine");
    screen.wait_for("running");
    assert!(!screen.shown().contains("is gone"), "{}", screen.shown());
    // Keys that would change the run are answered with a message.
    screen.press(" ");
    screen.wait_for("cannot be sent through the run directory");
    screen.press("R");
    screen.wait_for("does nothing here");
    // Points that the other machine writes are shown.
    let metrics = place.run_dir(state).join("cells/001/metrics.jsonl");
    let text = fs::read_to_string(&metrics).unwrap();
    let last = read_metrics(metrics.parent().unwrap()).unwrap().points.pop().unwrap();
    let line = text.lines().next_back().unwrap();
    let next = line.replace(&format!("\"step\":{}", last.step), "\"step\":19500");
    fs::write(&metrics, format!("{text}{next}\n")).unwrap();
    screen.wait_for("19 500");
    // The end of the run is shown, too.
    let run = place.run_dir(state).join("run.json");
    let text = fs::read_to_string(&run).unwrap();
    fs::write(&run, text.replace("\"running\"", "\"stopped\"")).unwrap();
    screen.wait_for("stopped; unfinished cells can be resumed");
    screen.press("q");
    assert_eq!(screen.wait_for_the_end(), 130);
}
