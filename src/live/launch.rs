//! The training process without a terminal: how it is started, and what it does to become ready.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;

use crossbeam_channel::{Receiver, bounded, never, select};
use rustix::process::{Pid, kill_process};

use crate::relaunch;
use crate::signals::{STATUS_STOPPED, Signal, gentle_stop};

/// The outcome of starting the training process.
pub enum Launched {
    /// It is training.
    Ready {
        /// Its run directory.
        run_dir: PathBuf,
        /// Its process ID.
        pid: u32,
        /// Whether the terminal still exists.
        has_terminal: bool,
    },
    /// It started, and is stopping because a signal asked for that meanwhile.
    Stopping {
        /// Its run directory.
        run_dir: PathBuf,
    },
    /// It ended with this exit status, and printed its messages on stderr.
    Ended(u8),
}

/// Starts this program with the same arguments and `--trainer`, and waits until it trains. Signals that arrive while
/// waiting are passed on to it. If a configuration was read, its text is passed on, so that the program runs the text
/// that was checked.
///
/// # Errors
/// The process cannot be started, or a signal ended it before it trained.
pub fn launch(config: Option<&str>, signals: &Receiver<Signal>) -> io::Result<Launched> {
    let mut command = relaunch::command(&["--trainer"], config)?;
    if config.is_none() {
        command.stdin(Stdio::null());
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let (place_in, place) = bounded(1);
    let said = child.stdout.take();
    thread::Builder::new().name("launch".to_owned()).spawn(move || {
        let mut place = Vec::new();
        if let Some(said) = said {
            // A path without its terminating zero is ignored below.
            let _ = BufReader::new(said).read_until(0, &mut place);
        }
        let _ = place_in.send(place);
    })?;
    let (mut has_terminal, mut is_to_stop, mut signals) = (true, false, signals.clone());
    let mut place = loop {
        select! {
            recv(place) -> place => break place.unwrap_or_default(),
            recv(signals) -> signal => match signal {
                Ok(Signal::Hangup) => has_terminal = false,
                Ok(_) => {
                    is_to_stop = true;
                    // Ctrl-C reaches both processes. It must not count as a second Ctrl-C in the child.
                    let _ = kill_process(Pid::from_child(&child), gentle_stop());
                }
                Err(_) => signals = never(),
            },
        }
    };
    if place.pop() == Some(0) {
        let run_dir = PathBuf::from(OsString::from_vec(place));
        return Ok(if is_to_stop {
            Launched::Stopping { run_dir }
        } else {
            Launched::Ready {
                run_dir,
                pid: child.id(),
                has_terminal,
            }
        });
    }
    // The exit status may be unavailable: the parent of this process may have set it to ignore SIGCHLD.
    let status = child.wait().ok();
    if let Some(signal) = status.and_then(|status| status.signal()).filter(|_| !is_to_stop) {
        return Err(io::Error::other(format!(
            "signal {signal} ended it before training started, perhaps because memory ran out"
        )));
    }
    let code = status.and_then(|status| u8::try_from(status.code()?).ok());
    Ok(Launched::Ended(code.unwrap_or(if is_to_stop {
        STATUS_STOPPED
    } else {
        1
    })))
}

/// Leaves the terminal, sends the path of the run directory to the starting process, and redirects output to `log`.
///
/// # Errors
/// The starting process no longer waits, or the log cannot be opened.
pub fn become_ready(run_dir: &Path, log: &Path) -> io::Result<()> {
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    // This fails in a process that already leads a process group, such as one started by a shell. SIGHUP then still
    // arrives when the terminal closes, but does not end training.
    let _ = rustix::process::setsid();
    let mut out = io::stdout();
    out.write_all(run_dir.as_os_str().as_bytes())?;
    out.write_all(&[0])?;
    out.flush()?;
    rustix::stdio::dup2_stdout(&log)?;
    rustix::stdio::dup2_stderr(&log)?;
    Ok(())
}
