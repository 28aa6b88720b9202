//! Job control: the terminal is given back before this process is stopped, and taken again after it, whoever stopped it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};
use rustix::process::{Pid, Signal, getpid, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGSTOP, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::raise;

use crate::signals::is_ignored;

/// How long the signal that continued this process is waited for; it comes at once unless the machine is overloaded.
const SEEN_WITHIN: Duration = Duration::from_millis(500);

/// Ancestors that are looked at, so that no loop in what the system says keeps us.
const MOST_ANCESTORS: usize = 64;

/// What a shell, or whoever else stops and continues processes, does to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// SIGTSTP: stop.
    Stop,
    /// SIGCONT: this process was stopped, by itself or by SIGSTOP, and goes on.
    Continued,
}

/// Listens to job control as long as a screen is up.
#[derive(Debug)]
pub(in crate::tui) struct Jobs {
    /// What came.
    pub(in crate::tui) told: Receiver<Job>,
    is_up: Arc<AtomicBool>,
    /// Whoever started this process had it ignore SIGTSTP.
    never_stops: bool,
}

impl Jobs {
    pub(in crate::tui) fn listen() -> io::Result<Self> {
        let never_stops = is_ignored(SIGTSTP);
        let mut signals = Signals::new(if never_stops {
            vec![SIGCONT]
        } else {
            vec![SIGCONT, SIGTSTP]
        })?;
        let (sender, told) = unbounded();
        let is_up = Arc::new(AtomicBool::new(true));
        let screen_is_up = Arc::clone(&is_up);
        thread::Builder::new().name("job control".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if screen_is_up.load(Ordering::Relaxed) {
                    let _ = sender.send(if signal == SIGTSTP { Job::Stop } else { Job::Continued });
                } else if signal == SIGTSTP && can_be_continued() {
                    // There is no terminal to give back any more, and the default of the signal cannot be brought back.
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

    /// Whether stopping makes sense: somebody is there to continue this process.
    pub(in crate::tui) fn can_stop(&self) -> bool {
        !self.never_stops && can_be_continued()
    }

    /// Stops the process group, and returns when it is continued: a script, or `time`, that started this program has to stop
    /// with it, or no shell would come back.
    ///
    /// All of it at once, by SIGSTOP: SIGTSTP would have to be caught here and answered by another signal, and a shell that
    /// saw the script stop first could continue both in between.
    pub(in crate::tui) fn stop(&self) -> io::Result<()> {
        kill_current_process_group(Signal::STOP)?;
        while self
            .told
            .recv_timeout(SEEN_WITHIN)
            .is_ok_and(|told| told != Job::Continued)
        {}
        Ok(())
    }

    /// What came up to now is known.
    pub(in crate::tui) fn forget(&self) {
        self.told.try_iter().for_each(drop);
    }
}

/// Stops the process group that a shell continued in the background, as the kernel does with one that sets the terminal
/// from there; returns when it is continued again.
pub(in crate::tui) fn stop_in_background() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::TTOU)?)
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.is_up.store(false, Ordering::Relaxed);
    }
}

/// Whether the process group has a parent that could continue it: one outside of the group in the same session. The kernel
/// drops SIGTSTP where there is none (an "orphaned" process group), as in a terminal that runs this program alone.
fn can_be_continued() -> bool {
    let Some(own) = Kin::of(getpid().as_raw_pid()) else {
        return false;
    };
    let mut process = own;
    for _ in 0..MOST_ANCESTORS {
        // No parent, or one outside of this PID namespace.
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

/// The group that this process belongs to; nothing where its number cannot be had.
pub(in crate::tui) fn own_group() -> Option<Pid> {
    Pid::from_raw(Kin::of(getpid().as_raw_pid())?.group)
}

/// To whom a process belongs. What lies outside of this PID namespace, as in a container, has the number 0, for which
/// `getpgid`, `getsid` and `getpgrp` of rustix have no room: they panic at it, or take it for a number like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kin {
    parent: i32,
    group: i32,
    session: i32,
}

impl Kin {
    /// From the fields four to six of the process's `stat`.
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

    /// No other system has PID namespaces, and none says the parent of another process so simply.
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
