//! Signals of the system as values in a channel, for the screen and for plain lines alike.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use rustix::process::Signal as Number;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

/// How often a stop has to be asked for before a process with a screen exits whatever its main thread does: the first asks for
/// a clean stop, the second is for the main thread to obey, the third is for a main thread that is stuck, say in a
/// write to a terminal that takes nothing.
const PATIENCE: u32 = 3;

/// Exit status of a program that was stopped by its user.
pub const STATUS_STOPPED: u8 = 130;

/// What people and shells send for a program to end.
const REQUESTS: [i32; 3] = [SIGINT, SIGTERM, SIGQUIT];

/// What schedulers, limits and timers send, some of them again and again: that the end is near. By default each ends a process.
const WARNINGS: [Number; 7] = [
    Number::USR1,
    Number::USR2,
    Number::XCPU,
    Number::ALARM,
    Number::VTALARM,
    Number::PROF,
    Number::IO,
];

/// The same, of Linux alone.
#[cfg(target_os = "linux")]
const MORE_WARNINGS: &[Number] = &[
    Number::POWER,
    #[cfg(not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64")))]
    Number::STKFLT,
];
#[cfg(not(target_os = "linux"))]
const MORE_WARNINGS: &[Number] = &[];

/// Real-time signals of Linux, which nothing but their number names; the C library keeps the first of them to itself.
const REAL_TIME: Range<i32> = if cfg!(target_os = "linux") { 34..65 } else { 0..0 };

/// How long a process that trains may take to end once a signal asked it to stop; then it is ended whatever it is busy with.
pub const STOP_WITHIN: Duration = Duration::from_millis(4_500);

/// Set by the handlers themselves: on a busy machine the thread that hears of a signal may be late.
static HAS_COME: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Whether a SIGINT, SIGTERM or SIGQUIT has come to this process since it listens, even if nobody has heard of it yet.
pub fn has_come() -> bool {
    HAS_COME.load(Ordering::SeqCst)
}

/// What the system asks the program to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT or SIGQUIT: stop.
    Interrupt,
    /// SIGTERM, or a warning that the process will be killed: stop.
    Terminate,
    /// SIGHUP: the terminal is gone.
    Hangup,
}

/// Starts to listen; the signals then no longer end the process. One that trains is ended by the second request to stop and, whatever
/// it is busy with, `within` some time after the first: what a checkpoint has is on disk.
///
/// A SIGINT, SIGTERM or SIGQUIT is a request to stop, and a second one is in a hurry. Whatever else ends a process by default and is sent on
/// purpose is a warning, such as Slurm's SIGUSR1 before a time limit and the kernel's SIGXCPU once a second: it
/// asks for the same stop, and coming again changes nothing. Signals of a fault (SIGSEGV, SIGABRT and the like) are left alone.
///
/// A signal that was ignored when the program started stays ignored: that is what `nohup` is for. An ignored request
/// does not: scripts ignore SIGINT and SIGQUIT for all that they start in the background, and whoever sends one means it. A warning
/// that something else catches, such as the SIGPROF of a profiler, is left to it.
///
/// # Errors
/// When the handlers or the thread cannot be set up.
pub fn listen(within: Option<Duration>) -> io::Result<Receiver<Signal>> {
    Ok(stand_by(within)?.begin())
}

/// Starts to listen while there is nothing to stop yet: until [`StandBy::begin`], the first request to stop ends the process.
///
/// # Errors
/// When the handlers or the thread cannot be set up.
pub fn stand_by(within: Option<Duration>) -> io::Result<StandBy> {
    let before = Masks::read();
    for number in REQUESTS {
        signal_hook::flag::register(number, Arc::clone(&HAS_COME))?;
    }
    let mut signals = Signals::new(REQUESTS)?;
    if !before.ignores(SIGHUP) {
        signals.handle().add_signal(SIGHUP)?;
    }
    let named = WARNINGS.iter().chain(MORE_WARNINGS).map(|number| number.as_raw());
    for number in named.chain(REAL_TIME).filter(|number| before.leaves(*number)) {
        // One that the system does not let anybody have keeps its default.
        let _ = signals.handle().add_signal(number);
    }
    let (sender, receiver) = crossbeam_channel::unbounded();
    let has_begun = Arc::new(Mutex::new(false));
    let begun = Arc::clone(&has_begun);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut asked = Asked::default();
        for number in signals.forever() {
            obey(number, &mut asked, &begun, &sender, within);
        }
    })?;
    Ok(StandBy { receiver, has_begun })
}

/// A process that listens and has nothing to stop yet.
pub struct StandBy {
    receiver: Receiver<Signal>,
    has_begun: Arc<Mutex<bool>>,
}

impl StandBy {
    /// From here on a request to stop goes to whoever receives, and the process stays.
    pub fn begin(self) -> Receiver<Signal> {
        *self.has_begun.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.receiver
    }
}

/// What asked the process to stop so far.
#[derive(Debug, Default)]
struct Asked {
    requests: u32,
    is_warned: bool,
}

impl Asked {
    /// Counts a signal in.
    fn count(&mut self, number: i32) {
        if REQUESTS.contains(&number) {
            self.requests += 1;
        } else {
            self.is_warned = true;
        }
    }

    /// How often a stop was asked for; a request after a warning asks for what is under way, and so does any further warning.
    fn stops(&self) -> u32 {
        self.requests.max(u32::from(self.is_warned))
    }
}

