//! Job control: the terminal is restored before this process stops itself, and taken again after any stop.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};
use rustix::process::{Pid, Signal, getpid, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGSTOP, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::raise;

use crate::signals::is_ignored;

/// How long to wait for the signal that continued this process. It comes immediately unless the machine is overloaded.
const SEEN_WITHIN: Duration = Duration::from_millis(500);

/// Maximum number of ancestors that are checked, so that wrong data from the system cannot cause an endless loop.
const MOST_ANCESTORS: usize = 64;

/// A shell, or another program, stops or continues this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// SIGTSTP: stop.
    Stop,
    /// SIGCONT: this process was stopped, by itself or by SIGSTOP, and goes on.
    Continued,
}

/// Listens to job control while a screen is shown.
#[derive(Debug)]
pub(in crate::tui) struct Jobs {
    /// The signals that came.
    pub(in crate::tui) told: Receiver<Job>,
    is_up: Arc<AtomicBool>,
    /// Whether this process was started with SIGTSTP ignored.
    never_stops: bool,
}

/// Whether this process was started with SIGTSTP ignored.
static NEVER_STOPS: AtomicBool = AtomicBool::new(false);

/// The signals of all screens of this process, which are shown one after another, and whether one is up.
static LISTENING: Mutex<Option<(Receiver<Job>, Arc<AtomicBool>)>> = Mutex::new(None);

impl Jobs {
    pub(in crate::tui) fn listen() -> io::Result<Self> {
        let mut listening = LISTENING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((told, is_up)) = &*listening {
            is_up.store(true, Ordering::Relaxed);
            return Ok(Self {
                told: told.clone(),
                is_up: Arc::clone(is_up),
                // The handler that listens hides whether it was ignored; it was not installed if so.
                never_stops: NEVER_STOPS.load(Ordering::Relaxed),
            });
        }
        let never_stops = is_ignored(SIGTSTP);
        let mut signals = Signals::new(if never_stops {
            vec![SIGCONT]
        } else {
            vec![SIGCONT, SIGTSTP]
        })?;
        let (sender, told) = unbounded();
        let is_up = Arc::new(AtomicBool::new(true));
        *listening = Some((told.clone(), Arc::clone(&is_up)));
        NEVER_STOPS.store(never_stops, Ordering::Relaxed);
        let screen_is_up = Arc::clone(&is_up);
        thread::Builder::new().name("job control".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if screen_is_up.load(Ordering::Relaxed) {
                    let _ = sender.send(if signal == SIGTSTP { Job::Stop } else { Job::Continued });
                } else if signal == SIGTSTP && can_be_continued() {
                    // There is no terminal to restore any more. The default action of SIGTSTP cannot be restored, so
                    // SIGSTOP stops the process.
                    let _ = raise(SIGSTOP);
                }
            }
        })?;
        Ok(Self {
            told,
            is_up,
            never_stops,
        })
    }

    /// Returns whether stopping makes sense: some process can continue this one.
    pub(in crate::tui) fn can_stop(&self) -> bool {
        !self.never_stops && can_be_continued()
    }

    /// Stops the process group, and returns when it is continued. A script, or `time`, that started this program must
    /// stop with it; otherwise the shell would not come back.
    ///
    /// SIGSTOP stops the whole group at the same time. This process would catch SIGTSTP and would have to send itself
    /// another signal; in between, a shell that saw the script stop first could continue both.
    pub(in crate::tui) fn stop(&self) -> io::Result<()> {
        kill_current_process_group(Signal::STOP)?;
        while self
            .told
            .recv_timeout(SEEN_WITHIN)
            .is_ok_and(|told| told != Job::Continued)
        {}
        Ok(())
    }

    /// Discards the signals that came up to now.
    pub(in crate::tui) fn forget(&self) {
        self.told.try_iter().for_each(drop);
    }
}

/// Stops the process group that a shell continued in the background, and returns when it is continued again. The kernel
/// does the same to a background process that sets the modes of the terminal.
pub(in crate::tui) fn stop_in_background() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::TTOU)?)
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.is_up.store(false, Ordering::Relaxed);
    }
}

/// Returns whether the process group has a parent that could continue it: a process outside the group in the same
/// session. The kernel drops SIGTSTP if there is none (an "orphaned" process group), as in a terminal that runs only
/// this program.
fn can_be_continued() -> bool {
    let Some(own) = Kin::of(getpid().as_raw_pid()) else {
        return false;
    };
    let mut process = own;
    for _ in 0..MOST_ANCESTORS {
        // There is no parent, or it is outside this PID namespace.
        if process.parent == 0 {
            return false;
        }
        let Some(parent) = Kin::of(process.parent) else {
            return false;
        };
        if parent.group != own.group {
            return parent.session == own.session;
        }
        process = parent;
    }
    false
}

/// Returns the process group of this process, or `None` if its number is unknown.
pub(in crate::tui) fn own_group() -> Option<Pid> {
    Pid::from_raw(Kin::of(getpid().as_raw_pid())?.group)
}

/// Parent, group and session of a process. A parent, group or session outside this PID namespace (in a container) has
/// the number 0. `getpgid`, `getsid` and `getpgrp` of rustix cannot handle 0: they panic, or treat it like any other
/// number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kin {
    parent: i32,
    group: i32,
    session: i32,
}

impl Kin {
    /// Reads the fields four to six of the process's `stat`.
    #[cfg(target_os = "linux")]
    fn of(process: i32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The second field, the name, may have blanks and brackets in it.
        let mut behind_name = stat.rsplit_once(')')?.1.split_whitespace().skip(1);
        let mut number = || behind_name.next()?.parse().ok();
        Some(Self {
            parent: number()?,
            group: number()?,
            session: number()?,
        })
    }

    /// Asks the system calls: other systems have no PID namespaces, and no simple way to get the parent of another
    /// process.
    #[cfg(not(target_os = "linux"))]
    fn of(process: i32) -> Option<Self> {
        use rustix::process::{getpgid, getppid, getsid};
        let pid = Pid::from_raw(process)?;
        Some(Self {
            parent: Pid::as_raw(getppid().filter(|_| pid == getpid())),
            group: getpgid(Some(pid)).ok()?.as_raw_pid(),
            session: getsid(Some(pid)).ok()?.as_raw_pid(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kin_of_a_process_is_what_the_system_calls_say() {
        let own = Kin::of(getpid().as_raw_pid()).unwrap();
        assert_eq!(own.parent, Pid::as_raw(rustix::process::getppid()));
        if own.group != 0 && own.session != 0 {
            assert_eq!(
                Some(own.group),
                rustix::process::getpgid(None).ok().map(Pid::as_raw_pid)
            );
            assert_eq!(
                Some(own.session),
                rustix::process::getsid(None).ok().map(Pid::as_raw_pid)
            );
        }
    }

    #[test]
    fn a_process_is_found_whatever_it_is_called() {
        // The name of a process is cut at 15 bytes.
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("a) R 7 (b 8 9");
        std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        let mut child = std::process::Command::new(program).arg("20").spawn().unwrap();
        let own = Kin::of(getpid().as_raw_pid()).unwrap();
        let of_child = Kin::of(i32::try_from(child.id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(
            of_child,
            Some(Kin {
                parent: getpid().as_raw_pid(),
                ..own
            })
        );
    }
}
