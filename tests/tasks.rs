//! Several processes that train cells of one run directory: each cell has one writer, and the numbers are those of one
//! sweep.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

#[path = "alike/cells.rs"]
mod cells;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use cells::{assert_same_cells, metrics};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::{Pid, Signal, kill_process};
use sharptui::event::CellEnding;
use sharptui::record::{RunState, has_checkpoint, read_cells, read_claims, read_run};

/// Six cells with everything that has state, of about half a second each.
const SIX: &str = "(
    name: \"shared\", model: Cnn(channels: (4, 6)), batch_norm: true, momentum: 0.9, dropout: 0.2,
    learning_rate: 0.05, steps: 20, train_examples: 100, test_examples: 50, batch_size: 30,
    evaluate_every: Steps(3), lambda_every: Steps(4), lambda_max_products: 12, audit_every: 3,
    probes: [(examples: 20)], sweep: (seed: [0, 1, 2, 3, 4, 5]),
)";

/// Two cells that last some seconds.
const LONG: &str = "(
    name: \"shared\", model: Mlp(widths: [8]), dropout: 0.2, momentum: 0.9, learning_rate: 0.05, batch_size: 20,
    steps: 1500, train_examples: 60, test_examples: 40, lambda_every: Steps(50), evaluate_every: Steps(50),
    probes: [(examples: 20)], sweep: (seed: [0, 1]),
)";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Makes the run directory of a configuration, without training.
    fn prepared(config: &str) -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(place.folder.path().join("shared.ron"), config).unwrap();
        let output = place
            .sharptui(&["shared.ron", "--prepare", "--device", "flex"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(output.stdout, b"runs/shared\n");
        assert!(!place.run_dir().join("cells").exists());
        assert_eq!(read_run(&place.run_dir()).unwrap().state, RunState::Stopped);
        place
    }

    fn run_dir(&self) -> PathBuf {
        self.folder.path().join("runs/shared")
    }

    fn cell(&self, cell: usize) -> PathBuf {
        self.run_dir().join(format!("cells/{cell:03}"))
    }

    fn sharptui(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("LC_ALL", "C.UTF-8").env("RAYON_NUM_THREADS", "1");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a task for these cells.
    fn task(&self, cells: &str, arguments: &[&str]) -> Child {
        let mut command = self.sharptui(&["train", "runs/shared", "--device", "flex", "--cells", cells]);
        command.args(arguments).spawn().unwrap()
    }

    fn finish(&self, cells: &str, arguments: &[&str]) -> Output {
        self.task(cells, arguments).wait_with_output().unwrap()
    }

    /// Returns the states in `summary.csv`.
    fn table(&self) -> Vec<String> {
        let table = fs::read_to_string(self.run_dir().join("summary.csv")).unwrap();
        let mut rows = table
            .lines()
            .map(|row| row.split(',').map(str::to_owned).collect::<Vec<_>>());
        let header = rows.next().unwrap();
        let at = header.iter().position(|name| name == "state").unwrap();
        rows.map(|row| row[at].clone()).collect()
    }

    /// Returns the log lines of every task, as text.
    fn logs(&self) -> String {
        let tasks = fs::read_dir(self.run_dir().join("tasks")).unwrap();
        let logs = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("events.jsonl")).unwrap_or_default());
        logs.collect()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_mins(2), "{what} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Checks that two runs of the same sweep have the same cells on disk.
fn assert_same(got: &Place, expected: &Place) {
    assert_same_cells(&got.run_dir(), &expected.run_dir());
}

/// Returns the contents of every file of a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

fn whole(config: &str) -> Place {
    let whole = Place::prepared(config);
    let resumed = whole
        .sharptui(&["resume", "runs/shared", "--plain", "--device", "flex"])
        .output()
        .unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", said(&resumed));
    whole
}

#[test]
fn tasks_with_slices_of_a_run_complete_it_with_the_numbers_of_one_sweep() {
    let (whole, shared) = (whole(SIX), Place::prepared(SIX));
    let first = shared.finish("0-1,3", &[]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    assert!(said(&first).contains("3 of 3 cells to run") || shared.logs().contains("3 of 3 cells to run"));
    assert!(
        said(&first).contains("of 6 cells in runs/shared, 3 were left to other processes"),
        "{}",
        said(&first)
    );
    assert_eq!(read_run(&shared.run_dir()).unwrap().state, RunState::Stopped);
    assert_eq!(
        shared.table(),
        ["finished", "finished", "queued", "finished", "queued", "queued"]
    );
    let (second, third) = (shared.task("2,5", &[]), shared.task("4", &["--runners", "1"]));
    for task in [second, third] {
        let output = task.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    assert_eq!(shared.table(), ["finished"; 6]);
    assert_eq!(read_run(&shared.run_dir()).unwrap().state, RunState::Complete);
    assert_same(&shared, &whole);
    // Cells that have ended are not run again.
    let again = shared.finish("0-5", &[]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert_eq!(shared.logs().matches("\"Begun\"").count(), 6, "{}", shared.logs());
    let report = shared.sharptui(&["report", "runs/shared"]).output().unwrap();
    assert_eq!(report.status.code(), Some(0), "{}", said(&report));
}

#[test]
fn what_is_no_cell_of_the_run_is_refused_as_wrong_usage() {
    let place = Place::prepared(SIX);
    for (cells, words) in [
        ("3-9", "there is no cell 6: the run has the cells 0 to 5"),
        ("x", "such as 3-7,12"),
    ] {
        let output = place.finish(cells, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    let output = place.sharptui(&["train", "runs", "--cells", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("is not a run directory"), "{}", said(&output));
}

/// Waits until a cell has a checkpoint, and returns the process that writes it.
fn writer_of(place: &Place, cell: usize) -> Pid {
    wait_until("the checkpoint", || has_checkpoint(&place.cell(cell)));
    let claims = read_claims(&place.run_dir()).unwrap();
    let claim = claims.into_iter().find(|claim| claim.cell == cell).unwrap();
    Pid::from_raw(i32::try_from(claim.holder.unwrap().pid).unwrap()).unwrap()
}

#[test]
fn a_cell_that_another_process_has_is_skipped_by_tasks_and_by_whole_sweeps() {
    let (whole, shared) = (whole(LONG), Place::prepared(LONG));
    let holder = shared.task("1", &["--checkpoint-every", "0"]);
    let writer = writer_of(&shared, 1);
    let skipped = shared.finish("1", &[]);
    let words = said(&skipped);
    assert_eq!(skipped.status.code(), Some(3), "{words}");
    assert!(
        words.contains(&format!("it is trained by process {}", writer.as_raw_nonzero())),
        "{words}"
    );
    assert!(words.contains("1 cell left to other processes"), "{words}");
    let resumed = shared
        .sharptui(&["resume", "runs/shared", "--plain", "--device", "flex"])
        .output()
        .unwrap();
    assert_eq!(resumed.status.code(), Some(3), "{}", said(&resumed));
    assert!(
        !said(&resumed).contains("an earlier process ended"),
        "{}",
        said(&resumed)
    );
    assert_eq!(shared.table(), ["finished", "running"]);
    let output = holder.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(shared.table(), ["finished"; 2]);
    assert_eq!(read_run(&shared.run_dir()).unwrap().state, RunState::Complete);
    assert_same(&shared, &whole);
}

#[test]
fn a_task_that_is_asked_to_stop_keeps_checkpoints_and_another_goes_on_with_them() {
    let (whole, shared) = (whole(LONG), Place::prepared(LONG));
    let task = shared.task("0", &["--checkpoint-every", "0"]);
    writer_of(&shared, 0);
    kill_process(Pid::from_child(&task), Signal::TERM).unwrap();
    let output = task.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(read_claims(&shared.run_dir()).unwrap().is_empty());
    assert_eq!(shared.table(), ["interrupted", "queued"]);
    let output = shared.finish("0-1", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_same(&shared, &whole);
}

#[test]
fn a_process_that_was_thought_dead_and_wakes_writes_nothing_into_the_cell_of_the_next_one() {
    let whole = whole(LONG);
    // With the cell in a process of its own, and as a thread of the task.
    for runners in ["1", "auto"] {
        let shared = Place::prepared(LONG);
        let old = shared.task("0", &["--checkpoint-every", "0", "--runners", runners]);
        let writer = writer_of(&shared, 0);
        kill_process(writer, Signal::STOP).unwrap();

        let refused = shared.finish("0", &[]);
        assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
        let new = shared.finish("0-1", &["--take-over"]);
        assert_eq!(new.status.code(), Some(0), "{}", said(&new));
        assert_same(&shared, &whole);
        let (before, run) = (
            contents(&shared.cell(0)),
            fs::read(shared.run_dir().join("run.json")).unwrap(),
        );
        let left = metrics(&shared.run_dir().join("cells/000-old-1"));

        kill_process(writer, Signal::CONT).unwrap();
        let output = old.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("it was taken over"), "{}", said(&output));
        assert_eq!(contents(&shared.cell(0)), before);
        assert_eq!(fs::read(shared.run_dir().join("run.json")).unwrap(), run);
        assert_eq!(shared.table(), ["finished"; 2]);
        // What it wrote before it noticed is in its own folder, if anything.
        let after = metrics(&shared.run_dir().join("cells/000-old-1"));
        assert!(after.starts_with(&left));
        assert_same(&shared, &whole);
    }
}

#[test]
fn a_screen_anywhere_follows_tasks_by_their_files() {
    let shared = Place::prepared(LONG);
    let task = shared.task("0-1", &["--runners", "1"]);
    wait_until("a claim", || !read_claims(&shared.run_dir()).unwrap().is_empty());
    let watched = shared.sharptui(&["attach", "runs/shared"]).output().unwrap();
    let words = said(&watched);
    assert_eq!(watched.status.code(), Some(0), "{words}");
    let host = sharptui::record::host_name();
    assert!(
        words.contains(&format!("this run is trained by tasks on {host}")),
        "{words}"
    );
    // The first cell may have ended before the reader began.
    let of_last = |words_of: &str| {
        let mut lines = words.lines();
        lines.any(|line| line.starts_with("cell 1 ") && line.contains(words_of))
    };
    assert!(of_last("λ_max") && of_last("finished"), "{words}");
    assert_eq!(task.wait_with_output().unwrap().status.code(), Some(0));
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// `SHARPTUI_KILLS` sets how many processes are killed, `SHARPTUI_KILL_SEED` the random seed.
#[test]
fn tasks_with_the_same_cells_that_are_killed_at_random_end_with_the_numbers_of_one_sweep() {
    const SLICES: [&str; 3] = ["0-3", "2-5", "0-5"];
    let (kills, seed) = (number("SHARPTUI_KILLS", 25), number("SHARPTUI_KILL_SEED", 1));
    let (whole, shared) = (whole(SIX), Place::prepared(SIX));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let start = |slot: usize| {
        let runners = ["1", "2", "auto"][slot];
        let arguments = ["--checkpoint-every", "0", "--runners", runners];
        shared.task(SLICES[slot], &arguments)
    };
    let mut tasks: Vec<Child> = (0..SLICES.len()).map(start).collect();
    let mut finished = BTreeSet::new();
    for kill in 0..kills {
        std::thread::sleep(Duration::from_millis(rng.random_range(20..500)));
        let slot = rng.random_range(0..tasks.len());
        // A task, or one of its runners.
        let claims = read_claims(&shared.run_dir()).unwrap();
        let mut pids: Vec<u32> = claims
            .iter()
            .filter_map(|claim| Some(claim.holder.as_ref()?.pid))
            .collect();
        pids.push(tasks[slot].id());
        let pid = pids[rng.random_range(0..pids.len())];
        let signal = if rng.random_bool(0.2) {
            Signal::TERM
        } else {
            Signal::KILL
        };
        let _ = kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal);
        for (slot, task) in tasks.iter_mut().enumerate() {
            if task.try_wait().unwrap().is_some() {
                let output = std::mem::replace(task, start(slot)).wait_with_output().unwrap();
                let expected =
                    output.status.signal().is_some() || matches!(output.status.code(), Some(0 | 1 | 3 | 130));
                assert!(
                    expected,
                    "kill {kill} of seed {seed}: {:?}: {}",
                    output.status,
                    said(&output)
                );
            }
        }
        let now: BTreeSet<usize> = read_cells(&shared.run_dir())
            .unwrap()
            .into_iter()
            .filter(|found| {
                let ending = found.ended.as_ref().map(|ended| &ended.ending);
                matches!(ending, Some(CellEnding::Finished(_)))
            })
            .map(|found| found.cell)
            .collect();
        assert!(now.is_superset(&finished), "kill {kill} of seed {seed}");
        finished = now;
    }
    for task in tasks {
        let output = task.wait_with_output().unwrap();
        // The last kill may have hit this task.
        let expected = output.status.signal().is_some() || matches!(output.status.code(), Some(0 | 1 | 3 | 130));
        assert!(expected, "seed {seed}: {}", said(&output));
    }
    // A runner that was killed twice failed its cell, which runs again.
    let output = shared.finish("0-5", &[]);
    assert_eq!(output.status.code(), Some(0), "seed {seed}: {}", said(&output));
    assert_eq!(shared.table(), ["finished"; 6]);
    assert_eq!(read_run(&shared.run_dir()).unwrap().state, RunState::Complete);
    assert_same(&shared, &whole);
}
