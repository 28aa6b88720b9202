//! Runs the real binary without a terminal: lines in a pipe, exit statuses, signals, and files on disk afterwards.

#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

#[path = "cli/leaving.rs"]
mod leaving;
#[path = "cli/measure.rs"]
mod measure;
#[path = "cli/memory.rs"]
mod memory;
#[path = "cli/odd_data.rs"]
mod odd_data;
#[path = "cli/shipped.rs"]
mod shipped;
#[cfg(unix)]
#[path = "cli/signals.rs"]
mod signals;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sharptui::record::{RunState, read_cells, read_metrics, read_run, read_tensors};

/// A sweep of two cells that takes a second.
const SMALL: &str = "(
    model: Mlp(widths: [8]), learning_rate: 0.1, batch_size: 50, epochs: 2,
    train_examples: 200, test_examples: 100, dropout: 0.2,
    lambda_every: Steps(3), probes: [(examples: 50), (from: Training, examples: 60)],
    sweep: (seed: [0, 1]),
)";

/// A sweep that would take hours.
const LONG: &str = "(
    model: Mlp(widths: [64]), learning_rate: 0.01, batch_size: 100, epochs: 100000,
    lambda_every: Epochs(1), sweep: (seed: [0, 1, 2]),
)";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("small.ron"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.env("LC_ALL", "C.UTF-8");
        command.args(arguments).current_dir(self.folder.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns the metrics of a cell without times.
fn metrics(cell: &Path) -> Vec<sharptui::event::Point> {
    let mut points = read_metrics(cell).unwrap().points;
    for point in &mut points {
        point.seconds = 0.0;
        if let Some(lambda) = &mut point.lambda {
            lambda.lambda_seconds = 0.0;
        }
    }
    points
}

#[test]
fn a_sweep_in_a_pipe_is_lines_and_a_table_and_is_whole_on_disk() {
    let place = Place::with(SMALL);
    let output = place.run(&["small.ron"]);
    let lines = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!lines.contains(['\r', '\x1b']), "{lines}");
    assert!(
        lines.contains("λ_max") && lines.contains("complete: 2 cells"),
        "{lines}"
    );

    let run = place.path("runs/small");
    assert_eq!(read_run(&run).unwrap().state, RunState::Complete);
    let cells = read_cells(&run).unwrap();
    assert!(cells.len() == 2 && cells.iter().all(sharptui::record::CellFound::is_finished));
    let table = fs::read_to_string(run.join("summary.csv")).unwrap();
    assert_eq!(table.lines().count(), 3, "{table}");
    for cell in &cells {
        let points = metrics(&cell.path);
        let measured = |probe| {
            let steps = points
                .iter()
                .filter(|p| p.lambda.as_ref().is_some_and(|l| l.lambda_probe == probe));
            steps.map(|p| p.step).collect::<Vec<_>>()
        };
        assert_eq!(measured(0), [0, 3, 6, 8]);
        assert_eq!(measured(1), [0, 3, 6, 8]);
        let tensors = read_tensors(&cell.path.join("model.safetensors")).unwrap().tensors;
        let shapes: Vec<_> = tensors.iter().map(|t| (t.name.as_str(), t.shape.clone())).collect();
        let expected = [
            ("fc1.bias", vec![8]),
            ("fc1.weight", vec![8, 784]),
            ("fc2.bias", vec![10]),
            ("fc2.weight", vec![10, 8]),
        ];
        assert_eq!(shapes, expected);
    }
}

#[test]
fn the_same_seed_gives_the_same_numbers_bit_for_bit_and_another_gives_others() {
    let place = Place::with(SMALL);
    place.run(&["small.ron"]);
    place.run(&["small.ron"]);
    let (first, second) = (place.path("runs/small/cells"), place.path("runs/small-2/cells"));
    for cell in ["000", "001"] {
        assert_eq!(metrics(&first.join(cell)), metrics(&second.join(cell)));
        let model = |run: &Path| fs::read(run.join(cell).join("model.safetensors")).unwrap();
        assert_eq!(model(&first), model(&second));
    }
    assert_ne!(metrics(&first.join("000")), metrics(&first.join("001")));
}

