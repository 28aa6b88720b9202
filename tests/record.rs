//! The run directory: written files read back, and damage is reported.
#![allow(clippy::unwrap_used)] // Clippy allows it in tests, but not in their helpers.

#[path = "record/metrics.rs"]
mod metrics;
#[path = "record/tensors.rs"]
mod tensors;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sharptui::event::{CellEnding, CellSize, LambdaPoint, Point, StopReason, Summary};
use sharptui::record::{self, AlikeCells, CellRow, RecordError, RowState, RunDir, RunInfo, RunState};
use tempfile::TempDir;

fn run() -> (TempDir, RunDir) {
    let parent = tempfile::tempdir().unwrap();
    let run = RunDir::create(parent.path(), "edge").unwrap();
    run.write_config("(name: \"edge\")").unwrap();
    (parent, run)
}

fn point(step: u64) -> Point {
    Point {
        step,
        epoch: 0.5,
        seconds: 0.25,
        values: [("train_loss", 2.5)].into(),
        ..Point::default()
    }
}

fn lambda_point(step: u64) -> Point {
    let lambda = LambdaPoint {
        lambda_max: 39.5,
        lambda_residual: 0.125,
        lambda_converged: true,
        lambda_hvps: 12,
        lambda_rounded_hvps: 0,
        lambda_seconds: 0.5,
        lambda_probe: 1,
        lambda_on: "held-out, 1000 examples".to_owned(),
        lambda_audited: true,
        lambda_corrected_from: Some(30.0),
    };
    Point {
        lambda: Some(lambda),
        ..point(step).with("threshold", 40.0)
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn files_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_name_that_is_taken_gets_a_number_even_in_a_race() {
    let parent = tempfile::tempdir().unwrap();
    let runs = parent.path().join("runs");
    let made: Vec<RunDir> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| RunDir::create(&runs, "größe").unwrap()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let names = ["größe", "größe-2", "größe-3", "größe-4", "größe-5", "größe-6"].map(str::to_owned);
    assert_eq!(files_in(&runs), BTreeSet::from(names));
    assert_eq!(made.iter().map(RunDir::path).collect::<BTreeSet<_>>().len(), 6);
}

#[test]
fn a_name_that_leaves_the_parent_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let long = "x".repeat(201);
    for name in [
        "",
        ".",
        "..",
        "../a",
        "a/b",
        ".hidden",
        "/tmp/a",
        "a\\b",
        "..\\a",
        "a\0",
        "a\n",
        "\u{1b}[31m",
        &long,
    ] {
        let error = RunDir::create(parent.path(), name).unwrap_err();
        assert!(matches!(error, RecordError::Name { .. }), "{name}: {error}");
        assert!(
            error.to_string().len() < 600 && !error.to_string().contains(char::is_control),
            "{error}"
        );
    }
    assert!(files_in(parent.path()).is_empty());
}

#[test]
fn two_writers_never_have_one_run_directory() {
    let (_parent, run) = run();
    let path = run.path().to_owned();
    assert_eq!(run.shortcomings(), [""; 0]);
    let error = RunDir::open(&path).unwrap_err();
    assert!(matches!(error, RecordError::Locked { .. }), "{error}");
    drop(run);
    RunDir::open(&path).unwrap();
}

#[test]
fn a_folder_without_a_config_is_no_run_directory() {
    let folder = tempfile::tempdir().unwrap();
    let error = RunDir::open(folder.path()).unwrap_err();
    assert!(matches!(error, RecordError::NotARun { .. }), "{error}");
    assert!(files_in(folder.path()).is_empty(), "opening left something behind");
}

#[test]
fn config_and_run_read_back_and_leave_nothing_aside() {
    let (_parent, run) = run();
    let size = |parameters| CellSize {
        parameters,
        memory_bytes: 1 << 40,
    };
    let info = |state| RunInfo {
        rounding: 2,
        version: "0.1.0".to_owned(),
        device: "flex (CPU, 2 threads)".to_owned(),
        host: record::host_name(),
        data_dir: None,
        seeds: vec![1, u64::MAX],
        cells: 2,
        started: "2026-11-24T10:57:03Z".to_owned(),
        ended: None,
        state,
        config: String::new(),
        data: Vec::new(),
        sizes: AlikeCells::group(&[size(7), size(7), size(9)]),
        threads: Some(2),
    };
    for state in [
        RunState::Running,
        RunState::Failed("no space \"left\"".to_owned()),
        RunState::Complete,
    ] {
        run.write_run(&info(state.clone())).unwrap();
        assert_eq!(record::read_run(run.path()).unwrap(), info(state));
    }
    let sizes = [0, 1, 2, 3].map(|cell| info(RunState::Complete).size(cell));
    assert_eq!(sizes, [Some(size(7)), Some(size(7)), Some(size(9)), None]);
    let words = fs::read_to_string(run.path().join("run.json")).unwrap();
    assert!(words.contains("\"state\": \"complete\""), "{words}");
    assert!(!words.contains("data_dir"), "{words}");
    let elsewhere = RunInfo {
        data_dir: Some("data sets".into()),
        ..info(RunState::Stopped)
    };
    run.write_run(&elsewhere).unwrap();
    assert_eq!(record::read_run(run.path()).unwrap(), elsewhere);
    assert_eq!(record::read_config(run.path()).unwrap(), "(name: \"edge\")");
    let expected = [".lock", "config.ron", "run.json"].map(str::to_owned);
    assert_eq!(files_in(run.path()), BTreeSet::from(expected));
}

#[test]
fn settings_are_an_object_in_the_order_given() {
    let (_parent, run) = run();
    let settings = [
        pair("seed", "1"),
        pair("activation", "tanh \"ü\""),
        pair("dropout", "0.5"),
    ];
    let cell = run.begin_cell(7, &settings).unwrap();
    assert_eq!(cell.path(), run.path().join("cells/007"));
    let words = fs::read_to_string(cell.path().join("cell.json")).unwrap();
    assert_eq!(
        words,
        "{\n  \"seed\": \"1\",\n  \"activation\": \"tanh \\\"ü\\\"\",\n  \"dropout\": \"0.5\"\n}\n"
    );
    let mut sorted = settings.to_vec();
    sorted.sort();
    assert_eq!(record::read_settings(cell.path()).unwrap(), sorted);
}

#[test]
fn folders_of_cells_have_three_digits_or_more() {
    let (_parent, run) = run();
    for (cell, name) in [(0, "000"), (999, "999"), (1000, "1000")] {
        assert_eq!(run.cell_path(cell), run.path().join("cells").join(name));
    }
}

#[test]
fn a_summary_that_is_no_summary_says_how_to_run_its_cell_again() {
    let (_parent, run) = run();
    let cell = run.begin_cell(0, &[]).unwrap();
    let path = cell.path().join("summary.json");
    for broken in ["", "{\"ending\":", "[]"] {
        fs::write(&path, broken).unwrap();
        let error = record::read_cells(run.path()).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{}: ", path.display()))
                && error.ends_with("; remove the file to run the cell again"),
            "{error}"
        );
    }
}

