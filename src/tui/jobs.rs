//! Job control: the terminal is given back before this process is stopped, and taken again after it, whoever stopped it.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};
use rustix::process::{Pid, Signal, getpgid, getpid, getppid, getsid, kill_current_process_group};
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
pub(super) struct Jobs {
    /// What came.
    pub(super) told: Receiver<Job>,
    is_up: Arc<AtomicBool>,
    /// Whoever started this process had it ignore SIGTSTP.
    never_stops: bool,
}

impl Jobs {
    pub(super) fn listen() -> io::Result<Self> {
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
    pub(super) fn can_stop(&self) -> bool {
        !self.never_stops && can_be_continued()
    }

    /// Stops the process group, and returns when it is continued: a script, or `time`, that started this program has to stop
    /// with it, or no shell would come back.
    ///
    /// All of it at once, by SIGSTOP: SIGTSTP would have to be caught here and answered by another signal, and a shell that
    /// saw the script stop first could continue both in between.
    pub(super) fn stop(&self) -> io::Result<()> {
        kill_current_process_group(Signal::STOP)?;
        while self
            .told
            .recv_timeout(SEEN_WITHIN)
            .is_ok_and(|told| told != Job::Continued)
        {}
        Ok(())
    }

    /// What came up to now is known.
    pub(super) fn forget(&self) {
        self.told.try_iter().for_each(drop);
    }
}

/// Stops the process group that a shell continued in the background, as the kernel does with one that sets the terminal
/// from there; returns when it is continued again.
pub(super) fn stop_in_background() -> io::Result<()> {
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
    let (Ok(group), Ok(session)) = (getpgid(None), getsid(None)) else {
        return false;
    };
    let mut process = getpid();
    for _ in 0..MOST_ANCESTORS {
        let Some(parent) = parent_of(process) else { return false };
        match getpgid(Some(parent)) {
            Ok(of_parent) if of_parent == group => process = parent,
            Ok(_) => return getsid(Some(parent)).is_ok_and(|of_parent| of_parent == session),
            Err(_) => return false,
        }
    }
    false
}

/// The parent of a process; of another one than this only Linux says it, in the fourth field of its `stat`.
fn parent_of(process: Pid) -> Option<Pid> {
    if process == getpid() {
        return getppid();
    }
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    // The second field, the name, may have blanks and brackets in it.
    let behind_name = stat.rsplit_once(')')?.1;
    Pid::from_raw(behind_name.split_whitespace().nth(1)?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_of_a_process_is_found_whatever_it_is_called() {
        assert_eq!(parent_of(getpid()), getppid());
        if let Some(parent) = getppid().filter(|_| fs::exists("/proc/self/stat").unwrap_or_default()) {
            let by_its_child = fs::read_to_string(format!("/proc/{}/status", parent.as_raw_nonzero())).unwrap();
            let said = by_its_child
                .lines()
                .find_map(|line| line.strip_prefix("PPid:"))
                .unwrap();
            let expected = Pid::from_raw(said.trim().parse().unwrap());
            assert_eq!(parent_of(parent), expected);
        }
    }
}
