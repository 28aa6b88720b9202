//! Exports that follow a run. The run changes while the export waits, so these tests do not depend on time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sharptui::export::{self, Ended, Follow, Format, Host, Request};

use crate::events;

/// Copies a run of the fixtures.
pub fn copy(name: &str, to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/runs")
        .join(name);
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        fs::create_dir_all(to.join(&folder)).unwrap();
        for entry in fs::read_dir(from.join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if from.join(&path).is_dir() {
                folders.push(path);
            } else {
                fs::copy(from.join(&path), to.join(&path)).unwrap();
            }
        }
    }
}

fn line(step: u64, loss: f64, more: &str) -> String {
    format!("{{\"step\":{step},\"epoch\":{step}.0,\"seconds\":{step}.125,\"train_loss\":{loss}{more}}}\n")
}

/// A run whose first cell is in training.
struct Going {
    folder: tempfile::TempDir,
}

impl Going {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let going = Self { folder };
        copy("finished", &going.run());
        fs::remove_dir_all(going.run().join("cells")).unwrap();
        going.set_state("running");
        going
    }

    fn run(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn set_state(&self, state: &str) {
        let path = self.run().join("run.json");
        let mut info: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        info["state"] = state.into();
        fs::write(&path, info.to_string()).unwrap();
    }

    fn write(&self, cell: &str, lines: &str) {
        let folder = self.run().join("cells").join(cell);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("metrics.jsonl"), lines).unwrap();
    }
}

/// Changes of a run, in their order.
type Steps<'a> = Vec<Box<dyn Fn(&Going) + 'a>>;

/// Changes the run at each wait.
struct Script<'a> {
    going: &'a Going,
    steps: Steps<'a>,
    at: usize,
    notes: Vec<String>,
}

impl Host for Script<'_> {
    fn written(&mut self, _: &Path) {}

    fn note(&mut self, words: &str) {
        self.notes.push(words.to_owned());
    }

    fn wait(&mut self, _: Duration) -> bool {
        if let Some(step) = self.steps.get(self.at) {
            step(self.going);
        }
        self.at += 1;
        self.at <= self.steps.len()
    }
}

fn follow(going: &Going, format: Format, to: &Path, steps: Steps<'_>) -> (Ended, Vec<String>) {
    let run_dir = &going.run();
    let request = Request {
        run_dir,
        format,
        to: Some(to),
        follow: Follow::UntilTheRunEnds,
    };
    let (at, notes) = (0, Vec::new());
    let mut script = Script {
        going,
        steps,
        at,
        notes,
    };
    let ended = export::write(&request, &mut Vec::new(), &mut script).unwrap();
    (ended, script.notes)
}

/// The cells grow, one is cut and measures other values, one measures something new, and the run ends.
fn story<'a>(look: impl Fn(usize) + Clone + 'a) -> Steps<'a> {
    let before: String = (0..3).map(|step| line(step, 0.5, "")).collect();
    let after: String = (0..2).map(|step| line(step, 0.5, "")).collect::<String>()
        + &(2..6).map(|step| line(step, 0.25, "")).collect::<String>();
    let first = before.clone();
    let looks = [look.clone(), look.clone(), look.clone(), look];
    let [begun, grown, cut, new] = looks;
    vec![
        Box::new(move |going: &Going| going.write("000", &first)),
        Box::new(move |going: &Going| {
            begun(0);
            let two = before.clone() + &line(3, 0.5, "");
            going.write("000", &two);
            going.write("001", &line(0, 0.75, ""));
        }),
        Box::new(move |going: &Going| {
            grown(1);
            going.write("000", &after);
        }),
        Box::new(move |going: &Going| {
            cut(2);
            going.write("001", &(line(0, 0.75, "") + &line(1, 0.7, ",\"test_loss\":2.0")));
        }),
        Box::new(move |going: &Going| {
            new(3);
            going.set_state("complete");
        }),
    ]
}