#[test]
fn beginning_a_cell_anew_keeps_what_was_interrupted() {
    let (_parent, run) = run();
    for attempt in 0..3 {
        let mut cell = run.begin_cell(4, &[]).unwrap();
        assert!(record::read_metrics(cell.path()).unwrap().points.is_empty());
        cell.append(&point(attempt)).unwrap();
    }
    let expected = ["004", "004-old-1", "004-old-2"].map(str::to_owned);
    assert_eq!(files_in(&run.path().join("cells")), BTreeSet::from(expected));
    let old = record::read_metrics(&run.path().join("cells/004-old-2")).unwrap();
    assert_eq!(old.points, [point(1)]);
    assert_eq!(record::read_cells(run.path()).unwrap().len(), 1);
}

#[test]
fn cells_are_listed_in_order_and_interrupted_or_failed_ones_are_unfinished() {
    let (_parent, run) = run();
    assert!(record::read_cells(run.path()).unwrap().is_empty());
    let summary = Summary {
        steps: 100,
        lambda_converged: Some(false),
        values: [
            ("train_loss", 0.5),
            ("train_accuracy", 0.25),
            ("test_loss", 0.75),
            ("test_accuracy", 0.125),
        ]
        .into(),
        ..Summary::default()
    };
    let endings = [
        (1000, Some(CellEnding::Finished(StopReason::TrainLoss)), true),
        (2, Some(CellEnding::Interrupted), false),
        (0, Some(CellEnding::Failed("out of memory".to_owned())), false),
        (1, None, false),
        (10, Some(CellEnding::Diverged), true),
    ];
    for (index, ending, _) in &endings {
        let mut cell = run.begin_cell(*index, &[]).unwrap();
        if let Some(ending) = ending {
            cell.finish(ending, &summary).unwrap();
        }
    }
    let found = record::read_cells(run.path()).unwrap();
    assert_eq!(
        found.iter().map(|found| found.cell).collect::<Vec<_>>(),
        [0, 1, 2, 10, 1000]
    );
    for found in found {
        let (_, ending, finished) = endings.iter().find(|(index, ..)| *index == found.cell).unwrap();
        assert_eq!(found.is_finished(), *finished, "{found:?}");
        assert_eq!(found.ended.as_ref().map(|ended| &ended.ending), ending.as_ref());
        assert!(found.ended.is_none_or(|ended| ended.summary == summary));
    }
}

