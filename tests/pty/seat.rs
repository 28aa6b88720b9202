//! A program in a pseudo-terminal, and the contents that a terminal would show.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Time limit of every wait. It is long, because the machine may be slow and other tests train at the same time.
const PATIENCE: Duration = Duration::from_mins(1);

/// Interval between checks.
const GLANCE: Duration = Duration::from_millis(5);

/// Columns and rows.
pub type Size = (u16, u16);

/// A program in a pseudo-terminal. Dropping it ends the program.
pub struct Seat {
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    terminal: Arc<Mutex<vt100::Parser>>,
    bytes: Arc<Mutex<Vec<u8>>>,
    gone: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
}

impl Seat {
    /// Starts the program on a terminal with colours and UTF-8, with additional environment variables.
    pub fn start(mut command: CommandBuilder, size: Size, variables: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(pty_size(size)).unwrap();
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env_remove("NO_COLOR");
        // Without a welcome: the file that records it cannot be written there.
        command.env("XDG_STATE_HOME", "/dev/null");
        // Without the preferences of the user who runs the tests.
        command.env("XDG_CONFIG_HOME", "/nonexistent");
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let seat = Self {
            keys: pair.master.take_writer().unwrap(),
            child,
            terminal: Arc::new(Mutex::new(vt100::Parser::new(cells(size.1), cells(size.0), 0))),
            bytes: Arc::default(),
            gone: Arc::default(),
            stalled: Arc::default(),
            master: Some(pair.master),
        };
        seat.watch();
        seat
    }

    fn watch(&self) {
        let mut output = self.master.as_ref().unwrap().try_clone_reader().unwrap();
        let (stalled, gone) = (Arc::clone(&self.stalled), Arc::clone(&self.gone));
        let (shown, seen) = (Arc::clone(&self.terminal), Arc::clone(&self.bytes));
        thread::spawn(move || {
            let mut buffer = [0; 8_192];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                while stalled.load(Ordering::Relaxed) {
                    thread::sleep(GLANCE);
                }
                if gone.load(Ordering::Relaxed) {
                    return;
                }
                shown.lock().unwrap().process(&buffer[..length]);
                seen.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
    }

    /// Types these keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Changes the size of the window.
    pub fn resize(&self, size: Size) {
        self.terminal
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(cells(size.1), cells(size.0));
        self.master.as_ref().unwrap().resize(pty_size(size)).unwrap();
    }

    /// Closes every end of the terminal except the child's. The reader thread closes its own end at the next frame.
    pub fn hang_up(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        self.keys = Box::new(std::io::sink());
        self.master = None;
    }

    /// Makes the terminal stop reading output.
    pub fn stall(&self) {
        self.stalled.store(true, Ordering::Relaxed);
    }

    /// Sends a signal, for example "TERM".
    pub fn signal(&self, name: &str) {
        let process = self.child.process_id().unwrap().to_string();
        let sent = std::process::Command::new("kill")
            .args([&format!("-{name}"), &process])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Returns the contents of the screen as text.
    pub fn shown(&self) -> String {
        self.terminal.lock().unwrap().screen().contents()
    }

    /// Returns all bytes that the program has sent.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    /// Returns whether the program uses the alternate screen.
    pub fn is_taken(&self) -> bool {
        self.terminal.lock().unwrap().screen().alternate_screen()
    }

    /// Returns whether the cursor is hidden.
    pub fn hides_cursor(&self) -> bool {
        self.terminal.lock().unwrap().screen().hide_cursor()
    }

    /// Returns the terminal modes (echo, line editing, …) as text.
    pub fn modes(&self) -> String {
        format!("{:?}", self.master.as_ref().unwrap().get_termios())
    }

    /// Returns whether the program is running.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn wait_for(&self, words: &str) {
        self.wait_until(words, |seat| seat.shown().contains(words));
    }

    pub fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !is_so(self) {
            assert!(since.elapsed() < PATIENCE, "{what} never came:\n{}", self.shown());
            thread::sleep(GLANCE);
        }
    }

    /// Waits until the program has ended, and returns its exit status.
    pub fn wait_for_the_end(&mut self) -> u32 {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(
                since.elapsed() < PATIENCE,
                "the child is still running:\n{}",
                self.shown()
            );
            thread::sleep(GLANCE);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // A failed test must not leave its child behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(number: u16) -> NonZero<u16> {
    NonZero::new(number).unwrap()
}

fn pty_size((cols, rows): Size) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}
