//! The process that trains without a terminal, seen from the one that starts it and from within.

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

/// What became of the process.
pub enum Launched {
    /// It trains.
    Ready {
        /// Its run directory.
        run_dir: PathBuf,
        /// The process.
        pid: u32,
        /// Whether the terminal is still there.
        has_terminal: bool,
    },
    /// It began, and stops: a signal asked for that meanwhile.
    Stopping {
        /// Its run directory.
        run_dir: PathBuf,
    },
    /// It ended with this exit status; what it had to say is on stderr.
    Ended(u8),
}

/// Starts this program with the same arguments and `--trainer`, and waits until it trains. A signal that comes meanwhile is
/// meant for it, too. It is handed the text of the configuration, if one was read: what was checked is what is run.
///
/// # Errors
/// If it cannot be started.
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
            // What is cut off is no place.
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
                    // A Ctrl-C reaches both processes, and must not be a second one for it.
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
    // Whoever started this process may have it ignore how its children end.
    let status = child.wait().ok();
    if let Some(signal) = status.and_then(|status| status.signal()).filter(|_| !is_to_stop) {
        return Err(io::Error::other(format!(
            "it was ended by signal {signal} before it trained, perhaps because memory ran out"
        )));
    }
    let code = status.and_then(|status| u8::try_from(status.code()?).ok());
    Ok(Launched::Ended(code.unwrap_or(if is_to_stop {
        STATUS_STOPPED
    } else {
        1
    })))
}

/// Leaves the terminal, says where the run directory is, and writes to `log` from here on.
///
/// # Errors
/// If nobody waits for it any more, or there can be no log.
pub fn become_ready(run_dir: &Path, log: &Path) -> io::Result<()> {
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    // This fails in a process that leads a group already, as one does that a shell started. SIGHUP then still comes when the terminal
    // closes, but ends no training.
    let _ = rustix::process::setsid();
    let mut out = io::stdout();
    out.write_all(run_dir.as_os_str().as_bytes())?;
    out.write_all(&[0])?;
    out.flush()?;
    rustix::stdio::dup2_stdout(&log)?;
    rustix::stdio::dup2_stderr(&log)?;
    Ok(())
}