#[test]
fn the_table_has_one_row_a_cell_and_quotes_what_needs_it() {
    let (_parent, run) = run();
    let done = Summary {
        changed_by_hand: false,
        steps: 500,
        epochs: 2.5,
        seconds: 8.125,
        reached_aim: Some(false),
        lambda_converged: Some(false),
        preconditioned_converged: Some(true),
        lambda_step: Some(100),
        lambda_on: Some("held-out, 1000 examples".to_owned()),
        values: [
            ("train_loss", 1e-12),
            ("train_accuracy", 1.0),
            ("test_loss", f64::NAN),
            ("lambda_max", f64::INFINITY),
            ("lambda_residual", 0.5),
            ("threshold", 40.0),
            ("preconditioned_sharpness", 7.5),
            ("batch_sharpness", 30.0),
            ("batch_sharpness_error", 0.5),
        ]
        .into(),
    };
    let row = |cell, swept: &[(&str, &str)], state, summary: &Summary| CellRow {
        cell,
        swept: swept.iter().map(|(name, value)| pair(name, value)).collect(),
        state,
        summary: summary.clone(),
    };
    let rows = [
        row(
            0,
            &[("model", "mlp(2, 2)"), ("steps", "500")],
            RowState::Ended(CellEnding::Diverged),
            &done,
        ),
        row(
            1,
            &[("model", "a \"b\""), ("steps", "9")],
            RowState::Running,
            &Summary {
                values: [("train_loss", -0.0)].into(),
                ..Summary::default()
            },
        ),
        row(2, &[("dropout", "0.5")], RowState::Queued, &Summary::default()),
    ];
    run.write_table(&rows).unwrap();
    assert_eq!(
        fs::read_to_string(run.path().join("summary.csv")).unwrap(),
        "cell,model,set_steps,dropout,state,reached_aim,changed_by_hand,steps,epochs,train_loss,train_accuracy,test_loss,\
         test_accuracy,lambda_max,lambda_residual,lambda_converged,lambda_step,lambda_on,\
         gradient_norm,preconditioned_sharpness,preconditioned_residual,preconditioned_converged,batch_sharpness,\
         batch_sharpness_error,lambda_product_seconds,seconds\n\
         0,\"mlp(2, 2)\",500,,diverged,false,false,500,2.5,1e-12,1.0,NaN,,inf,0.5,false,100,\"held-out, 1000 examples\",,7.5,,true,30.0,0.5,,8.125\n\
         1,\"a \"\"b\"\"\",9,,running,,false,0,0.0,0.0,,,,,,,,,,,,,,,,0.0\n\
         2,,,0.5,queued,,false,0,0.0,,,,,,,,,,,,,,,,,0.0\n"
    );
    // What only some sweeps measure has columns only where a cell has it.
    run.write_table(&rows[1..]).unwrap();
    let table = fs::read_to_string(run.path().join("summary.csv")).unwrap();
    assert!(table.contains("lambda_residual") && !table.contains("batch_") && !table.contains("preconditioned"));
}

