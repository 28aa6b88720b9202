//! Exports that the process of a sweep keeps up to date while it trains.

use std::fs;
use std::path::Path;

use crate::{Place, events, rows, text};

const KEPT: &str = "(
    model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 50, epochs: 2, train_examples: 100, test_examples: 50,
    lambda_every: Steps(2), probes: [(examples: 30)], export: [TensorBoard, Csv], sweep: (seed: [0, 1]),
)";

/// Returns the event files below a folder with their contents, without the numbers in their names.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries.iter().filter(|path| path.is_dir()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        found.extend(
            events::files(path)
                .iter()
                .map(|file| (name.clone(), fs::read(file).unwrap())),
        );
    }
    found
}

#[test]
fn at_the_end_they_are_those_of_an_export_afterwards_and_one_that_fails_stops_no_training() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.ron"), KEPT).unwrap();
    let place = Place { folder };
    let run = place.path("runs/small");
    let complete = |cells: usize| {
        let table = fs::read_to_string(run.join("measurements.csv")).unwrap();
        assert_eq!(table, place.export(&["--csv"]));
        assert!(rows(&table).iter().any(|row| row["cell"] == (cells - 1).to_string()));
        let other = format!("of-{cells}");
        place.export(&["--tensorboard", "--to", &other]);
        let kept = contents(&run.join("tensorboard"));
        assert_eq!(kept.len(), cells);
        assert!(kept == contents(&place.path(&other)));
    };

    let ran = place.run(&["small.ron", "--plain", "--runners", "2"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    complete(2);

    // A file is in the way of the folder.
    fs::remove_dir_all(run.join("tensorboard")).unwrap();
    fs::write(run.join("tensorboard"), "").unwrap();
    let ran = place.run(&["resume", "runs/small", "--plain", "--add", "seed: [2]"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let said = text(&ran.stdout) + &text(&ran.stderr);
    let log = fs::read_to_string(run.join("events.jsonl")).unwrap();
    for words in [
        "training goes on, and the export is tried again",
        "the export is not complete",
    ] {
        assert!(said.contains(words), "{said}");
        assert!(log.contains(words), "{log}");
    }
    let table = fs::read_to_string(run.join("measurements.csv")).unwrap();
    assert_eq!(table, place.export(&["--csv"]), "the other export went on");

    fs::remove_file(run.join("tensorboard")).unwrap();
    let ran = place.run(&["resume", "runs/small", "--plain", "--add", "seed: [3]"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    complete(4);
}