/// From here on, a file that has reached the size it may have is an error of the write and not the end of the process.
///
/// # Errors
/// When the handler cannot be set up.
pub fn outlive_full_files() -> io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
}

fn obey(number: i32, asked: &mut Asked, has_begun: &Mutex<bool>, sender: &Sender<Signal>, within: Option<Duration>) {
    if number == SIGHUP {
        // It may come more than once, and is no reason for haste.
        let _ = sender.send(Signal::Hangup);
        return;
    }
    let before = asked.stops();
    asked.count(number);
    let stops = asked.stops();
    // Held until the end of the process: what has not begun must not begin meanwhile.
    let has_begun = has_begun.lock().unwrap_or_else(PoisonError::into_inner);
    if !*has_begun {
        leave("stopped by a signal before anything was begun");
    }
    drop(has_begun);
    if stops == before {
        return;
    }
    let signal = if number == SIGINT || number == SIGQUIT {
        Signal::Interrupt
    } else {
        Signal::Terminate
    };
    let delivered = sender.send(signal).is_ok();
    if let Some(within) = within.filter(|_| before == 0) {
        // Without the thread, a second request still ends it.
        let _ = thread::Builder::new().name("last resort".to_owned()).spawn(move || {
            thread::sleep(within);
            let waited = within.as_secs_f64();
            leave(&format!(
                "stopped: a computation did not end within {waited} s; {AS_KEPT}"
            ));
        });
    }
    let patience = if within.is_some() { 2 } else { PATIENCE };
    // Where nobody receives any more, nobody is left to stop cleanly.
    if !delivered || stops >= patience {
        leave(&if within.is_some() {
            format!("stopped at once; {AS_KEPT}")
        } else {
            String::new()
        });
    }
}

/// What is left of a cell whose computation is broken off.
pub const AS_KEPT: &str = "`sharptui resume` goes on from the last checkpoint";

/// How long last words may take: a terminal or a pipe that takes nothing must not keep the process.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Ends the process at once with [`STATUS_STOPPED`], after these words on standard error if there are any. Whatever may be
/// training meanwhile is broken off where it is, and nothing is taken down under it: exiting as usual would destroy the
/// static objects of LibTorch while it computes, and it dies of that with a page of its own words.
pub fn leave(words: &str) -> ! {
    static LEAVING: AtomicBool = AtomicBool::new(false);
    if LEAVING.swap(true, Ordering::SeqCst) {
        // Another thread is at it, and has said why.
        thread::sleep(2 * LAST_WORDS);
    }
    let words = words.to_owned();
    let (say, said) = crossbeam_channel::bounded(1);
    let speaker = thread::Builder::new().name("last words".to_owned()).spawn(move || {
        // Nobody may be there to read them.
        let _ = io::stdout().flush();
        if !words.is_empty() {
            let _ = writeln!(io::stderr(), "{words}");
        }
        let _ = say.send(());
    });
    if speaker.is_ok() {
        let _ = said.recv_timeout(LAST_WORDS);
    }
    signal_hook::low_level::exit(i32::from(STATUS_STOPPED))
}

/// The warning to send to a process of this program that is to stop; it is in no hurry, however often it is told.
pub fn gentle_stop() -> Number {
    // What is ignored here is ignored there.
    let heeded = WARNINGS.into_iter().find(|number| !is_ignored(number.as_raw()));
    heeded.unwrap_or(Number::TERM)
}

/// Whether a signal is ignored.
pub(crate) fn is_ignored(number: i32) -> bool {
    Masks::read().ignores(number)
}

/// What became of signals before anybody listened, a bit a signal; only Linux says so without a system call that needs `unsafe`.
struct Masks {
    ignored: u64,
    caught: u64,
}

impl Masks {
    fn read() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            u64::from_str_radix(line.trim(), 16).ok()
        };
        Self {
            ignored: mask("SigIgn:").unwrap_or(0),
            caught: mask("SigCgt:").unwrap_or(0),
        }
    }

    fn ignores(&self, number: i32) -> bool {
        self.ignored & bit(number) != 0
    }

    /// Whether the signal does what it does by default.
    fn leaves(&self, number: i32) -> bool {
        (self.ignored | self.caught) & bit(number) == 0
    }
}

fn bit(number: i32) -> u64 {
    1 << (number - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_signal_arrives_as_a_value_and_does_not_end_the_process() {
        if is_ignored(SIGHUP) {
            eprintln!("skipped: the tests run under nohup");
            return;
        }
        let signals = listen(None).unwrap();
        signal_hook::low_level::raise(SIGHUP).unwrap();
        assert_eq!(signals.recv_timeout(Duration::from_secs(5)), Ok(Signal::Hangup));
    }

    #[test]
    fn a_warning_that_comes_again_is_no_second_request_and_hurries_nothing() {
        let (warning, mut asked) = (Number::XCPU.as_raw(), Asked::default());
        let mut after = |numbers: &[i32]| {
            for number in numbers {
                asked.count(*number);
            }
            asked.stops()
        };
        assert_eq!(after(&[warning, warning, warning]), 1);
        // Somebody who presses Ctrl-C meanwhile has asked for the first time.
        assert_eq!(after(&[SIGINT, warning]), 1);
        assert_eq!(after(&[SIGQUIT]), 2);
        assert_eq!(after(&[warning]), 2);
    }
}
