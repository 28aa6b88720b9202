//! The life of the terminal, in a real pseudo-terminal: what is taken is given back, whatever happens.
//!
//! The program under test is this test program itself, started again with [`CHILD`] set.

#![allow(clippy::unwrap_used)] // Clippy takes the helpers of these tests for something else.

use sharptui::event;

#[path = "screen/script.rs"]
#[allow(dead_code)] // The picture needs the rest of it.
mod script;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::unbounded;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use sharptui::event::{Command, Event, SweepEnding};
use sharptui::tui::{self, Options};

/// Names the file that the child logs to, and tells it that it is the child.
const CHILD: &str = "SHARPTUI_TEST_LOG";

/// Tells the child's training thread to panic.
const PANICS: &str = "SHARPTUI_TEST_PANICS";

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Not a test of its own: what the other tests start in a pseudo-terminal.
#[test]
fn child() {
    let Some(log) = std::env::var_os(CHILD) else { return };
    let (events, events_out) = unbounded();
    let (commands_in, commands) = unbounded();
    let signals = sharptui::signals::listen().unwrap();
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
        log_path: PathBuf::from(&log),
        no_color: false,
        attached: false,
    };
    let outcome = tui::run(&events_out, &commands_in, &signals, &options).unwrap();
    let _ = trainer.unwrap().join();
    println!("left: {outcome:?}");
}

/// A child in a pseudo-terminal, and what a terminal would show of it.
struct Seat {
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    terminal: Arc<Mutex<vt100::Parser>>,
    bytes: Arc<Mutex<Vec<u8>>>,
    gone: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
    directory: tempfile::TempDir,
}

impl Seat {
    fn start(variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let size = PtySize {
            rows: 24,
            cols: 80,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["child", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(CHILD, directory.path().join("log.txt"));
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env_remove("NO_COLOR");
        command.env("RUST_BACKTRACE", "0");
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let terminal = Arc::new(Mutex::new(vt100::Parser::default()));
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let mut output = pair.master.try_clone_reader().unwrap();
        let gone = Arc::new(AtomicBool::new(false));
        let stalled = Arc::new(AtomicBool::new(false));
        let paused = Arc::clone(&stalled);
        let (shown, seen, hung_up) = (Arc::clone(&terminal), Arc::clone(&bytes), Arc::clone(&gone));
        thread::spawn(move || {
            let mut buffer = [0; 8_192];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                while paused.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(5));
                }
                if hung_up.load(Ordering::Relaxed) {
                    return;
                }
                shown.lock().unwrap().process(&buffer[..length]);
                seen.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self {
            master: Some(pair.master),
            keys,
            child,
            terminal,
            bytes,
            gone,
            stalled,
            directory,
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn resize(&self, cols: u16, rows: u16) {
        let rows_and_columns = |number| std::num::NonZero::new(number).unwrap();
        self.terminal
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(rows_and_columns(rows), rows_and_columns(cols));
        self.master
            .as_ref()
            .unwrap()
            .resize(PtySize {
                rows,
                cols,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
    }

    /// Closes every end of the terminal but the child's; the reader lets go of its own at the next frame.
    fn hang_up(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        self.keys = Box::new(std::io::sink());
        self.master = None;
    }

    fn shown(&self) -> String {
        self.terminal.lock().unwrap().screen().contents()
    }

    fn is_taken(&self) -> bool {
        self.terminal.lock().unwrap().screen().alternate_screen()
    }

    fn wait_for(&self, words: &str) {
        self.wait_until(words, |seat| seat.shown().contains(words));
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !is_so(self) {
            assert!(since.elapsed() < PATIENCE, "{what} never came:\n{}", self.shown());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn wait_for_the_end(&mut self) {
        let since = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(since.elapsed() < PATIENCE, "the child goes on:\n{}", self.shown());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join(Path::new("log.txt"))).unwrap()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // A failed test must not leave its child behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_terminal_is_given_back_and_stray_words_went_to_the_log() {
    let mut seat = Seat::start(&[]);
    seat.wait_for("λ_max 39.2");
    assert!(seat.is_taken());
    seat.press("A");
    seat.wait_for("stopped; what is unfinished");
    assert!(!seat.shown().contains("stray"), "{}", seat.shown());
    seat.press("q");
    seat.wait_for("left: Ended(Stopped)");
    seat.wait_for_the_end();
    assert!(!seat.is_taken());
    assert!(!seat.terminal.lock().unwrap().screen().hide_cursor());
    assert!(!seat.shown().contains("stray"), "{}", seat.shown());
    let log = seat.log();
    assert!(
        log.contains("stray words on stdout") && log.contains("stray words on stderr"),
        "{log}"
    );
}

#[test]
fn a_panic_of_the_trainer_leaves_the_screen_up_and_is_readable_afterwards() {
    let mut seat = Seat::start(&[(PANICS, "1")]);
    seat.wait_for("λ_max 39.2");
    seat.press("A");
    seat.wait_for("the training thread is gone");
    assert!(seat.is_taken());
    seat.press("q");
    seat.wait_for("left: TrainerGone");
    assert!(!seat.is_taken());
    assert!(seat.shown().contains("the trainer fell over"), "{}", seat.shown());
    assert!(seat.log().contains("the trainer fell over"));
}

#[test]
fn a_terminal_that_goes_away_ends_the_sweep_and_the_program() {
    let mut seat = Seat::start(&[]);
    seat.wait_for("λ_max 39.2");
    seat.hang_up();
    seat.wait_for_the_end();
    assert!(seat.log().contains("left: Ended(Stopped)"), "{}", seat.log());
}

#[test]
fn a_window_that_is_made_smaller_and_larger_is_drawn_at_its_size() {
    let seat = Seat::start(&[]);
    seat.wait_for("λ_max 39.2");
    seat.resize(60, 20);
    seat.wait_for("This window is 60 x 20.");
    seat.resize(132, 43);
    seat.wait_for("corrected by audit");
}

#[test]
fn a_signal_is_obeyed_even_while_the_terminal_takes_nothing() {
    let mut seat = Seat::start(&[]);
    seat.wait_for("λ_max 39.2");
    seat.stalled.store(true, Ordering::Relaxed);
    // Whole frames, one after the other, until the buffers of the terminal are full and the screen waits.
    for _ in 0..150 {
        seat.press("\u{c}");
        thread::sleep(Duration::from_millis(4));
    }
    let pid = seat.child.process_id().unwrap().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    seat.wait_until("the trainer's last words", |seat| {
        seat.log().contains("stray words on stdout")
    });
    assert!(seat.child.try_wait().unwrap().is_none(), "the terminal did not stall");
}

#[test]
fn no_color_means_no_colour() {
    let count = |seat: &Seat, code: &str| {
        String::from_utf8_lossy(&seat.bytes.lock().unwrap())
            .matches(code)
            .count()
    };
    let plain = Seat::start(&[("NO_COLOR", "1")]);
    plain.wait_for("λ_max 39.2");
    assert_eq!(count(&plain, "\u{1b}[38;5;"), 0);
    assert!(count(&plain, "\u{1b}[1m") > 0, "bold is kept");
    let coloured = Seat::start(&[]);
    coloured.wait_for("λ_max 39.2");
    assert!(count(&coloured, "\u{1b}[38;5;") > 0);
}

#[test]
fn without_a_utf8_locale_nothing_but_ascii_is_sent() {
    let seat = Seat::start(&[("LC_ALL", "C")]);
    seat.wait_for("lambda_max 39.2");
    assert!(seat.bytes.lock().unwrap().is_ascii());
}
