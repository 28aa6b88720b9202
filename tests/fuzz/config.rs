//! Configs: any file content gives either a sweep that can be written back, or an error with its place.

use std::fs;
use std::path::Path;

use sharptui::config::{Experiment, MAX_CELLS};
use sharptui::tui::Preferences;

use crate::campaign::{Target, run};

/// A sweep of the largest allowed number of cells takes about 10 MB, and a list of a million numbers takes as much.
const MOST_MEMORY_BYTES: u64 = 128 << 20;

/// Returns the texts of the shipped configs and of the test configs.
fn seeds() -> Vec<Vec<u8>> {
    let folders = ["configs", "tests/configs/valid", "tests/configs/invalid"];
    let mut paths: Vec<_> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn no_preferences_make_their_reader_panic_or_take_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("screen.ron");
    let target = Target {
        name: "screen",
        place: "screen.ron",
        most_memory_bytes: MOST_MEMORY_BYTES,
        seeds: vec![Preferences::template().into_bytes()],
    };
    run(&target, |input| {
        fs::write(&path, input).unwrap();
        Preferences::load(&path).map(drop).map_err(|error| error.to_string())
    });
}

#[test]
fn no_config_makes_its_reader_panic_or_take_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fuzzed.ron");
    let target = Target {
        name: "config",
        place: "fuzzed.ron",
        most_memory_bytes: MOST_MEMORY_BYTES,
        seeds: seeds(),
    };
    run(&target, |input| {
        fs::write(&path, input).unwrap();
        let experiment = Experiment::load(&path).map_err(|error| error.to_string())?;
        assert!((1..=MAX_CELLS).contains(&experiment.cells.len()));
        assert_stays_inside(&experiment.name);
        // Large sweeps take long to write and use the same code as small ones.
        if experiment.cells.len() <= 100 {
            let written = experiment.to_ron().unwrap();
            let again = Experiment::parse(&written, &path).unwrap_or_else(|error| panic!("{error}\n{written}"));
            assert_eq!(again, experiment);
        }
        Ok(())
    });
}

/// Asserts that the folder of a run is directly inside its parent.
fn assert_stays_inside(name: &str) {
    let path = Path::new("runs").join(name);
    assert_eq!(path.parent(), Some(Path::new("runs")), "{name}");
    assert_eq!(path.file_name().and_then(|name| name.to_str()), Some(name));
    assert!(
        !name.starts_with('.') && name.len() <= 255 && !name.contains(char::is_control),
        "{name}"
    );
}
