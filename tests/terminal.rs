//! The life of the terminal, in a real pseudo-terminal: what is taken is given back, whatever happens.
//!
//! The program under test is this test program itself, started again with [`CHILD`] set.

#![allow(clippy::unwrap_used)] // Clippy takes the helpers of these tests for something else.

use sharptui::event;

#[path = "screen/script.rs"]
#[allow(dead_code)] // The picture needs the rest of it.
mod script;

#[path = "pty/seat.rs"]
#[allow(dead_code)] // Other tests need the rest of it.
mod seat;

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crossbeam_channel::unbounded;
use portable_pty::CommandBuilder;
use seat::Seat;
use sharptui::event::{Command, Event, SweepEnding};
use sharptui::tui::{self, Options};

/// Names the file that the child logs to, and tells it that it is the child.
const CHILD: &str = "SHARPTUI_TEST_LOG";

/// Tells the child's training thread to panic.
const PANICS: &str = "SHARPTUI_TEST_PANICS";

/// Not a test of its own: what the other tests start in a pseudo-terminal.
#[test]
fn child() {
    let Some(log) = std::env::var_os(CHILD) else { return };
    let (events, events_out) = unbounded();
    let (commands_in, commands) = unbounded();
    let signals = sharptui::signals::listen(None).unwrap();
    let trainer = thread::Builder::new().name("trainer".into()).spawn(move || {
        for event in script::half_way() {
            events.send(event).unwrap();
        }
        while !matches!(commands.recv(), Ok(Command::Audit | Command::Quit)) {}
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
    seat.wait_for("stopped; what is unfinished");
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
fn a_panic_of_the_trainer_leaves_the_screen_up_and_is_readable_afterwards() {
    let mut seat = Stage::set(&[(PANICS, "1")]);
    seat.wait_for("λ_max 39.2");
    seat.press("A");
    seat.wait_for("the training process is gone");
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
fn a_signal_is_obeyed_even_while_the_terminal_takes_nothing() {
    let mut seat = Stage::set(&[]);
    seat.wait_for("λ_max 39.2");
    seat.stall();
    // Whole frames, one after the other, until the buffers of the terminal are full and the screen waits.
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
