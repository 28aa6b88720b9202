//! Tests that a sweep that is repeatedly interrupted ends with the same results, bit for bit.

#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

#[path = "resume/added.rs"]
mod added;
#[path = "alike/cells.rs"]
#[allow(dead_code)] // Other tests use the rest.
mod cells;
#[path = "resume/changed.rs"]
mod changed;
#[path = "resume/damaged.rs"]
mod damaged;
#[path = "resume/faults.rs"]
mod faults;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cells::assert_same_cells;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::{Pid, Signal, kill_process};
use sharptui::event::CellEnding;
use sharptui::record::{RunState, has_checkpoint, read_cells, read_metrics, read_run};

/// A sweep with everything that has state: random order, dropout, optimizers, batch norm, SAM, augmentation, warm starts.
const EVERYTHING: &str = "(
    name: \"hurt\", model: Cnn(channels: (4, 6)), batch_norm: true, statistics_group: 50, weight_decay: 0.001,
    learning_rate: 0.05, steps: 30, train_examples: 100, test_examples: 50,
    evaluate_every: Steps(3), lambda_every: Steps(4), lambda_max_products: 12, audit_every: 3,
    probes: [(examples: 20), (from: Training, examples: 30)],
    sweep: (together: [
        (optimizer: Sgd, momentum: 0.9, dropout: 0.3, rho: 0.0, augment: CropAndFlip(pad: 2), batch_size: 30),
        (optimizer: Nesterov, momentum: 0.9, dropout: 0.2, rho: 0.1, augment: Off, batch_size: 40),
        (optimizer: Sgd, momentum: 0.9, dropout: 0.0, rho: 0.05, augment: CropAndFlip(pad: 1), batch_size: Full),
        (optimizer: RmsProp(), momentum: 0.5, dropout: 0.0, rho: 0.05, augment: Off, batch_size: 40),
        (optimizer: Adam(), momentum: 0.0, dropout: 0.2, rho: 0.0, augment: Off, batch_size: Full),
    ]),
)";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("hurt.ron"), config).unwrap();
        Self { folder }
    }

    fn run_dir(&self) -> PathBuf {
        self.folder.path().join("runs/hurt")
    }

    /// Starts the sweep, or continues it.
    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        command.env("LC_ALL", "C.UTF-8");
        if self.run_dir().join("run.json").exists() {
            command.args(["resume", "runs/hurt"]);
        } else {
            // An earlier process was killed before the run began.
            let _ = fs::remove_dir_all(self.run_dir());
            command.arg("hurt.ron");
        }
        command.args(["--plain", "--device", "flex"]).args(arguments);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Runs the sweep to its end and returns its output.
    fn finish(&self, arguments: &[&str]) -> String {
        let output = self.start(arguments).wait_with_output().unwrap();
        let written = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(0), "{written}");
        assert_eq!(read_run(&self.run_dir()).unwrap().state, RunState::Complete);
        written
    }

    fn cell(&self, cell: usize) -> PathBuf {
        self.run_dir().join(format!("cells/{cell:03}"))
    }
}

/// Checks that two runs of the same sweep have the same cells on disk.
fn assert_same(got: &Place, expected: &Place) {
    assert_same_cells(&got.run_dir(), &expected.run_dir());
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Kills and stops a sweep at random moments until it is complete. `SHARPTUI_KILLS` sets how often,
/// `SHARPTUI_KILL_SEED` the random seed.
#[test]
fn a_sweep_killed_at_random_moments_ends_with_the_same_numbers() {
    let (kills, seed) = (number("SHARPTUI_KILLS", 25), number("SHARPTUI_KILL_SEED", 1));
    let whole = Place::with(EVERYTHING);
    let started = std::time::Instant::now();
    whole.finish(&[]);
    let lasts = started.elapsed();
    let hurt = Place::with(EVERYTHING);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut finished = BTreeSet::new();
    for kill in 0..kills {
        let mut child = hurt.start(&["--checkpoint-every", "0"]);
        // Most interruptions happen during training, some during the start.
        std::thread::sleep(lasts.mul_f64(rng.random::<f64>() * 0.4) + Duration::from_millis(20));
        let signal = if rng.random_bool(0.2) {
            Signal::TERM
        } else {
            Signal::KILL
        };
        let ended_before = child.try_wait().unwrap().is_some();
        if !ended_before {
            kill_process(Pid::from_child(&child), signal).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        let stopped = output.status.signal().is_some() || matches!(output.status.code(), Some(0 | 130));
        assert!(stopped, "kill {kill} of seed {seed}: {:?}: {words}", output.status);
        if !hurt.run_dir().join("cells").exists() {
            continue;
        }
        // Finished cells stay finished.
        let now: BTreeSet<usize> = read_cells(&hurt.run_dir())
            .unwrap()
            .into_iter()
            .filter(|found| {
                found
                    .ended
                    .as_ref()
                    .is_some_and(|e| matches!(e.ending, CellEnding::Finished(_)))
            })
            .map(|found| found.cell)
            .collect();
        assert!(now.is_superset(&finished), "kill {kill} of seed {seed}");
        finished = now;
    }
    hurt.finish(&[]);
    assert_same(&hurt, &whole);
}
