//! The terminal, tested in a real pseudo-terminal: the program always restores it.
//!
//! The program under test is this test program itself, started again with [`CHILD`] set.

#![allow(clippy::unwrap_used)] // Clippy does not recognize the helpers of these tests as test code.

use sharptui::event;

#[path = "screen/script.rs"]
#[allow(dead_code)] // The picture uses the rest.
mod script;

#[path = "pty/seat.rs"]
#[allow(dead_code)] // Other tests use the rest.
mod seat;

#[path = "pty/numbers.rs"]
mod numbers;

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crossbeam_channel::unbounded;
use numbers::shows;
use portable_pty::CommandBuilder;
use seat::Seat;
use sharptui::event::{Command, Event, SweepEnding};
use sharptui::tui::{self, Options};

/// Environment variable with the path of the child's log file. It also marks the process as the child.
const CHILD: &str = "SHARPTUI_TEST_LOG";

/// Environment variable that makes the child's training thread panic.
const PANICS: &str = "SHARPTUI_TEST_PANICS";

/// Not a test by itself: the program that the other tests start in a pseudo-terminal.
#[test]
fn child() {
    let Some(log) = std::env::var_os(CHILD) else { return };
    // For tests that send signals to the child.
    let _ = std::fs::write(pid_file(std::path::Path::new(&log)), std::process::id().to_string());
    let (events, events_out) = unbounded();
    let (commands_in, commands) = unbounded();
    let signals = sharptui::signals::listen(None).unwrap();
    let trainer = thread::Builder::new().name("trainer".into()).spawn(move || {
        for event in script::half_way() {
            events.send(event).unwrap();
        }
        while !matches!(commands.recv(), Ok(Command::Audit(_) | Command::Quit)) {}
        println!("stray words on stdout");
        eprintln!("stray words on stderr");
        assert!(std::env::var_os(PANICS).is_none(), "the trainer fell over");
        let _ = events.send(Event::SweepEnded(SweepEnding::Stopped));
    });
    let options = Options {
        log_path: Some(PathBuf::from(&log)),
        owns: true,
        wanted: None,
        load: None,
        preferences: tui::Preferences::default(),
        ascii: false,
        came_from: tui::CameFrom::Shell,
        welcome: false,
    };
    let outcome = tui::run(&events_out, &commands_in, &signals, &options).unwrap();
    if outcome == tui::Outcome::Detached {
        println!("left: {outcome:?}");
        commands_in.send(Command::Quit).unwrap();
    }
    let _ = trainer.unwrap().join();
    println!("left: {outcome:?}");
}

/// Returns the path of the file in which the child that logs to `log` writes its process ID.
fn pid_file(log: &std::path::Path) -> PathBuf {
    log.with_extension("pid")
}

/// The child in a pseudo-terminal, and its log.
struct Stage {
    seat: Seat,
    directory: tempfile::TempDir,
}

impl Stage {
    fn set(variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["child", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(CHILD, directory.path().join("log.txt"));
        command.env("RUST_BACKTRACE", "0");
        let seat = Seat::start(command, (80, 24), variables);
        Self { seat, directory }
    }

    /// Starts an interactive shell with job control, and a script that starts the child. None if there is no bash.
    fn shell() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new("bash");
        command.args(["--norc", "--noprofile", "-i"]);
        command.env("PS1", "ready> ");
        command.env(CHILD, directory.path().join("log.txt"));
        command.env("RUST_BACKTRACE", "0");
        let child = std::env::current_exe().unwrap();
        let line = format!(
            "exec '{}' child --exact --nocapture --test-threads=1\n",
            child.display()
        );
        std::fs::write(directory.path().join("child.sh"), &line).unwrap();
        // In this script, the child is not the last command, so the shell of the script stays.
        let script = format!("{}\necho the script ended\n", line.trim_start_matches("exec "));
        std::fs::write(directory.path().join("script.sh"), script).unwrap();
        command.cwd(directory.path());
        if std::process::Command::new("bash").arg("--version").output().is_err() {
            eprintln!("skipped: there is no bash here");
            return None;
        }
        let seat = Seat::start(command, (80, 24), &[]);
        let stage = Self { seat, directory };
        stage.wait_for("ready>");
        Some(stage)
    }

