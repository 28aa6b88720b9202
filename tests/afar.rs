//! A run whose tasks are elsewhere, seen and steered through its files: what Slurm says (played by scripts), and commands.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use rustix::process::{Pid, Signal, kill_process};
use sharptui::event::{Activity, CellEnding, Cells, Command as Asked, Event};
use sharptui::live::Post;
use sharptui::record::{cell_path, read_claims, read_summary};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(2);

const CELLS: &str = "(
    name: \"afar\", model: Mlp(widths: [8]), learning_rate: 0.05, batch_size: 20, steps: STEPS,
    train_examples: 60, test_examples: 40, lambda_every: Steps(200), evaluate_every: Steps(200),
    probes: [(examples: 20)], sweep: (seed: [0, 1, 2, 3, 4]),
)";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Makes a run directory, without training.
    fn prepared(steps: u64) -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let config = CELLS.replace("STEPS", &steps.to_string());
        fs::write(place.folder.path().join("afar.ron"), config).unwrap();
        fs::create_dir(place.folder.path().join("bin")).unwrap();
        let prepared = place
            .sharptui(&["afar.ron", "--prepare", "--device", "flex"])
            .output()
            .unwrap();
        assert!(
            prepared.status.success(),
            "{}",
            String::from_utf8_lossy(&prepared.stderr)
        );
        place
    }

    fn run_dir(&self) -> PathBuf {
        self.folder.path().join("runs/afar")
    }

    /// Writes a program that is found before all others.
    fn program(&self, name: &str, script: &str) {
        let path = self.folder.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn sharptui(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharptui"));
        let path = std::env::var("PATH").unwrap();
        command.args(arguments).current_dir(self.folder.path());
        command.env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()));
        command.env("LC_ALL", "C.UTF-8").env("RAYON_NUM_THREADS", "1");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Writes the claim of a process on another host, which is task 1 of job 17.
    fn foreign_claim(&self, cell: usize) {
        fs::create_dir_all(self.run_dir().join("claims")).unwrap();
        let claim = r#"{"host":"node7","boot":"another","pid":42,"device":"flex (CPU)","token":"x","since":"",
            "job":{"id":"18","task":"17_1","restarts":0}}"#;
        fs::write(self.run_dir().join(format!("claims/{cell:03}-1.json")), claim).unwrap();
    }

    /// Attaches without a screen until every text was printed, and returns the lines.
    fn watch_until(&self, texts: &[&str]) -> Vec<String> {
        let mut child = self.sharptui(&["attach", "runs/afar"]).spawn().unwrap();
        let since = Instant::now();
        let mut lines = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            lines.push(line.unwrap());
            let is_there = |text: &&str| lines.iter().any(|line| line.contains(*text));
            if texts.iter().all(is_there) {
                break;
            }
            assert!(since.elapsed() < PATIENCE, "{texts:?} is not in {lines:#?}");
        }
        let is_there = |text: &&str| lines.iter().any(|line| line.contains(*text));
        assert!(texts.iter().all(is_there), "{texts:?} is not in {lines:#?}");
        stop(&mut child);
        lines
    }
}

fn stop(child: &mut Child) {
    kill_process(Pid::from_child(child), Signal::TERM).unwrap();
    child.wait().unwrap();
}

#[test]
fn attach_says_of_each_cell_how_its_task_stands_in_slurm() {
    let place = Place::prepared(10);
    fs::create_dir(place.run_dir().join("slurm")).unwrap();
    let jobs = r#"{"job":17,"slices":["0","1","2","3","4"]}"#;
    fs::write(place.run_dir().join("slurm/jobs.jsonl"), format!("{jobs}\nno line\n")).unwrap();
    place.foreign_claim(1);
    place.program(
        "squeue",
        "echo \"$@\" >> asked
        echo '17_0|PENDING|Resources|0||'
        echo '17_1|PENDING|BeginTime|1||'
        echo '17_2|NODE_FAIL|None|0|node8|'
        echo '17_3|RUNNING|None|0|node9|'
        echo '17_4|PENDING|Priority|2||'
        # What is started in the background keeps the pipe open.
        sleep 10 > /dev/null 2> /dev/null &",
    );
    place.program("sacct", "echo '17_4|PREEMPTED'; echo '17_4|PENDING'");
    let lines = place.watch_until(&[
        "cell 0 seed=0 · pending in Slurm: job 17_0 (Resources)",
        "cell 1 seed=1 · requeued after preemption, a time limit or a lost node: job 17_1 is pending (BeginTime)",
        "cell 2 seed=2 · node lost: job 17_2 has ended",
        "cell 4 seed=4 · preempted: job 17_4 is pending again (Priority)",
    ]);
    // It has not got to this cell yet.
    assert!(!lines.iter().any(|line| line.starts_with("cell 3")), "{lines:#?}");
    let asked = fs::read_to_string(place.folder.path().join("asked")).unwrap();
    assert_eq!(asked.lines().count(), 1, "Slurm is asked sparingly: {asked}");
    assert!(asked.contains("--jobs=17 "), "{asked}");
}