#[test]
fn a_run_can_be_measured_again_and_agrees_with_its_record() {
    let place = Place::with(SMALL);
    place.run(&["small.ron"]);
    let output = place.run(&[
        "lambda",
        "runs/small/cells/001",
        "--dump",
        "dump.safetensors",
        "--tolerance",
        "1e-8",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let value = |name: &str| -> f64 {
        let line = said.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let (now, then) = (value("lambda_max"), value("recorded"));
    assert!((now / then - 1.0).abs() < 1e-4, "{said}");
    let dump = read_tensors(&place.path("dump.safetensors")).unwrap();
    let shape = |name: &str| dump.tensors.iter().find(|t| t.name == name).unwrap().shape.clone();
    assert_eq!(shape("probe.images"), [50, 1, 28, 28]);
    assert_eq!(shape("probe.labels"), [50]);
    assert_eq!(shape("fc1.weight"), [8, 784]);
    assert_eq!(dump.metadata["loss"], "CrossEntropy");

    let other = place.run(&["lambda", "runs/small/cells/001", "--probe", "2"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).starts_with("error: --probe 2: the cell has 2 probe(s)"));
    let nowhere = place.run(&["lambda", "runs"]);
    assert!(
        text(&nowhere.stderr).contains("runs is not the folder of a cell"),
        "{}",
        text(&nowhere.stderr)
    );
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_sweep_cleanly_and_resume_goes_on_with_what_is_unfinished() {
    for signal in ["INT", "TERM"] {
        let place = Place::with(LONG);
        let mut child = place
            .command(&["--plain", "small.ron", "--steps", "100000"])
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("step 20/")), "it trains");
        let pid = child.id().to_string();
        Command::new("kill")
            .args([&format!("-{signal}"), pid.as_str()])
            .status()
            .unwrap();
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");

        let run = place.path("runs/small");
        assert_eq!(read_run(&run).unwrap().state, RunState::Stopped);
        let cells = read_cells(&run).unwrap();
        assert!(!cells.is_empty() && cells.iter().all(|cell| !cell.is_finished()));
        assert!(cells[0].path.join("model.safetensors").is_file());
        assert!(read_metrics(&cells[0].path).unwrap().torn.is_none());
    }

    // A run that was stopped after its first cell.
    let place = Place::with(SMALL);
    place.run(&["small.ron"]);
    fs::remove_dir_all(place.path("runs/small/cells/001")).unwrap();
    let finished = fs::metadata(place.path("runs/small/cells/000/metrics.jsonl")).unwrap();
    let output = place.run(&["resume", "runs/small"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    assert!(
        lines.contains("cell 1 seed=1 · begins") && !lines.contains("cell 0 seed=0 · begins"),
        "{lines}"
    );
    let after = fs::metadata(place.path("runs/small/cells/000/metrics.jsonl")).unwrap();
    assert_eq!(finished.modified().unwrap(), after.modified().unwrap());
    let table = fs::read_to_string(place.path("runs/small/summary.csv")).unwrap();
    assert_eq!(table.matches("finished").count(), 2, "{table}");
}

#[test]
fn results_never_stand_under_settings_that_they_were_not_made_with() {
    let place = Place::with(SMALL);
    place.run(&["small.ron"]);
    let config = place.path("runs/small/config.ron");
    let edited = fs::read_to_string(&config)
        .unwrap()
        .replace("[0,1]", "[1,0]")
        .replace("[0, 1]", "[1, 0]");
    fs::write(&config, edited).unwrap();
    let table = fs::read_to_string(place.path("runs/small/summary.csv")).unwrap();
    let resumed = ["seed of cell 0 was 0 when the run began", "it is 1"];
    let measured = ["cell.json has seed: 0", "config.ron now has 1"];
    for (arguments, words) in [
        (["resume", "runs/small"], resumed),
        (["lambda", "runs/small/cells/000"], measured),
    ] {
        let output = place.run(&arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(words.iter().all(|words| said.contains(words)), "{said}");
    }
    assert_eq!(fs::read_to_string(place.path("runs/small/summary.csv")).unwrap(), table);
}

#[test]
fn wrong_usage_and_wrong_configurations_are_one_line_and_status_2() {
    let place = Place::with("(model: Mlp(widths: [8]), learning_rate: -1.0, epochs: 1)");
    for arguments in [vec!["small.ron"], vec!["check", "small.ron"], vec!["absent.ron"]] {
        let output = place.run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
    }
    assert_eq!(place.run(&["small.ron", "--stepps", "3"]).status.code(), Some(2));
    assert!(
        !place.path("runs").exists(),
        "no run directory is made for a run that cannot begin"
    );
}

#[test]
fn a_resume_looks_for_data_where_the_run_did() {
    let place = Place::with(SMALL);
    place.run(&["small.ron", "--data", "somewhere"]);
    let run = place.path("runs/small");
    let said = read_run(&run).unwrap().data_dir.unwrap();
    assert!(said.is_absolute() && said.ends_with("somewhere"), "{}", said.display());
    place.run(&["resume", "runs/small"]);
    assert_eq!(read_run(&run).unwrap().data_dir, Some(said));
}

#[test]
fn what_is_missing_is_said_before_anything_runs() {
    let place = Place::with("(data: Mnist, model: Mlp(widths: [8]), learning_rate: 0.1, epochs: 1)");
    let output = place.run(&["small.ron", "--data", "."]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.starts_with("error: ") && said.contains("train-images-idx3-ubyte"),
        "{said}"
    );
    let output = place.run(&["resume", "."]);
    assert!(
        text(&output.stderr).contains("is not a run directory"),
        "{}",
        text(&output.stderr)
    );
    assert!(!place.path("runs").exists());
}

#[test]
fn a_cell_that_diverges_is_a_result_and_the_sweep_goes_on() {
    let place = Place::with(
        "(model: Mlp(widths: [8]), loss: SquaredError, learning_rate: 0.1, batch_size: 50, epochs: 40,
          train_examples: 200, test_examples: 100, probes: [(examples: 50)],
          sweep: (learning_rate: [1.0e6, 0.1]))",
    );
    let output = place.run(&["small.ron"]);
    let lines = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{lines}");
    let table = fs::read_to_string(place.path("runs/small/summary.csv")).unwrap();
    let states: Vec<&str> = table
        .lines()
        .skip(1)
        .map(|row| row.split(',').nth(2).unwrap())
        .collect();
    assert_eq!(states, ["diverged", "finished"], "{table}");
}

/// Runs the program with these arguments in this locale and returns its output on both streams.
fn printed(place: &Place, arguments: &[&str], locale: &str) -> String {
    let output = place.command(arguments).env("LC_ALL", locale).output().unwrap();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn where_the_locale_is_not_utf8_or_ascii_is_wanted_everything_that_is_printed_is_ascii() {
    let place = Place::with(SMALL);
    fs::write(
        place.path("wrong.ron"),
        "(model: Mlp(widths: [8]), learning_rate: 0.1, epochs: 1, lambda_tolerance: 7.0)",
    )
    .unwrap();
    fs::write(place.path("odd.ron"), "(schärfe: 1)").unwrap();
    let cell = "runs/small/cells/000";
    for (arguments, words) in [
        (&["small.ron", "--plain"][..], "lambda_max"),
        (&["resume", "runs/small", "--plain"], "2 cells"),
        (&["lambda", cell], "lambda_max"),
        (&["check", "small.ron"], "2 cells"),
        (&["check", "wrong.ron"], "lambda_tolerance"),
        (&["check", "odd.ron"], "sch?rfe"),
        (&["report", "runs/small"], "report.html"),
        (&["--help"], "Usage"),
        (&["lambda", "--help"], "Relative residual |Hv - lambdav|/|lambda|"),
        (&["lambda", cell, "--tolerance", "λ"], "invalid value"),
        (&["report", "nowhere"], "error:"),
    ] {
        let said = printed(&place, arguments, "C");
        assert!(said.is_ascii() && said.contains(words), "{arguments:?}: {said}");
    }
    // Files on disk do not depend on the locale.
    let report = fs::read_to_string(place.path("runs/small/report.md")).unwrap();
    assert!(report.contains("λ_max"), "{report}");
    for arguments in [
        &["small.ron", "--plain", "--ascii", "--out", "more"][..],
        &["resume", "more/small", "--ascii", "--plain"],
        &["--ascii", "nowhere−.ron", "--plain"],
    ] {
        let said = printed(&place, arguments, "C.UTF-8");
        assert!(said.is_ascii() && !said.is_empty(), "{arguments:?}: {said}");
    }
    assert!(printed(&place, &["lambda", "--help"], "C.UTF-8").contains("‖Hv − λv‖"));
}

#[test]
fn what_goes_into_files_is_the_same_in_every_locale() {
    let place = Place::with(SMALL);
    for arguments in [&["screen"][..], &["man", "lambda"], &["completions", "zsh"]] {
        assert_eq!(
            printed(&place, arguments, "C"),
            printed(&place, arguments, "C.UTF-8"),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_closed_pipe_ends_the_sweep_without_a_panic() {
    let place = Place::with(LONG);
    let mut child = place.command(&["small.ron"]).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    drop(output);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    assert!(!text(&ended.stderr).contains("panicked"), "{}", text(&ended.stderr));
}
