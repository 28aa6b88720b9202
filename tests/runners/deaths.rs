//! Tests runners that die, alone or together with the process of the sweep.

use std::io::Write;

use rustix::process::{Resource, Rlimit, prlimit};

use super::*;

#[test]
fn a_runner_killed_twice_in_one_cell_fails_that_cell_with_the_signal_and_a_resume_runs_it() {
    let whole = Place::with(UNEVEN);
    whole.finish("2");
    for (signal, name) in [
        (Signal::KILL, "signal 9 (SIGKILL) ended it"),
        (Signal::ABORT, "signal 6 (SIGABRT) ended it"),
        (Signal::SEGV, "signal 11 (SIGSEGV) ended it"),
    ] {
        let hurt = Place::with(UNEVEN);
        let sweep = hurt.start("2", &EVERY_SECOND);
        let first = hurt.runner_of(0, &sweep);
        wait_for("a checkpoint", || has_checkpoint(&hurt.cell(0)));
        end(first, signal);
        hurt.wait_for_log(&format!("{name}; the cell goes on from its checkpoint in a new runner"));
        let second = hurt.runner_of(0, &sweep);
        end(second, signal);
        let (written, status) = text(sweep.wait_with_output().unwrap());
        assert_eq!(status, Some(1), "{written}");
        let why = match hurt.ending(0) {
            Some(CellEnding::Failed(why)) => why,
            other => panic!("{other:?}: {written}"),
        };
        assert!(why.starts_with("runner ") && why.ends_with(name), "{why}");
        for cell in [1, 2] {
            assert!(
                matches!(hurt.ending(cell), Some(CellEnding::Finished(_))),
                "{:?}",
                hurt.ending(cell)
            );
        }
        hurt.finish("2");
        assert_same(&hurt, &whole);
    }
}

/// Two cells that take seconds.
const EVEN: &str = "(
    name: \"crew\", model: Mlp(widths: [8]), dropout: 0.2, learning_rate: 0.05, batch_size: 20, steps: 4000,
    train_examples: 60, test_examples: 40, lambda_every: Steps(5), probes: [(examples: 20)], sweep: (seed: [0, 1]),
)";

#[test]
fn a_runner_that_runs_out_of_memory_costs_no_cell_and_fewer_go_on() {
    let whole = Place::with(EVEN);
    whole.finish("1");
    let hurt = Place::with(EVEN);
    let sweep = hurt.start("2", &EVERY_SECOND);
    let runner = hurt.runner_of(0, &sweep);
    wait_for("a checkpoint", || has_checkpoint(&hurt.cell(0)));
    hurt.runner_of(1, &sweep);
    // Rust's allocator says this, and then aborts.
    let errors = format!("/proc/{}/fd/2", runner.as_raw_nonzero());
    let mut errors = fs::OpenOptions::new().write(true).open(errors).unwrap();
    errors.write_all(b"memory allocation of 123 bytes failed\n").unwrap();
    kill(runner, Signal::ABORT);
    drop(errors);
    let written = finished(sweep, &hurt);
    assert!(
        written.contains("memory ran out; the sweep goes on with 1 runner"),
        "{written}"
    );
    assert!(written.contains("memory allocation of 123 bytes failed"), "{written}");
    assert_same(&hurt, &whole);
}

#[test]
fn runners_are_gone_soon_after_the_process_of_the_sweep_and_a_resume_is_not_refused() {
    let whole = Place::with(UNEVEN);
    whole.finish("2");
    for state in [None, Some(Signal::STOP)] {
        let hurt = Place::with(UNEVEN);
        let mut sweep = hurt.start("2", &EVERY_SECOND);
        let runner = hurt.runner_of(0, &sweep);
        wait_for("a checkpoint", || has_checkpoint(&hurt.cell(0)));
        let all = runners(&sweep);
        if let Some(signal) = state {
            kill(runner, signal);
        }
        sweep.kill().unwrap();
        sweep.wait().unwrap();
        hurt.finish("2");
        assert!(!all.into_iter().any(lives));
        assert_same(&hurt, &whole);
    }
}

#[test]
fn a_runner_that_is_asked_to_end_gives_its_cell_to_another_one() {
    let whole = Place::with(UNEVEN);
    whole.finish("2");
    let hurt = Place::with(UNEVEN);
    let sweep = hurt.start("2", &["--checkpoint-every", "3600"]);
    for times in 1..=3 {
        let runner = hurt.runner_of(0, &sweep);
        kill(runner, Signal::TERM);
        wait_for("the end of a runner", || !lives(runner));
        let words = "was asked to end; the cell goes on in another runner";
        assert_eq!(hurt.log().matches(words).count(), times, "{}", hurt.log());
    }
    finished(sweep, &hurt);
    // The checkpoint was written when the runner was asked to end.
    assert!(!hurt.log().contains("begins again"), "{}", hurt.log());
    assert_same(&hurt, &whole);
}

#[test]
fn idle_runners_that_are_lost_do_not_end_the_sweep() {
    let hurt = Place::with(UNEVEN);
    let sweep = hurt.start("3", &[]);
    let busy = hurt.runner_of(0, &sweep);
    hurt.wait_for_end(1);
    hurt.wait_for_end(2);
    let mut killed = BTreeSet::new();
    while lives(busy) && killed.len() < 8 {
        for idle in runners(&sweep).into_iter().filter(|pid| *pid != busy) {
            kill(idle, Signal::KILL);
            killed.insert(idle.as_raw_nonzero());
        }
        sleep(Duration::from_millis(20));
    }
    assert!(!killed.is_empty());
    finished(sweep, &hurt);
}

#[test]
fn one_runner_that_cannot_write_lets_the_others_write_their_checkpoints() {
    let hurt = Place::with(UNEVEN);
    let sweep = hurt.start("2", &["--checkpoint-every", "3600"]);
    hurt.runner_of(0, &sweep);
    let runner = hurt.runner_of(1, &sweep);
    let none = Rlimit {
        current: Some(0),
        maximum: None,
    };
    prlimit(Some(runner), Resource::Fsize, none).unwrap();
    let (written, status) = text(sweep.wait_with_output().unwrap());
    assert_eq!(status, Some(1), "{written}");
    assert!(written.contains("(RLIMIT_FSIZE)"), "{written}");
    assert!(has_checkpoint(&hurt.cell(0)), "{written}");
    assert_eq!(hurt.ending(0), Some(CellEnding::Interrupted));
    hurt.finish("2");
}

#[test]
fn a_runner_that_starts_after_the_run_directory_was_moved_writes_where_it_is() {
    let whole = Place::with(UNEVEN);
    whole.finish("2");
    let hurt = Place::with(UNEVEN);
    // No other runner is there that started before the move.
    let sweep = hurt.start("1", &EVERY_SECOND);
    let runner = hurt.runner_of(0, &sweep);
    wait_for("a checkpoint", || has_checkpoint(&hurt.cell(0)));
    let elsewhere = hurt.folder.path().join("elsewhere");
    fs::rename(hurt.run_dir(), &elsewhere).unwrap();
    kill(runner, Signal::KILL);
    let (written, status) = text(sweep.wait_with_output().unwrap());
    assert_eq!(status, Some(0), "{written}");
    assert!(!hurt.run_dir().exists(), "{written}");
    fs::rename(&elsewhere, hurt.run_dir()).unwrap();
    assert_same(&hurt, &whole);
}