    /// Sends a signal to the child of the shell.
    fn signal_child(&self, name: &str) {
        let sent = std::process::Command::new("kill")
            .args([&format!("-{name}"), &self.child()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Returns the process ID of the shell's child.
    fn child(&self) -> String {
        std::fs::read_to_string(pid_file(&self.directory.path().join("log.txt"))).unwrap()
    }

    /// Waits until the shell reports its job as stopped.
    fn wait_for_a_stopped_job(&mut self) {
        for asked in 0.. {
            let (question, answer) = (format!("$((100 + {asked}))"), format!("asked {} times", 100 + asked));
            self.press(&format!("clear; jobs; echo asked {question} times\n"));
            self.wait_for(&answer);
            if self.shown().contains("Stopped") {
                return;
            }
        }
    }

    /// Waits until the screen is shown and answers keys.
    fn wait_for_the_screen(&mut self) {
        self.wait_until("the screen", |seat| {
            seat.is_taken() && seat.shown().contains("λ_max 39.2")
        });
        self.press("?");
        self.wait_for("─ keys of page charts ─");
        self.press("\u{1b}");
        self.wait_until("the screen without help", |seat| {
            seat.shown().contains("λ_max 39.2") && !seat.shown().contains("─ keys of")
        });
    }

    /// Waits until the chart titles show the values measured in a cell at a step, and the header shows that step.
    fn wait_for_the_numbers_of(&self, cell: usize, step: u64) {
        let point = script::point(cell, step, 0);
        let lambda = point.lambda.as_ref().unwrap();
        let value = |name: &str| point.values.get(name).unwrap();
        for (words, value) in [
            ("λ_max ", lambda.lambda_max),
            ("± ", lambda.lambda_residual),
            ("2/η ", value("threshold")),
            ("loss ⠤⠤ test ", value("test_loss")),
            ("⠤⠄ train ", value("train_loss")),
            ("accuracy ⠤⠤ test ", value("test_accuracy")),
            ("step ", step as f64),
        ] {
            self.wait_until(&format!("{words}{value}"), |seat| shows(&seat.shown(), words, value));
        }
    }

    /// Waits until the shell has the terminal again, and runs a command.
    fn wait_for_the_shell(&mut self, said: &str) {
        self.wait_for("Stopped");
        self.press("clear; echo $((6 * 7)) answers\n");
        self.wait_for("42 answers");
        self.press(&format!("clear; {said}\n"));
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log.txt")).unwrap()
    }
}

impl Deref for Stage {
    type Target = Seat;

    fn deref(&self) -> &Seat {
        &self.seat
    }
}

impl DerefMut for Stage {
    fn deref_mut(&mut self) -> &mut Seat {
        &mut self.seat
    }
}

#[test]
fn the_terminal_is_given_back_and_stray_words_went_to_the_log() {
    let mut seat = Stage::set(&[]);
    seat.wait_for("λ_max 39.2");
    assert!(seat.is_taken());
    seat.press("A");
    seat.wait_for("stopped; unfinished cells");
    assert!(!seat.shown().contains("stray"), "{}", seat.shown());
    seat.press("q");
    seat.wait_for("left: Ended(Stopped)");
    seat.wait_for_the_end();
    assert!(!seat.is_taken());
    assert!(!seat.hides_cursor());
    assert!(!seat.shown().contains("stray"), "{}", seat.shown());
    let log = seat.log();
    assert!(
        log.contains("stray words on stdout") && log.contains("stray words on stderr"),
        "{log}"
    );
}

#[test]
fn the_numbers_on_the_terminal_are_those_that_were_measured() {
    let seat = Stage::set(&[]);
    seat.wait_for_the_numbers_of(2, 720);
    // The same after a change of the window size.
    seat.resize((132, 43));
    seat.wait_for_the_numbers_of(2, 720);
}

#[test]
fn a_panic_of_the_trainer_leaves_the_screen_up_and_is_readable_afterwards() {
    let mut seat = Stage::set(&[(PANICS, "1")]);
    seat.wait_for("λ_max 39.2");
    seat.press("A");
    seat.wait_for("the training process exited");
    assert!(seat.is_taken());
    seat.press("q");
    seat.wait_for("left: TrainerGone");
    assert!(!seat.is_taken());
    assert!(seat.shown().contains("the trainer fell over"), "{}", seat.shown());
    assert!(seat.log().contains("the trainer fell over"));
}

#[test]
fn a_terminal_that_goes_away_ends_the_screen_and_not_the_sweep() {
    let mut seat = Stage::set(&[]);
    seat.wait_for("λ_max 39.2");
    seat.hang_up();
    seat.wait_for_the_end();
    assert!(seat.log().contains("left: Detached"), "{}", seat.log());
}

#[test]
fn a_window_that_is_made_smaller_and_larger_is_drawn_at_its_size() {
    let seat = Stage::set(&[]);
    seat.wait_for("λ_max 39.2");
    seat.resize((60, 15));
    seat.wait_for("This window is 60 x 15.");
    seat.resize((132, 43));
    seat.wait_for("corrected by audit");
}

#[test]
fn after_a_stop_by_its_key_or_from_outside_the_terminal_is_taken_and_drawn_anew() {
    let Some(mut stage) = Stage::shell() else { return };
    stage.press("bash child.sh\n");
    stage.wait_for_the_screen();
    let modes = stage.modes();
    for stop in ["key", "TSTP", "STOP", "key", "STOP"] {
        match stop {
            "key" => stage.press("\u{1a}"),
            signal => stage.signal_child(signal),
        }
        stage.wait_for("Stopped");
        if stop == "STOP" {
            assert!(stage.is_taken(), "a program cannot restore the terminal at SIGSTOP");
        } else {
            assert!(!stage.is_taken() && !stage.hides_cursor(), "{stop}");
        }
        stage.wait_for_the_shell("fg");
        stage.wait_for_the_screen();
        assert!(stage.hides_cursor(), "{stop}");
        assert_eq!(stage.modes(), modes, "{stop}");
        assert!(!stage.shown().contains("answers"), "{stop}: {}", stage.shown());
    }
    stage.press("A");
    stage.wait_for("stopped; unfinished cells");
    stage.press("q");
    stage.wait_for("left: Ended(Stopped)");
    assert!(!stage.is_taken());
}

#[test]
fn ctrl_z_stops_a_script_or_time_with_the_program_that_they_run() {
    let Some(mut stage) = Stage::shell() else { return };
    for line in ["bash script.sh", "time bash child.sh", "(bash child.sh; true)"] {
        stage.press(&format!("clear; {line}\n"));
        stage.wait_for_the_screen();
        for _ in 0..2 {
            stage.press("\u{1a}");
            stage.wait_for_the_shell("fg");
            stage.wait_for_the_screen();
        }
        stage.press("A");
        stage.wait_for("stopped; unfinished cells");
        stage.press("q");
        stage.wait_for("left: Ended(Stopped)");
        stage.wait_until("the prompt", |seat| seat.shown().trim_end().ends_with("ready>"));
    }
}

// With LibTorch linked in, the shell once kept the job of this test as stopped. The cause is probably the one
// described below, because LibTorch takes long to shut down. The test has not been tried with LibTorch again.
#[cfg(not(feature = "tch"))]
#[test]
fn a_stopped_program_is_ended_by_its_shell_without_coming_to_the_front() {
    let Some(mut stage) = Stage::shell() else { return };
    for stop in ["TSTP", "STOP"] {
        stage.press("bash child.sh\n");
        stage.wait_for_the_screen();
        let child = format!("/proc/{}/stat", stage.child());
        stage.signal_child(stop);
        stage.wait_for("Stopped");
        stage.press("clear; kill %1\n");
        stage.wait_for("left: Ended(Stopped)");
        // Type nothing before the child has ended: its key-reading thread would read the input, and a background
        // process that reads the terminal is stopped (SIGTTIN). The end takes a while on a busy machine, or with
        // LibTorch.
        stage.wait_until("the end of the child", |_| !std::path::Path::new(&child).exists());
        // The shell reports the job as stopped until it has noticed its end.
        stage.press("clear; while jobs %1 >/dev/null 2>&1; do sleep 0.1; done; echo $((6 * 7)) answers\n");
        stage.wait_for("42 answers");
        assert!(!stage.is_taken() && !stage.hides_cursor(), "{stop}");
        stage.press("clear\n");
    }
}

#[test]
fn continued_in_the_background_the_program_stops_again_until_it_is_in_front() {
    let Some(mut stage) = Stage::shell() else { return };
    stage.press("bash child.sh\n");
    stage.wait_for_the_screen();
    for stop in ["TSTP", "STOP"] {
        stage.signal_child(stop);
        stage.wait_for_the_shell("bg");
        stage.wait_for("child.sh &");
        stage.wait_for_a_stopped_job();
        stage.press("clear; fg\n");
        stage.wait_for_the_screen();
    }
}

#[test]
fn a_window_that_is_resized_while_the_program_is_stopped_is_drawn_at_its_size() {
    let Some(mut stage) = Stage::shell() else { return };
    stage.press("bash child.sh\n");
    stage.wait_for_the_screen();
    for (stop, size) in [("TSTP", (132, 43)), ("STOP", (100, 30))] {
        stage.signal_child(stop);
        stage.wait_for("Stopped");
        stage.resize(size);
        stage.wait_for_the_shell("fg");
        stage.wait_for_the_screen();
        let shown = stage.shown();
        let widest = shown.lines().map(|line| line.chars().count()).max();
        assert!(widest > Some(usize::from(size.0) - 3), "{stop}: {shown}");
    }
}

#[test]
fn where_no_shell_could_continue_it_the_program_is_not_stopped() {
    // The child is the session leader, so no process in its session could continue it.
    let mut stage = Stage::set(&[]);
    // At this size, the last notice has its own line.
    stage.resize((120, 40));
    stage.wait_for_the_screen();
    stage.press("\u{1a}");
    stage.wait_for("no shell could continue the program");
    stage.wait_for_the_screen();
    stage.signal("TSTP");
    stage.wait_for_the_screen();
    stage.signal("STOP");
    stage.signal("CONT");
    stage.wait_for_the_screen();
}

#[test]
fn where_its_process_group_lies_outside_its_pid_namespace_the_program_is_not_stopped() {
    // As in a container: the IDs of the group, the session and the parent are 0 there.
    let apart = ["--pid", "--fork", "--kill-child", "--mount-proc"];
    let works = std::process::Command::new("unshare").args(apart).arg("true").output();
    if !works.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no PID namespace can be made here");
        return;
    }
    let Some(mut stage) = Stage::shell() else { return };
    // At this size, the last notice has its own line.
    stage.resize((120, 40));
    stage.press(&format!("unshare {} bash child.sh\n", apart.join(" ")));
    stage.wait_for_the_screen();
    stage.press("\u{1a}");
    stage.wait_for("no shell could continue");
    stage.wait_for_the_screen();
}

#[test]
fn a_signal_is_obeyed_even_while_the_terminal_takes_nothing() {
    let mut seat = Stage::set(&[]);
    seat.wait_for("λ_max 39.2");
    seat.stall();
    // Whole frames, until the terminal's buffers are full and the screen blocks.
    for _ in 0..150 {
        seat.press("\u{c}");
        thread::sleep(Duration::from_millis(4));
    }
    seat.signal("TERM");
    seat.wait_until("the trainer's last words", |_| {
        seat.log().contains("stray words on stdout")
    });
    assert!(seat.runs(), "the terminal did not stall");
}

#[test]
fn no_color_means_no_colour() {
    let count = |seat: &Seat, code: &str| String::from_utf8_lossy(&seat.bytes()).matches(code).count();
    let plain = Stage::set(&[("NO_COLOR", "1")]);
    plain.wait_for("λ_max 39.2");
    assert_eq!(count(&plain, "\u{1b}[38;5;"), 0);
    assert!(count(&plain, "\u{1b}[1m") > 0, "bold is kept");
    let coloured = Stage::set(&[]);
    coloured.wait_for("λ_max 39.2");
    assert!(count(&coloured, "\u{1b}[38;5;") > 0);
}

#[test]
fn without_a_utf8_locale_nothing_but_ascii_is_sent() {
    let seat = Stage::set(&[("LC_ALL", "C")]);
    seat.wait_for("lambda_max 39.2");
    assert!(seat.bytes().is_ascii());
}
