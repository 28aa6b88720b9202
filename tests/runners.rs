//! Tests runners: the real program trains several cells at the same time while its processes are killed.

#![cfg(target_os = "linux")] // The tests find the processes in /proc.
#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

#[path = "alike/cells.rs"]
#[allow(dead_code)] // Other tests use the rest.
mod cells;
#[path = "runners/choice.rs"]
mod choice;
#[path = "runners/deaths.rs"]
mod deaths;
#[path = "runners/orders.rs"]
mod orders;
#[path = "runners/random.rs"]
mod random;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use cells::assert_same_cells;
use rustix::process::{Pid, Signal, kill_process};
use sharptui::event::CellEnding;
use sharptui::record::{RunState, has_checkpoint, read_cells, read_run};

/// The first cell takes seconds, and the others a fraction of that.
const UNEVEN: &str = "(
    name: \"crew\", model: Mlp(widths: [8]), dropout: 0.2, momentum: 0.9, learning_rate: 0.05, batch_size: 20,
    train_examples: 60, test_examples: 40, lambda_every: Steps(5), evaluate_every: Steps(50), probes: [(examples: 20)],
    sweep: (together: [(steps: 4000, seed: 0), (steps: 200, seed: 1), (steps: 200, seed: 2)]),
)";

/// The timeout, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

const EVERY_SECOND: [&str; 2] = ["--checkpoint-every", "1"];

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("crew.ron"), config).unwrap();
        Self { folder }
    }

    fn run_dir(&self) -> PathBuf {
        self.folder.path().join("runs/crew")
    }

    fn cell(&self, cell: usize) -> PathBuf {
        self.run_dir().join(format!("cells/{cell:03}"))
    }

    /// Starts the sweep, or continues it. Each runner has one thread, however many there are.
    fn start(&self, runners: &str, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.env("LC_ALL", "C.UTF-8").env("RAYON_NUM_THREADS", "1");
        if self.run_dir().join("run.json").exists() {
            command.args(["resume", "runs/crew"]);
        } else {
            // An earlier process was killed before the run began.
            let _ = fs::remove_dir_all(self.run_dir());
            command.arg("crew.ron");
        }
        command.args(["--plain", "--device", "flex", "--runners", runners]);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Runs the sweep to its end and returns its output.
    fn finish(&self, runners: &str) -> String {
        finished(self.start(runners, &[]), self)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.run_dir().join("events.jsonl")).unwrap_or_default()
    }

    fn wait_for_log(&self, words: &str) {
        wait_for(words, || self.log().contains(words));
    }

    /// Returns how a cell ended, according to its folder.
    fn ending(&self, cell: usize) -> Option<CellEnding> {
        let cells = read_cells(&self.run_dir()).unwrap_or_default();
        let found = cells.into_iter().find(|found| found.cell == cell)?;
        found.ended.map(|ended| ended.ending)
    }

    fn wait_for_end(&self, cell: usize) {
        wait_for("the end of a cell", || self.ending(cell).is_some());
    }

    /// Waits until a runner trains this cell, and returns its process ID.
    fn runner_of(&self, cell: usize, sweep: &Child) -> Pid {
        let metrics = self.cell(cell).join("metrics.jsonl").canonicalize();
        let metrics = metrics.unwrap_or_else(|_| self.cell(cell).join("metrics.jsonl"));
        let mut found = None;
        wait_for("a runner of a cell", || {
            found = runners(sweep)
                .into_iter()
                .find(|pid| open_files(*pid).contains(&metrics));
            found.is_some()
        });
        found.unwrap()
    }
}

/// Waits for the end of a sweep that must be complete, and returns its output.
fn finished(sweep: Child, place: &Place) -> String {
    let written = text(sweep.wait_with_output().unwrap());
    assert_eq!(written.1, Some(0), "{}", written.0);
    assert_eq!(
        read_run(&place.run_dir()).unwrap().state,
        RunState::Complete,
        "{}",
        written.0
    );
    written.0
}

/// Returns all output of a process and its exit status.
fn text(output: Output) -> (String, Option<i32>) {
    let written = [output.stdout, output.stderr].concat();
    (String::from_utf8(written).unwrap(), output.status.code())
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "no {what}");
        sleep(Duration::from_millis(2));
    }
}

/// Returns the processes that train for this sweep.
fn runners(sweep: &Child) -> Vec<Pid> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{}/task", sweep.id())) else {
        return Vec::new();
    };
    let children = tasks
        .flatten()
        .map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let pids: Vec<i32> = children
        .flat_map(|pids| {
            pids.split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect::<Vec<_>>()
        })
        .collect();
    let is_runner = |pid: &i32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).nth(1) == Some(b"runner")
    };
    pids.into_iter().filter(is_runner).filter_map(Pid::from_raw).collect()
}

fn open_files(pid: Pid) -> Vec<PathBuf> {
    let files = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero()))
        .into_iter()
        .flatten();
    files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok())
        .collect()
}

/// Returns whether a process is there and not merely waiting to be reaped.
fn lives(pid: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    status
        .rsplit(") ")
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

/// Ends a process with a signal. Rust's own handler takes the first SIGSEGV and leaves the next one to the system.
fn end(pid: Pid, signal: Signal) {
    wait_for("the end of a runner", || {
        kill(pid, signal);
        !lives(pid)
    });
}

fn kill(pid: Pid, signal: Signal) {
    // The process may have ended by itself.
    let _ = kill_process(pid, signal);
}

/// Checks that two runs of the same sweep have the same cells on disk.
fn assert_same(got: &Place, expected: &Place) {
    assert_same_cells(&got.run_dir(), &expected.run_dir());
}
