//! Tests a disk that cannot be written, and a deleted run directory.

use std::io::{BufRead, BufReader, Read};

use rustix::process::{Resource, Rlimit, prlimit};

use super::*;

const STEADY: &str = "(
    name: \"hurt\", model: Mlp(widths: [8]), dropout: 0.2, momentum: 0.9, learning_rate: 0.05, batch_size: 20, steps: 900,
    train_examples: 60, test_examples: 40, lambda_every: Steps(5), probes: [(examples: 20)], sweep: (seed: [0, 1]),
)";

/// Sets the largest file that a process may write; `None` removes the limit.
fn limit(child: &Child, bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Some(Pid::from_child(child)), Resource::Fsize, limit).unwrap();
}

/// Returns the names under which checkpoints are written before they are renamed.
fn aside(place: &Place) -> [PathBuf; 2] {
    [".checkpoint-a.new", ".checkpoint-b.new"].map(|name| place.cell(0).join(name))
}

/// Puts something in place of a file that is written every few milliseconds, between two writes.
fn put(mut there: impl FnMut() -> std::io::Result<()>) {
    while let Err(error) = there() {
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    }
}

/// Starts a sweep, and waits until it has measured something.
fn measuring(place: &Place) -> Child {
    let mut child = place.start(&["--checkpoint-every", "0"]);
    while fs::metadata(place.cell(0).join("metrics.jsonl")).map_or(0, |metrics| metrics.len()) < 1_000 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too soon");
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

/// Reads the output of a sweep until the words occur.
fn wait_for(lines: &mut impl BufRead, words: &str) {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended without `{words}`");
    }
}

#[test]
fn a_full_disk_makes_training_wait_and_costs_nothing() {
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: this system has no /dev/full");
        return;
    }
    let whole = Place::with(STEADY);
    whole.finish(&[]);
    let hurt = Place::with(STEADY);
    let mut child = measuring(&hurt);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    for round in 0..4 {
        // The program removes a file that it could not write, so the next attempt succeeds.
        put(|| std::os::unix::fs::symlink("/dev/full", &aside(&hurt)[round % 2]));
        wait_for(&mut lines, "No space left on device");
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
    // Folders in place of the files act like a disk that stays full.
    for place in aside(&hurt) {
        put(|| fs::create_dir(&place));
    }
    wait_for(&mut lines, "training waits until writing succeeds");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success(), "{rest}");
    for place in aside(&hurt) {
        fs::remove_dir(place).unwrap();
    }
    hurt.finish(&[]);
    assert_same(&hurt, &whole);
}

#[test]
fn a_file_that_may_not_grow_ends_the_sweep_with_words_and_keeps_what_there_is() {
    let whole = Place::with(STEADY);
    whole.finish(&[]);
    let hurt = Place::with(STEADY);
    let mut child = measuring(&hurt);
    // Room for the files that tell how the run ended, and for a part of a line of metrics.
    let length = fs::metadata(hurt.cell(0).join("metrics.jsonl")).unwrap().len();
    let most = length.max(4_000) + 100;
    limit(&child, Some(most));
    let (mut written, mut errors) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut written).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{written}\n{errors}");
    let words = format!("this process may not write files larger than {most} bytes (RLIMIT_FSIZE)");
    assert!(written.contains(&words), "{written}");
    assert!(!written.contains("training waits"), "{written}");
    let state = read_run(&hurt.run_dir()).unwrap().state;
    assert!(
        matches!(&state, RunState::Failed(why) if why.contains(&words)),
        "{state:?}"
    );
    assert!(read_metrics(&hurt.cell(0)).unwrap().torn.is_none() && has_checkpoint(&hurt.cell(0)));
    hurt.finish(&[]);
    assert_same(&hurt, &whole);
}

#[test]
fn a_file_that_may_not_grow_is_an_error_from_the_first_one_on() {
    let hurt = Place::with(STEADY);
    let program = env!("CARGO_BIN_EXE_sharptui");
    let output = Command::new("sh")
        .args(["-c", "ulimit -f 1; exec \"$0\" hurt.ron --plain --device flex", program])
        .current_dir(hurt.folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{:?}: {words}", output.status);
    assert!(words.contains("(RLIMIT_FSIZE)"), "{words}");
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
    // The program may write into a folder that was just emptied.
    while fs::remove_dir_all(hurt.run_dir()).is_err() {}
    wait_for(&mut lines, "training waits until writing succeeds");
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

#[test]
fn a_cell_that_is_killed_once_goes_on_first_and_one_that_is_killed_again_after_the_others() {
    let whole = Place::with(STEADY);
    whole.finish(&[]);
    let hurt = Place::with(STEADY);
    let mut killed = measuring(&hurt);
    while !has_checkpoint(&hurt.cell(0)) {
        std::thread::sleep(Duration::from_millis(2));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();

    let mut again = hurt.start(&["--checkpoint-every", "0"]);
    let mut lines = BufReader::new(again.stdout.take().unwrap());
    wait_for(
        &mut lines,
        "cell 0: it was running when an earlier process ended without a last checkpoint, perhaps killed because memory ran out; it goes on from its checkpoint",
    );
    wait_for(&mut lines, "cell 0 ");
    again.kill().unwrap();
    again.wait().unwrap();

    let written = hurt.finish(&[]);
    let words = "it was running when 2 earlier processes ended without a last checkpoint, perhaps killed because memory ran out; it goes on from its \
        checkpoint after the others";
    assert!(written.contains(words), "{written}");
    let first = |cell: &str| written.lines().position(|line| line.contains(cell));
    assert!(first("cell 1 ") < first("cell 0 "), "{written}");
    assert!(!hurt.cell(0).join("attempts.json").exists());
    let log = fs::read_to_string(hurt.run_dir().join("events.jsonl")).unwrap();
    assert!(log.contains(words), "{log}");
    assert_same(&hurt, &whole);
}
