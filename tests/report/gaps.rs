//! Incomplete runs, and folders that are not runs.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Command;

use sharptui::curve;
use sharptui::event::CellEnding;
use sharptui::report::{self, ReportError};

use crate::bench::{Bench, FINISHED, says};

const SEEDS: &str = "learning_rate: 0.1, sweep: (dropout: [0.0, 0.5], seed: [0, 1, 2])";

#[test]
fn a_run_in_which_nothing_has_finished_says_so() {
    let bench = Bench::new(SEEDS);
    says(
        &bench.report(),
        &[
            "No cell has finished, so there are no findings yet.",
            "6 cells in 2 combinations: 0 compared, 6 left out.",
            "Left out, not started: cells 000, 001, 002, 003, 004, 005.",
            "Started 2026-11-24T10:57:03Z by sharptui 9.8.7 on abacus of desk; running or killed; this report shows \
             what is on disk.",
        ],
    );
}

#[test]
fn whatever_did_not_finish_is_named_with_the_reason() {
    let bench = Bench::new(SEEDS);
    let endings = [
        FINISHED,
        CellEnding::Aborted,
        CellEnding::Diverged,
        CellEnding::Failed("out of memory".to_owned()),
        CellEnding::Interrupted,
    ];
    for (cell, ending) in endings.into_iter().enumerate() {
        bench.end(cell, &(ending, 10.0 + cell as f64, 70.0));
    }
    drop(bench.run.begin_cell(5, &[]).unwrap());
    says(
        &bench.report(),
        &[
            "1 compared, 5 left out.",
            "- Left out, aborted: cell 001.",
            "- Left out, diverged: cell 002.",
            "- Left out, failed: out of memory: cell 003.",
            "- Left out, interrupted: cell 004.",
            "- Left out, unfinished: cell 005.",
            "Dropout: no comparison, because fewer than two of its levels have usable values.",
        ],
    );
}

#[test]
fn torn_lines_missing_files_and_values_that_did_not_converge_are_named() {
    let bench = Bench::ended(SEEDS, |_| (FINISHED, 10.0, 70.0));
    let metrics = bench.cell_path(0).join("metrics.jsonl");
    let mut file = OpenOptions::new().append(true).open(metrics).unwrap();
    file.write_all(b"{\"step\": 30, \"ep").unwrap();
    fs::remove_file(bench.cell_path(1).join("metrics.jsonl")).unwrap();
    let summary = bench.cell_path(2).join("summary.json");
    let words = fs::read_to_string(&summary).unwrap();
    fs::write(
        summary,
        words.replace("\"lambda_converged\": true", "\"lambda_converged\": false"),
    )
    .unwrap();
    let settings = bench.cell_path(3).join("cell.json");
    let words = fs::read_to_string(&settings).unwrap();
    fs::write(
        settings,
        words.replace("\"learning_rate\": \"0.1\"", "\"learning_rate\": \"0.4\""),
    )
    .unwrap();
    fs::remove_file(bench.run.path().join("run.json")).unwrap();
    says(
        &bench.report(),
        &[
            "Not read: cell 000: line 4 of metrics.jsonl is incomplete and was not read.",
            "Not read: cell 001 has no curves: cannot read ",
            "λ_max left out, not converged or not measured after the last step: cell 002.",
            "| 10.000 (not converged) |",
            "Left out, ran with learning_rate 0.4, but the configuration has 0.1: cell 003.",
            "Not read: cannot read ",
        ],
    );
}

#[test]
fn one_cell_is_a_report_without_comparisons() {
    let bench = Bench::ended("learning_rate: 0.1, sweep: (seed: [7])", |_| (FINISHED, 10.0, 70.0));
    says(
        &bench.report(),
        &[
            "Cannot tell whether λ_max and test accuracy are correlated: fewer than two cells have both",
            "The sweep varies nothing but the seed",
            "| 000 | 7 | 10.000 | 70.00 % | 0.5000 | 0.1000 | 95.00 % |",
        ],
    );
    let no_sweep = Bench::new("learning_rate: 0.1");
    no_sweep.end(0, &(FINISHED, 10.0, 70.0));
    says(&no_sweep.report(), &["1 cell in 1 combination: 1 compared."]);
}

#[test]
fn a_folder_that_is_no_run_directory_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = report::write(folder.path(), None, curve::Across::Steps).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with(" is not a run directory: it has no config.ron"),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::write(folder.path().join("config.ron"), "(model: 3)").unwrap();
    assert!(matches!(
        report::write(folder.path(), None, curve::Across::Steps),
        Err(ReportError::Config(_))
    ));
}

#[test]
fn the_program_makes_a_report_of_what_it_ran_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let config = "(model: Mlp(widths: [4]), learning_rate: 0.1, epochs: 1, train_examples: 40, test_examples: 40,
        batch_size: 20, probes: [(examples: 20)], sweep: (dropout: [0.0, 0.5], seed: [0, 1]))";
    fs::write(folder.path().join("tiny.ron"), config).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.env("LC_ALL", "C.UTF-8");
        let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (status, _, errors) = run(&["tiny.ron", "--plain", "--device", "flex"]);
    assert_eq!(status, Some(0), "{errors}");
    let (status, said, errors) = run(&["report", "runs/tiny"]);
    assert_eq!(
        (status, said.as_str()),
        (Some(0), "runs/tiny/report.html\n"),
        "{errors}"
    );
    let (status, said, _) = run(&["report", "runs/tiny", "--out", "elsewhere"]);
    assert_eq!((status, said.as_str()), (Some(0), "elsewhere/report.html\n"));
    let page = fs::read_to_string(folder.path().join("runs/tiny/report.md")).unwrap();
    says(
        &page,
        &["4 cells in 2 combinations: 4 compared.", "held-out, 20 examples"],
    );
    let (status, _, errors) = run(&["report", "runs"]);
    assert_eq!(status, Some(1));
    assert_eq!(errors, "error: runs is not a run directory: it has no config.ron\n");
    fs::write(folder.path().join("runs/tiny/config.ron"), "(model: 3)").unwrap();
    assert_eq!(run(&["report", "runs/tiny"]).0, Some(2));
}

#[test]
fn a_loss_that_is_the_negative_of_nothing_is_zero_in_every_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    // The steps are so large that every example is classified with probability 1.
    let config = "(model: Mlp(widths: []), learning_rate: 10.0, momentum: 0.9, batch_size: Full, steps: 40,
        train_examples: 10, test_examples: 10, loss_limit: 1e30, lambda_every: Steps(10), evaluate_every: Steps(10),
        probes: [(from: Training, examples: Full)])";
    fs::write(folder.path().join("sure.ron"), config).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let lines = run(&["sure.ron", "--plain", "--device", "flex"]);
    says(&lines, &["train loss 0 "]);
    run(&["report", "runs/sure"]);
    let again = run(&["lambda", "runs/sure/cells/000", "--device", "flex"]);
    let files = [
        "cells/000/metrics.jsonl",
        "cells/000/summary.json",
        "summary.csv",
        "events.jsonl",
        "report.md",
        "report.html",
    ];
    let read = |name: &str| fs::read_to_string(folder.path().join("runs/sure").join(name)).unwrap();
    says(&read(files[0]), &["\"train_loss\":0.0"]);
    for text in files.map(read).iter().chain([&lines, &again]) {
        for word in text.split(|letter: char| letter.is_whitespace() || "(),:[]{}|<>\"=".contains(letter)) {
            let unsigned = word.trim_start_matches(['-', '−', '±']);
            assert!(unsigned == word || unsigned.parse() != Ok(0.0), "{word} in {text}");
        }
    }
}
