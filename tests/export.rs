//! Tests of the export: CSV and event files against the metrics on disk, and exports that follow a run.

#![allow(clippy::unwrap_used)] // Clippy does not recognize helpers as test code.

#[path = "export/events.rs"]
mod events;
#[path = "export/follow.rs"]
mod follow;
#[path = "export/kept.rs"]
mod kept;
#[cfg(feature = "parquet")]
#[path = "export/parquet.rs"]
mod parquet;
#[path = "export/read_again.rs"]
mod read_again;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sharptui::event::Point;
use sharptui::record::{cell_path, read_metrics};

/// A sweep that takes a second, with two probes and a gauge.
const SMALL: &str = "(
    model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 50, epochs: 2,
    train_examples: 100, test_examples: 50, gauges: [BatchSharpness()],
    lambda_every: Steps(2), probes: [(examples: 30), (from: Training, examples: 20)],
    sweep: (learning_rate: [0.05, 0.2]),
)";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Returns a folder in which the small sweep has run.
    fn with_run() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("small.ron"), SMALL).unwrap();
        let place = Self { folder };
        let ran = place.run(&["small.ron", "--plain", "--runners", "1"]);
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.env("LC_ALL", "C.UTF-8").args(arguments);
        command.current_dir(self.folder.path()).output().unwrap()
    }

    /// Exports, and returns what was printed.
    fn export(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["export", "runs/small"], arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Exports in vain, and returns the exit status and the message.
    fn refused(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(&[&["export"], arguments].concat());
        (output.status.code(), text(&output.stderr))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns the rows of a table by the names of its columns. No field of these tables has a line break; those of `lambda_on`
/// have commas.
fn rows(table: &str) -> Vec<BTreeMap<String, String>> {
    let split = |line: &str| -> Vec<String> {
        let quoted = line.split('"').enumerate();
        let safe = quoted.map(|(at, part)| {
            if at % 2 == 1 {
                part.replace(',', ";")
            } else {
                part.to_owned()
            }
        });
        safe.collect::<String>().split(',').map(str::to_owned).collect()
    };
    let mut lines = table.lines();
    let names = split(lines.next().unwrap());
    lines
        .map(|line| {
            let fields = split(line);
            assert_eq!(fields.len(), names.len(), "{line}");
            names.iter().cloned().zip(fields).collect()
        })
        .collect()
}

fn points(run: &Path, cell: usize) -> Vec<Point> {
    read_metrics(&cell_path(run, cell)).unwrap().points
}

#[test]
fn rows_and_curves_have_the_numbers_of_the_metrics() {
    let place = Place::with_run();
    let run = place.path("runs/small");
    let table = place.export(&["--csv"]);
    let rows = rows(&table);
    let measured: Vec<(usize, Point)> = (0..2)
        .flat_map(|cell| points(&run, cell).into_iter().map(move |point| (cell, point)))
        .collect();
    assert!(measured.len() >= 8 && rows.len() == measured.len());
    for (row, (cell, point)) in rows.iter().zip(&measured) {
        let number = |name: &str| row[name].parse::<f64>().ok();
        assert_eq!(
            (row["run"].as_str(), row["cell"].as_str()),
            ("small", cell.to_string().as_str())
        );
        assert_eq!(row["step"], point.step.to_string());
        assert_eq!(
            (number("epoch"), number("seconds")),
            (Some(point.epoch), Some(point.seconds))
        );
        assert_eq!(row["set_learning_rate"], ["0.05", "0.2"][*cell]);
        for key in [
            "train_loss",
            "test_accuracy",
            "threshold",
            "batch_sharpness",
            "batch_sharpness_error",
        ] {
            assert_eq!(number(key), point.values.get(key), "{key}");
        }
        let lambda = point.lambda.as_ref().unwrap();
        assert_eq!(row["probe"], lambda.lambda_probe.to_string());
        assert_eq!(row["lambda_on"].replace(';', ","), lambda.lambda_on);
        assert_eq!(number("lambda_max"), Some(lambda.lambda_max));
        assert_eq!(number("lambda_residual"), Some(lambda.lambda_residual));
        assert_eq!(row["lambda_converged"], lambda.lambda_converged.to_string());
        assert!(
            row["timestamp"].ends_with('Z') && row["timestamp"].len() == 24,
            "{row:?}"
        );
    }
    // The second cell ran after the first.
    assert!(rows.windows(2).all(|pair| pair[0]["timestamp"] <= pair[1]["timestamp"]));
    for absent in ["trace", "eigenvalue_2", "preconditioned_sharpness"] {
        assert!(!rows[0].contains_key(absent), "{absent}");
    }
    assert_eq!(place.export(&["--csv", "--to", "table.csv"]), "table.csv\n");
    assert_eq!(fs::read_to_string(place.path("table.csv")).unwrap(), table);

    assert_eq!(place.export(&["--tensorboard"]), "runs/small/tensorboard\n");
    let folder = run.join("tensorboard");
    for cell in 0..2 {
        let name = ["cell 000 learning_rate=0.05", "cell 001 learning_rate=0.2"][cell];
        let (curves, others) = events::read(&events::files(&folder.join(name))[0]);
        assert_eq!(others, ["_hparams_/session_start_info", "_hparams_/session_end_info"]);
        let of = |tag: &str| -> Vec<(u64, f32)> {
            let found = curves.iter().filter(|scalar| scalar.tag == tag);
            found.map(|scalar| (scalar.step, scalar.value)).collect()
        };
        let expected = |probe: usize, value: fn(&Point) -> Option<f64>| -> Vec<(u64, f32)> {
            let on = points(&run, cell).into_iter();
            let on = on.filter(|point| point.lambda.as_ref().unwrap().lambda_probe == probe);
            on.filter_map(|point| Some((point.step, value(&point)? as f32)))
                .collect()
        };
        for probe in 0..2 {
            let lambda = expected(probe, |point| Some(point.lambda.as_ref()?.lambda_max));
            assert_eq!(of(&format!("lambda/lambda_max/probe_{probe}")), lambda);
            let residual = expected(probe, |point| Some(point.lambda.as_ref()?.lambda_residual));
            assert_eq!(of(&format!("lambda/lambda_residual/probe_{probe}")), residual);
        }
        let last = points(&run, cell).last().unwrap().clone();
        assert_eq!(
            of("final/lambda_max/probe_1"),
            [(last.step, last.lambda.unwrap().lambda_max as f32)]
        );
        assert_eq!(of("loss/test_loss"), expected(0, |point| point.values.get("test_loss")));
        assert_eq!(
            of("lambda/threshold"),
            expected(0, |point| point.values.get("threshold"))
        );
    }
    let (_, sweep) = events::read(&events::files(&folder)[0]);
    assert_eq!(sweep, ["_hparams_/experiment"]);
    read_back(&place, &measured);
}

/// Reads both exports with pandas and tensorboard, if a Python has them.
fn read_back(place: &Place, measured: &[(usize, Point)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pythons = [root.join(".venv/bin/python"), PathBuf::from("python3")];
    let has_both = |python: &&PathBuf| {
        let tried = Command::new(python).args(["-c", "import pandas, tensorboard"]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let Some(python) = pythons.iter().find(has_both) else {
        eprintln!("skipped: no Python with pandas and tensorboard");
        return;
    };
    let script = root.join("tests/export/read_back.py");
    let output = Command::new(python)
        .arg(script)
        .args([place.path("table.csv"), place.path("runs/small/tensorboard")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let lambda: Vec<f64> = measured
        .iter()
        .map(|(_, point)| point.lambda.as_ref().unwrap().lambda_max)
        .collect();
    assert_eq!(found["lambda_max"], serde_json::json!(lambda));
    let cell = &found["cells"]["cell 001 learning_rate=0.2"];
    assert_eq!(cell["settings"], serde_json::json!({"learning_rate": 0.2}));
    assert_eq!(cell["status"], 1, "STATUS_SUCCESS");
    let curve = cell["scalars"]["lambda/lambda_max/probe_0"].as_array().unwrap();
    let of_cell = measured.iter().filter(|(cell, _)| *cell == 1).map(|(_, point)| point);
    let own: Vec<&Point> = of_cell
        .filter(|point| point.lambda.as_ref().unwrap().lambda_probe == 0)
        .collect();
    assert_eq!(curve.len(), own.len());
    for (scalar, point) in curve.iter().zip(own) {
        assert_eq!(scalar[0], point.step);
        assert_eq!(
            scalar[1].as_f64().map(|value| value as f32),
            point.lambda.as_ref().map(|lambda| lambda.lambda_max as f32)
        );
    }
    assert_eq!(found["settings"], serde_json::json!(["learning_rate"]));
    let metrics = found["metrics"].as_array().unwrap();
    assert!(metrics.contains(&"final/test_accuracy".into()) && metrics.contains(&"final/lambda_max/probe_1".into()));
}

#[test]
fn a_second_export_replaces_its_own_files_only_and_never_those_of_another_run() {
    let place = Place::with_run();
    place.export(&["--tensorboard", "--to", "events"]);
    let cell = place.path("events/cell 000 learning_rate=0.05");
    let first = events::files(&cell);
    let others = [
        place.path("events/events.out.tfevents.0000000001.host.7.0"),
        cell.join("events.out.tfevents.1700000000.host.sharptui"),
        cell.join("notes.txt"),
    ];
    for other in &others {
        fs::write(other, "theirs").unwrap();
    }
    place.export(&["--tensorboard", "--to", "events"]);
    for other in &others {
        assert_eq!(fs::read_to_string(other).unwrap(), "theirs");
    }
    let mut second = events::files(&cell);
    second.retain(|file| !others.contains(file));
    assert_eq!((first.len(), second.len()), (1, 1));
    // Under another name, so that a TensorBoard that reads the first does not take it for grown.
    assert_ne!(first, second);
    assert_eq!(events::read(&second[0]).0.first().unwrap().step, 0);

    let run = place.path("runs/small/run.json");
    let info = fs::read_to_string(&run).unwrap();
    fs::write(&run, info.replacen("\"started\": \"2", "\"started\": \"3", 1)).unwrap();
    let (status, said) = place.refused(&["runs/small", "--tensorboard", "--to", "events"]);
    assert_eq!(status, Some(1));
    assert!(
        said.contains("events has the export of another run, small of 2"),
        "{said}"
    );
    assert!(second[0].exists());
}

#[test]
fn what_cannot_be_exported_is_said_in_one_line() {
    let place = Place {
        folder: tempfile::tempdir().unwrap(),
    };
    let run = place.path("run");
    follow::copy("finished", &run);
    for (arguments, status, words) in [
        (&["run"][..], 2, "--tensorboard|--csv|--parquet"),
        (&["run", "--parquet", "--follow"], 2, "leave out --follow"),
        #[cfg(not(feature = "parquet"))]
        (
            &["run", "--parquet"],
            1,
            "built without Parquet; `cargo install --path . --features parquet`",
        ),
        (&["run", "--csv", "--tensorboard"], 2, "cannot be used with"),
        (
            &["absent", "--csv"],
            1,
            "absent is not a run directory: it has no config.ron",
        ),
        (&["run", "--csv", "--follow"], 2, "--csv --follow needs --to FILE"),
        (
            &["run", "--csv", "--to", "absent/x.csv"],
            1,
            "cannot write absent/x.csv",
        ),
        (&["run", "--csv", "--to", "run"], 1, "cannot write run: is a directory"),
        (&["run", "--tensorboard", "--to", "run/config.ron"], 1, "run/config.ron"),
    ] {
        let (code, said) = place.refused(arguments);
        assert_eq!(code, Some(status), "{arguments:?}: {said}");
        assert!(
            said.starts_with("error: ") && said.contains(words),
            "{arguments:?}: {said}"
        );
    }
    fs::write(run.join("cells/001/metrics.jsonl"), "{\"step\":0}\n").unwrap();
    let (code, said) = place.refused(&["run", "--csv"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("metrics.jsonl, line 1") && said.contains("remove the line"),
        "{said}"
    );
    fs::remove_file(run.join("cells/001/metrics.jsonl")).unwrap();
    let output = place.run(&["export", "run", "--csv"]);
    assert_eq!(text(&output.stderr), "note: cell 1 has no measurements\n");
    fs::remove_dir_all(run.join("cells")).unwrap();
    for format in ["--csv", "--tensorboard"] {
        let (code, said) = place.refused(&["run", format]);
        assert_eq!(code, Some(1));
        assert_eq!(said, "error: run has no measurements yet; --follow waits for them\n");
    }
    let left: Vec<_> = fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(left, [run], "no half-written file is left");
}
