//! A disk that takes nothing, and a run directory that is gone.

use std::io::{BufRead, BufReader, Read};

use rustix::process::{Resource, Rlimit, prlimit};

use super::*;

const STEADY: &str = "(
    name: \"hurt\", model: Mlp(widths: [8]), dropout: 0.2, momentum: 0.9, learning_rate: 0.05, batch_size: 20, steps: 900,
    train_examples: 60, test_examples: 40, lambda_every: Steps(5), probes: [(examples: 20)], sweep: (seed: [0, 1]),
)";

/// The largest file that a process may write, as a disk that is full; none takes the limit away again.
fn limit(child: &Child, bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Some(Pid::from_child(child)), Resource::Fsize, limit).unwrap();
}

/// Starts a sweep, and waits until it has measured.
fn measuring(place: &Place) -> Child {
    let mut child = place.start(&["--checkpoint-every", "0"]);
    while fs::metadata(place.cell(0).join("metrics.jsonl")).map_or(0, |metrics| metrics.len()) < 1_000 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too soon");
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

/// Reads what a sweep writes until the words come.
fn wait_for(lines: &mut impl BufRead, words: &str) {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended without `{words}`");
    }
}

#[test]
fn a_full_disk_makes_training_wait_and_costs_nothing() {
    let whole = Place::with(STEADY);
    whole.finish(&[]);
    let hurt = Place::with(STEADY);
    let mut child = measuring(&hurt);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        // Less than what is there: neither metrics nor checkpoint nor summary can be written.
        limit(&child, Some(100));
        wait_for(&mut lines, "training waits until it can be written");
        assert_eq!(read_metrics(&hurt.cell(0)).unwrap().torn, None);
        limit(&child, None);
        wait_for(&mut lines, "can be written again");
    }
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    assert_same(&hurt, &whole);
}

#[test]
fn a_sweep_that_waits_for_the_disk_can_be_stopped_and_gone_on_with() {
    let whole = Place::with(STEADY);
    whole.finish(&[]);
    let hurt = Place::with(STEADY);
    let mut child = measuring(&hurt);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    limit(&child, Some(100));
    wait_for(&mut lines, "training waits until it can be written");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success(), "{rest}");
    hurt.finish(&[]);
    assert_same(&hurt, &whole);
}

#[test]
fn a_run_directory_that_is_moved_is_written_where_it_is() {
    let whole = Place::with(STEADY);
    whole.finish(&[]);
    let hurt = Place::with(STEADY);
    let child = measuring(&hurt);
    let elsewhere = hurt.folder.path().join("elsewhere");
    fs::rename(hurt.run_dir(), &elsewhere).unwrap();
    let output = child.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words}");
    assert!(!hurt.run_dir().exists());
    fs::rename(&elsewhere, hurt.run_dir()).unwrap();
    assert_same(&hurt, &whole);
}

#[test]
fn a_run_directory_that_is_deleted_is_said_and_the_sweep_can_be_stopped() {
    let hurt = Place::with(STEADY);
    let mut child = measuring(&hurt);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    // What is written meanwhile makes a folder that was emptied full again.
    while fs::remove_dir_all(hurt.run_dir()).is_err() {}
    wait_for(&mut lines, "training waits until it can be written");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(!child.wait().unwrap().success(), "{rest}");
}

#[test]
fn a_second_process_on_a_run_directory_is_refused_and_a_dead_one_keeps_no_lock() {
    let hurt = Place::with(STEADY);
    let mut first = measuring(&hurt);
    let second = hurt.start(&[]).wait_with_output().unwrap();
    let words = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(words.contains("is being written by another process"), "{words}");
    first.kill().unwrap();
    first.wait().unwrap();
    hurt.finish(&[]);
}