#[test]
fn a_table_keeps_up_with_a_run_that_is_cut_and_measures_something_new() {
    let going = Going::begin();
    let file = going.folder.path().join("table.csv");
    let counts = std::cell::RefCell::new(Vec::new());
    let look = |_| {
        let table = fs::read_to_string(&file).unwrap();
        counts
            .borrow_mut()
            .push((table.lines().count() - 1, table.contains("test_loss")));
    };
    let (ended, notes) = follow(&going, Format::Csv, &file, story(&look));
    assert_eq!(ended, Ended::Complete);
    assert_eq!(
        notes[0],
        format!("cell 0 began anew: {} is written again", file.display())
    );
    assert!(
        notes.len() == 2 && notes[1].contains("cells are unfinished"),
        "{notes:?}"
    );
    assert_eq!(*counts.borrow(), [(3, false), (5, false), (7, false), (8, true)]);
    // As an export afterwards.
    let mut table = Vec::new();
    let request = Request {
        run_dir: &going.run(),
        format: Format::Csv,
        to: None,
        follow: Follow::No,
    };
    let (at, notes, steps) = (0, Vec::new(), Vec::new());
    let going = &going;
    let mut host = Script {
        going,
        steps,
        at,
        notes,
    };
    export::write(&request, &mut table, &mut host).unwrap();
    assert_eq!(fs::read(&file).unwrap(), table);
}

#[test]
fn curves_keep_up_with_a_run_that_is_cut() {
    let going = Going::begin();
    let folder = going.folder.path().join("events");
    let losses = |cell: usize| -> Vec<(u64, f32)> {
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let name = format!("cell {cell:03}");
        let is_own = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(&name);
        let Some(own) = entries.into_iter().find(is_own) else {
            return Vec::new();
        };
        let files = events::files(&own);
        assert_eq!(files.len(), 1, "void points are gone");
        let (curves, _) = events::read(&files[0]);
        let curves = curves.into_iter().filter(|scalar| scalar.tag == "loss/train_loss");
        curves.map(|scalar| (scalar.step, scalar.value)).collect()
    };
    let seen = std::cell::RefCell::new(Vec::new());
    let look = |_| seen.borrow_mut().push((losses(0), losses(1)));
    let (ended, notes) = follow(&going, Format::TensorBoard, &folder, story(&look));
    assert_eq!((ended, notes.len()), (Ended::Complete, 2), "{notes:?}");
    let seen = seen.into_inner();
    assert_eq!(seen[0], (vec![(0, 0.5), (1, 0.5), (2, 0.5)], vec![]));
    assert_eq!((seen[1].0.len(), &seen[1].1), (4, &vec![(0, 0.75)]));
    let cut = [(0, 0.5), (1, 0.5), (2, 0.25), (3, 0.25), (4, 0.25), (5, 0.25)];
    assert_eq!((&seen[2].0[..], seen[2].1.len()), (&cut[..], 1));
    assert_eq!(losses(1), [(0, 0.75), (1, 0.7)]);
}

#[test]
fn who_stops_an_export_keeps_what_was_written() {
    let going = Going::begin();
    going.write("000", &line(0, 0.5, ""));
    let file = going.folder.path().join("table.csv");
    let (ended, _) = follow(&going, Format::Csv, &file, Vec::new());
    assert_eq!(ended, Ended::Stopped);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
}

/// A host that changes the run during its last wait, which asks the export to stop.
struct Last<'a>(&'a Going);

impl Host for Last<'_> {
    fn written(&mut self, _: &Path) {}

    fn note(&mut self, words: &str) {
        panic!("{words}");
    }

    fn wait(&mut self, _: Duration) -> bool {
        self.0
            .write("000", &(0..5).map(|step| line(step, 0.5, "")).collect::<String>());
        false
    }
}

#[test]
fn the_export_of_a_process_that_trains_ends_with_what_came_last() {
    for format in [Format::Csv, Format::TensorBoard] {
        let going = Going::begin();
        // As in a run that is resumed: it had ended, and the file still says so.
        going.set_state("complete");
        let to = going.folder.path().join("out");
        let request = Request {
            run_dir: &going.run(),
            format,
            to: Some(&to),
            follow: Follow::UntilStopped,
        };
        let ended = export::write(&request, &mut Vec::new(), &mut Last(&going)).unwrap();
        assert_eq!(ended, Ended::Complete);
        let last = match format {
            Format::Csv => fs::read_to_string(&to).unwrap().lines().count() as u64 - 2,
            Format::TensorBoard | Format::Parquet => {
                let mut folders = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().path());
                let cell = folders.find(|path| path.is_dir()).unwrap();
                events::read(&events::files(&cell)[0]).0.last().unwrap().step
            }
        };
        assert_eq!(last, 4, "{format:?}");
    }
}