#[test]
fn a_full_disk_is_an_error_and_leaves_the_file_as_it_was() {
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: this system has no /dev/full");
        return;
    }
    let (_parent, run) = run();
    std::os::unix::fs::symlink("/dev/full", run.path().join(".config.ron.new")).unwrap();
    let error = run.write_config("(name: \"new\")").unwrap_err();
    let RecordError::Io {
        operation: "write",
        path,
        source,
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(
        (path.as_path(), source.kind()),
        (&*run.path().join("config.ron"), std::io::ErrorKind::StorageFull)
    );
    assert_eq!(record::read_config(run.path()).unwrap(), "(name: \"edge\")");
    let names = [".lock", "config.ron"].map(str::to_owned);
    assert_eq!(files_in(run.path()), BTreeSet::from(names));
}

#[test]
fn what_the_system_refuses_is_an_error_that_names_the_file() {
    let (parent, run) = run();
    // A folder with the name of the file stands for missing permissions, which do not apply to root.
    fs::create_dir(run.path().join("summary.csv")).unwrap();
    let error = run.write_table(&[]).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot write ") && error.contains("summary.csv"),
        "{error}"
    );
    let error = RunDir::create(&run.path().join("config.ron"), "name")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot use as a folder ") && error.ends_with("config.ron: not a directory"),
        "{error}"
    );
    fs::write(run.path().join("cells"), "").unwrap();
    let error = run.begin_cell(0, &[]).unwrap_err().to_string();
    assert!(error.contains("cells"), "{error}");
    let error = record::read_run(parent.path()).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot read ") && error.contains("run.json"),
        "{error}"
    );
    fs::write(run.path().join("run.json"), "{}").unwrap();
    let error = record::read_run(run.path()).unwrap_err();
    assert!(
        matches!(error, RecordError::Json { .. }) && error.to_string().contains("run.json: missing field"),
        "{error}"
    );
}

#[test]
fn a_lambda_max_that_could_not_be_had_and_the_losses_of_a_diverged_cell_read_back_as_nan() {
    let (_parent, run) = run();
    let summary = Summary {
        steps: 9,
        lambda_converged: Some(false),
        lambda_step: Some(9),
        values: [
            ("train_loss", f64::NAN),
            ("lambda_max", f64::NAN),
            ("lambda_residual", f64::NAN),
        ]
        .into(),
        ..Summary::default()
    };
    let mut cell = run.begin_cell(0, &[]).unwrap();
    cell.finish(&CellEnding::Diverged, &summary).unwrap();
    let read = record::read_summary(&run.cell_path(0)).unwrap().summary;
    for key in ["train_loss", "lambda_max", "lambda_residual"] {
        assert!(read.values.get(key).unwrap().is_nan(), "{key}");
    }

    let never_measured = Summary::default();
    let mut cell = run.begin_cell(1, &[]).unwrap();
    cell.finish(&CellEnding::Aborted, &never_measured).unwrap();
    assert_eq!(record::read_summary(&run.cell_path(1)).unwrap().summary, never_measured);
}
