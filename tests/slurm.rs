//! Tests with a real Slurm of one node: arrays, preemption, time limits, `scancel`, and tasks that want the same cell.
//!
//! The cluster has its own configuration and is started only where `CI` or `SHARPTUI_SLURM` is set.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // Clippy does not recognize the helpers of these tests as test code.

#[path = "slurm/cluster.rs"]
mod cluster;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use cluster::Cluster;
use sharptui::record::{CellFound, RunState, read_cells, read_metrics, read_run};
use sharptui::submit::sent_jobs;

/// Cells of some seconds each on one thread, in debug builds too.
const CELLS: &str = "(
    name: \"cells\", model: Mlp(widths: [32]), learning_rate: 0.05, batch_size: 50, steps: STEPS,
    train_examples: 500, test_examples: 100, lambda_every: Steps(500), evaluate_every: Steps(500),
    probes: [(examples: 100)], sweep: (seed: [0, 1, 2, 3, 4, 5]),
)";

/// A run on the cluster.
struct Place<'a> {
    cluster: &'a Cluster,
    folder: tempfile::TempDir,
}

impl<'a> Place<'a> {
    fn new(cluster: &'a Cluster, steps: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("cells.ron"),
            CELLS.replace("STEPS", &steps.to_string()),
        )
        .unwrap();
        Self { cluster, folder }
    }

    fn run_dir(&self) -> PathBuf {
        self.folder.path().join("runs/cells")
    }

    fn sharptui(&self, arguments: &[&str]) -> Output {
        let mut command = self.cluster.command(env!("CARGO_BIN_EXE_sharptui"));
        command.args(arguments).current_dir(self.folder.path());
        command.output().unwrap()
    }

    /// Submits the configuration or the run directory, and returns the numbers of the jobs sent by this call.
    fn submit(&self, what: &str, arguments: &[&str]) -> Vec<u64> {
        let before = sent_jobs(&self.run_dir()).len();
        let submit = [
            "submit",
            what,
            "--runners",
            "1",
            "--checkpoint-every",
            "1",
            "--device",
            "flex",
        ];
        let output = self.sharptui(&[&submit, arguments].concat());
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
        let jobs = sent_jobs(&self.run_dir()).into_iter().skip(before);
        jobs.map(|sent| sent.job).collect()
    }

    fn cells(&self) -> Vec<CellFound> {
        read_cells(&self.run_dir()).unwrap_or_default()
    }

    fn ended(&self) -> usize {
        self.cells().iter().filter(|cell| cell.is_finished()).count()
    }

    /// Waits until this many cells have begun, and written something.
    fn wait_for_training(&self, count: usize) {
        let begun = |cell: &CellFound| read_metrics(&cell.path).is_ok_and(|metrics| !metrics.points.is_empty());
        self.cluster.wait_for("training", || {
            self.cells().iter().filter(|cell| begun(cell)).count() >= count
        });
    }

    fn wait_for_the_end(&self, jobs: &[u64]) {
        let tasks = |job: &u64| self.cluster.states(*job).len();
        self.cluster.wait_for("end of all tasks", || {
            for job in jobs {
                self.cluster.hurry(*job);
            }
            jobs.iter().map(tasks).sum::<usize>() == 0
        });
    }

    /// Asserts that every cell has ended, once, with the results of a run without Slurm.
    fn assert_equal_to_an_undisturbed_run(&self) {
        let output = self.sharptui(&[
            "cells.ron",
            "--plain",
            "--runners",
            "1",
            "--device",
            "flex",
            "--out",
            "quiet",
        ]);
        assert!(output.status.success());
        let quiet = read_cells(&self.folder.path().join("quiet/cells")).unwrap();
        let cells = self.cells();
        assert_eq!(cells.len(), quiet.len(), "{}", self.outputs());
        for (cell, expected) in cells.iter().zip(&quiet) {
            assert!(cell.is_finished(), "cell {}: {}", cell.cell, self.outputs());
            let read = |path: &Path| fs::read(path.join("model.safetensors")).unwrap();
            assert_eq!(read(&cell.path), read(&expected.path), "cell {}", cell.cell);
            let steps = |path: &Path| -> Vec<u64> {
                let points = read_metrics(path).unwrap().points;
                points.iter().map(|point| point.step).collect()
            };
            assert_eq!(steps(&cell.path), steps(&expected.path), "cell {}", cell.cell);
        }
        assert_eq!(read_run(&self.run_dir()).unwrap().state, RunState::Complete);
        let table = fs::read_to_string(self.run_dir().join("summary.csv")).unwrap();
        assert_eq!(table.matches("finished").count(), cells.len(), "{table}");
    }

    /// Asserts that a screen which only sees the folder and Slurm says this in the end.
    fn assert_attach_says(&self, words: &str) {
        let mut attach = self.cluster.command(env!("CARGO_BIN_EXE_sharptui"));
        attach.args(["attach", "runs/cells"]).current_dir(self.folder.path());
        let mut attach = attach.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(attach.stdout.take().unwrap()).lines();
        let said: Vec<String> = lines
            .map_while(Result::ok)
            .take_while(|line| !line.contains(words))
            .collect();
        // Its output has ended, or has had the words.
        let ended = attach.try_wait().unwrap();
        let _ = attach.kill();
        attach.wait().unwrap();
        assert!(ended.is_none(), "`{words}` is not in {said:#?}");
    }

    /// Returns what the tasks printed.
    fn outputs(&self) -> String {
        let files = fs::read_dir(self.run_dir().join("slurm")).unwrap().flatten();
        let texts = files.map(|file| fs::read_to_string(file.path()).unwrap_or_default());
        texts.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn slurm_trains_preempts_limits_and_cancels_and_nothing_is_lost() {
    let Some(cluster) = Cluster::start() else { return };
    an_array_larger_than_allowed_is_sent_in_parts(&cluster);
    a_preempted_task_goes_on_from_its_checkpoints(&cluster);
    a_task_that_reaches_its_time_limit_puts_itself_into_the_queue_again(&cluster);
    what_was_cancelled_is_sent_again(&cluster);
    two_tasks_with_the_same_cells_train_each_cell_once(&cluster);
}

fn an_array_larger_than_allowed_is_sent_in_parts(cluster: &Cluster) {
    let place = Place::new(cluster, 100);
    // The cluster takes arrays of three tasks.
    let jobs = place.submit("cells.ron", &["--cells-per-task", "1"]);
    assert_eq!(jobs.len(), 2);
    place.wait_for_the_end(&jobs);
    place.assert_equal_to_an_undisturbed_run();
    let output = place.sharptui(&["submit", "runs/cells"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("every cell has ended"),
        "{said}"
    );
}

fn a_preempted_task_goes_on_from_its_checkpoints(cluster: &Cluster) {
    let place = Place::new(cluster, 4_000);
    let jobs = place.submit("cells.ron", &["--cells-per-task", "3"]);
    place.wait_for_training(2);
    let script = place.folder.path().join("high.sh");
    fs::write(&script, "#!/bin/bash\nsleep 2\n").unwrap();
    let script = script.display().to_string();
    cluster.says("sbatch", &["-p", "high", "-n", "2", "-o", "/dev/null", &script]);
    cluster.wait_for("preemption", || {
        cluster.states(jobs[0]).iter().any(|state| state == "PENDING")
    });
    assert!(place.ended() < 6);
    place.assert_attach_says(&format!(
        "requeued after preemption, a time limit or a lost node: job {}_",
        jobs[0]
    ));
    place.wait_for_the_end(&jobs);
    assert!(
        !place.outputs().contains("stopped immediately"),
        "a preempted task writes checkpoints"
    );
    place.assert_equal_to_an_undisturbed_run();
}

fn a_task_that_reaches_its_time_limit_puts_itself_into_the_queue_again(cluster: &Cluster) {
    let place = Place::new(cluster, 4_000);
    // Slurm sends the warning up to a minute early: here, soon after the beginning.
    let limit = ["--cells-per-task", "6", "--", "--time=1", "--signal=B:USR1@50"];
    let jobs = place.submit("cells.ron", &limit);
    place.wait_for_training(1);
    cluster.wait_for("requeue", || {
        let restarts = cluster.says("scontrol", &["show", "job", &jobs[0].to_string()]);
        restarts.contains("Restarts=1") || place.ended() == 6
    });
    place.wait_for_the_end(&jobs);
    place.assert_equal_to_an_undisturbed_run();
}

fn what_was_cancelled_is_sent_again(cluster: &Cluster) {
    let place = Place::new(cluster, 4_000);
    let jobs = place.submit("cells.ron", &["--cells-per-task", "3"]);
    place.wait_for_training(2);
    cluster.says("scancel", &[&jobs[0].to_string()]);
    cluster.wait_for("end of the job", || cluster.states(jobs[0]).is_empty());
    assert!(place.ended() < 6);
    let jobs = place.submit("runs/cells", &["--cells-per-task", "3"]);
    place.wait_for_the_end(&jobs);
    place.assert_equal_to_an_undisturbed_run();
}

fn two_tasks_with_the_same_cells_train_each_cell_once(cluster: &Cluster) {
    let place = Place::new(cluster, 1_000);
    let first = place.submit("cells.ron", &["--cells-per-task", "6"]);
    let second = place.submit("runs/cells", &["--cells-per-task", "6"]);
    place.wait_for_the_end(&[first, second].concat());
    place.assert_equal_to_an_undisturbed_run();
}