#[test]
fn where_slurm_cannot_be_asked_that_is_said_once() {
    let place = Place::prepared(10);
    place.foreign_claim(0);
    place.program("squeue", "echo 'the controller is away' >&2; exit 1");
    let said = "Slurm was not asked which tasks wait and run: `squeue` failed: the controller is away";
    let lines = place.watch_until(&["trained by tasks on node7", said]);
    assert_eq!(lines.iter().filter(|line| line.contains(said)).count(), 1);
}

/// Waits for an event.
fn wait_for(events: &Receiver<Event>, is_it: impl Fn(&Event) -> bool) {
    let since = Instant::now();
    let mut others = Vec::new();
    while since.elapsed() < PATIENCE {
        match events.recv_timeout(PATIENCE) {
            Ok(event) if is_it(&event) => return,
            Ok(event) => others.push(event),
            Err(_) => break,
        }
    }
    panic!("it never came; others: {others:#?}");
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "{what} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn commands_by_files_reach_the_task_that_has_the_cell_and_are_answered() {
    let place = Place::prepared(60_000);
    let arguments = [
        "train",
        "runs/afar",
        "--device",
        "flex",
        "--cells",
        "0-1",
        "--runners",
        "1",
    ];
    let mut task = place.sharptui(&arguments).spawn().unwrap();
    let has_begun = |cell| {
        let metrics = fs::metadata(cell_path(&place.run_dir(), cell).join("metrics.jsonl"));
        metrics.is_ok_and(|metrics| metrics.len() > 0)
    };
    wait_until("the first cell", || has_begun(0));
    assert!(
        read_claims(&place.run_dir()).unwrap()[0]
            .holder
            .as_ref()
            .unwrap()
            .parent
            .is_some()
    );

    let (post, events) = Post::open(&place.run_dir()).unwrap();
    let task_name = format!("task {}-{}", sharptui::record::host_name(), task.id());
    let took = |what: &str| format!("{task_name} took up: {what}");
    let is_notice = |event: &Event, expected: &str| matches!(event, Event::Notice { words, .. } if words == expected);
    post.send(Asked::Pause(Cells::All));
    let paused = Event::Activity {
        cell: Some(0),
        activity: Activity::Paused,
    };
    wait_for(&events, |event| *event == paused);
    wait_for(&events, |event| is_notice(event, &took("pause")));
    let (cell, learning_rate) = (0, 0.125);
    post.send(Asked::SetLearningRate { cell, learning_rate });
    let metrics = cell_path(&place.run_dir(), 0).join("metrics.jsonl");
    wait_until("the learning rate", || {
        fs::read_to_string(&metrics).is_ok_and(|points| points.contains("\"learning_rate\":0.125"))
    });
    post.send(Asked::Resume(Cells::One(0)));
    post.send(Asked::Abort(0));
    wait_for(&events, |event| is_notice(event, &took("abort")));
    let ending = |cell| {
        read_summary(&cell_path(&place.run_dir(), cell))
            .ok()
            .map(|ended| ended.ending)
    };
    wait_until("the end of the cell", || ending(0) == Some(CellEnding::Aborted));

    // An ended cell has no claim; a task that has it begins it again.
    wait_until("the second cell", || has_begun(1));
    post.send(Asked::Retry(0));
    wait_for(&events, |event| is_notice(event, &took("run again")));
    post.send(Asked::Abort(1));
    wait_for(&events, |event| is_notice(event, &took("abort")));
    wait_until("the cell again", || {
        cell_path(&place.run_dir(), 0).with_file_name("000-old-1").exists()
    });
    // What belongs to the queue of the whole run cannot be sent.
    post.send(Asked::Hold(3));
    wait_for(
        &events,
        |event| matches!(event, Event::Notice { words, .. } if words.contains("cannot be sent")),
    );
    stop(&mut task);
    assert_eq!(ending(1), Some(CellEnding::Aborted));
    let left = fs::read_dir(place.run_dir().join("commands")).unwrap().count();
    assert_eq!(left, 0, "orders and answers are consumed");
    let logs = fs::read_dir(place.run_dir().join("tasks")).unwrap();
    let logs: String = logs
        .map(|task| fs::read_to_string(task.unwrap().path().join("events.jsonl")).unwrap())
        .collect();
    // And the stop.
    assert_eq!(logs.matches("\"ByHand\"").count(), 7, "{logs}");
}
