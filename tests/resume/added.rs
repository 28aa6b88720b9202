//! Tests values that are added to a run that has ended.

use super::*;

const GRID: &str = "(
    name: \"hurt\", model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 20, steps: 3,
    train_examples: 60, test_examples: 40, probes: [(examples: 20)], lambda_every: Ends,
    sweep: (learning_rate: [0.1, 0.2], seed: [0, 1]),
)";

/// Returns the contents of the files of a cell, by name.
fn files(cell: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(cell).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

/// Returns the swept settings of every row of `summary.csv`.
fn rows(place: &Place) -> Vec<String> {
    let text = fs::read_to_string(place.run_dir().join("summary.csv")).unwrap();
    let row = |line: &str| line.split(',').take(3).collect::<Vec<_>>().join(" ");
    text.lines().skip(1).map(row).collect()
}

fn refusal(place: &Place, arguments: &[&str]) -> String {
    let output = place.start(arguments).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn added_values_give_cells_behind_all_others_as_if_the_run_had_begun_with_them() {
    let place = Place::with(GRID);
    place.finish(&[]);
    let before: Vec<_> = (0..4).map(|cell| files(&place.cell(cell))).collect();
    let said = place.finish(&["--add", "learning_rate: [0.3]", "--add", "seed: [7]"]);
    assert!(said.contains("added 5 cells, 004 to 008"), "{said}");
    let after: Vec<_> = (0..4).map(|cell| files(&place.cell(cell))).collect();
    assert!(before == after, "cells that had ended are untouched");
    let expected = [
        "0 0.1 0", "1 0.1 1", "2 0.2 0", "3 0.2 1", "4 0.3 0", "5 0.3 1", "6 0.1 7", "7 0.2 7", "8 0.3 7",
    ];
    assert_eq!(rows(&place), expected);

    // The same cells of a run that began with these values.
    let all = GRID
        .replace("[0.1, 0.2]", "[0.1, 0.2, 0.3]")
        .replace("[0, 1]", "[0, 1, 7]");
    let whole = Place::with(&all);
    whole.finish(&[]);
    for (cell, same) in [(4, 6), (5, 7), (6, 2), (7, 5), (8, 8)] {
        let parameters = |place: &Place, cell| fs::read(place.cell(cell).join("model.safetensors")).unwrap();
        assert!(parameters(&place, cell) == parameters(&whole, same), "cell {cell}");
    }

    // All others see them, and a second resume has nothing to do.
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        let output = command
            .args(arguments)
            .current_dir(place.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["report", "runs/hurt"]);
    let report = fs::read_to_string(place.run_dir().join("report.md")).unwrap();
    assert!(report.contains("0.3"), "{report}");
    run(&["lambda", "runs/hurt/cells/008"]);
    place.finish(&[]);
    assert_eq!(rows(&place), expected);
}

#[test]
fn a_seed_becomes_an_axis_and_what_has_all_its_cells_is_refused() {
    let place = Place::with(&GRID.replace("sweep: (learning_rate: [0.1, 0.2], seed: [0, 1]),", ""));
    place.finish(&[]);
    place.finish(&["--add", "seed: [5, 6]"]);
    let queue = fs::read(place.run_dir().join("queue.json")).unwrap();
    for (add, words) in [
        (
            "seed: [7, 5]",
            "--add: seed[1]: 5 has all its cells already; leave it out",
        ),
        ("seed: [0]", "--add: seed[0]: 0 has all its cells already"),
        (
            "sede: [9]",
            "--add:1:1: sede: there is no setting `sede` here, did you mean `seed`?",
        ),
        ("seed: [9, x]", "--add:1:11: seed[1]: expected a whole number"),
        (
            "learning_rate: [0.3]",
            "--add: learning_rate: `learning_rate` is not an axis of this run, which sweeps nothing",
        ),
        ("seed: []", "--add: seed: is an empty list"),
        ("", "--add: names no values"),
    ] {
        let said = refusal(&place, &["--add", add]);
        assert!(said.contains(words), "{words} is not in: {said}");
    }
    assert!(fs::read(place.run_dir().join("queue.json")).unwrap() == queue);
    assert_eq!(read_cells(&place.run_dir()).unwrap().len(), 3);
}

/// What a kill leaves between the writing of `queue.json` and the start of the first new cell.
#[test]
fn cells_that_were_added_before_a_kill_run_at_the_next_resume() {
    let place = Place::with(GRID);
    place.finish(&[]);
    let added = r#"{"order":[4,5],"added":[{"like":0,"seed":0,"values":"(learning_rate:0.4)"},{"like":4,"seed":9}]}"#;
    fs::write(place.run_dir().join("queue.json"), added).unwrap();
    place.finish(&[]);
    let expected = ["0 0.1 0", "1 0.1 1", "2 0.2 0", "3 0.2 1", "4 0.4 0", "5 0.4 9"];
    assert_eq!(rows(&place), expected);
    // Only the cells that are missing are added.
    place.finish(&["--add", "learning_rate: [0.4], seed: [9]"]);
    let more = ["6 0.4 1", "7 0.1 9", "8 0.2 9"];
    assert_eq!(rows(&place), [&expected[..], &more[..]].concat());

    for (values, words) in [
        ("(learning_rate:-1.0)", "queue.json: added[0]: -1.0 is out of range"),
        ("(sede:1)", "queue.json: added[0]: values is not a list of settings"),
    ] {
        fs::write(
            place.run_dir().join("queue.json"),
            added.replace("(learning_rate:0.4)", values),
        )
        .unwrap();
        let said = refusal(&place, &[]);
        assert!(said.contains(words), "{words} is not in: {said}");
    }
}
