//! Delivers signals of the system as values in a channel, both for the screen and for plain lines.

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

/// The number of requests to stop after which a process with a screen exits, whatever its main thread does. The first
/// asks for a clean stop. The second asks the main thread to exit now. The third is for a main thread that is stuck,
/// for example in a write to a terminal that accepts no output.
const PATIENCE: u32 = 3;

/// The exit status of a program that its user stopped.
pub const STATUS_STOPPED: u8 = 130;

/// The signals with which people and shells ask a program to end.
const REQUESTS: [i32; 3] = [SIGINT, SIGTERM, SIGQUIT];

/// The signals with which schedulers, limits and timers warn that the process will be killed soon; some are sent
/// repeatedly. By default each of them ends a process.
const WARNINGS: [Number; 7] = [
    Number::USR1,
    Number::USR2,
    Number::XCPU,
    Number::ALARM,
    Number::VTALARM,
    Number::PROF,
    Number::IO,
];

/// Warnings that only Linux has.
#[cfg(target_os = "linux")]
const MORE_WARNINGS: &[Number] = &[
    Number::POWER,
    #[cfg(not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64")))]
    Number::STKFLT,
];
#[cfg(not(target_os = "linux"))]
const MORE_WARNINGS: &[Number] = &[];

/// Real-time signals of Linux, which have numbers but no names. The C library reserves the first ones.
const REAL_TIME: Range<i32> = if cfg!(target_os = "linux") { 34..65 } else { 0..0 };

/// The time that a training process has to end after a signal asked it to stop. After this time it is ended, whatever
/// it is doing.
pub const STOP_WITHIN: Duration = Duration::from_millis(4_500);

/// Set by the signal handlers themselves: on a busy machine the thread that receives signals may be late.
static HAS_COME: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Returns whether this process has received a SIGINT, SIGTERM or SIGQUIT since it started to listen, even if no thread
/// has handled the signal yet.
pub fn has_come() -> bool {
    HAS_COME.load(Ordering::SeqCst)
}

/// A request of the system to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT or SIGQUIT: stop.
    Interrupt,
    /// SIGTERM, or a warning that the process will be killed: stop.
    Terminate,
    /// SIGHUP: the terminal is gone.
    Hangup,
}

/// Starts to listen for signals, which then no longer end the process by themselves. With `within`, for a process that
/// trains, the process ends at the second request to stop, or that long after the first, whatever it is doing; the last
/// checkpoint is on disk.
///
/// SIGINT, SIGTERM and SIGQUIT are requests to stop; a second request means to stop without delay. Every other signal
/// that is sent on purpose and by default ends a process is a warning, for example Slurm's SIGUSR1 before a time limit,
/// or the kernel's SIGXCPU once a second. A warning asks for a clean stop, too; repeated warnings change nothing.
/// Signals of faults (SIGSEGV, SIGABRT and similar) are not handled.
///
/// A hang-up or warning that was ignored when the program started stays ignored; `nohup` relies on this. Requests to
/// stop are handled even then: scripts ignore SIGINT and SIGQUIT for all programs they start in the background, but a
/// person who sends one wants to stop the program. A warning that already has another handler, such as SIGPROF of a
/// profiler, keeps that handler.
///
/// # Errors
/// Returns an error if the handlers or the thread cannot be set up.
pub fn listen(within: Option<Duration>) -> io::Result<Receiver<Signal>> {
    Ok(stand_by(within)?.begin())
}

/// Starts to listen before there is anything to stop: until [`StandBy::begin`], the first request to stop ends the
/// process.
///
/// # Errors
/// Returns an error if the handlers or the thread cannot be set up.
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
        // A signal that cannot be caught keeps its default action.
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

/// A process that listens for signals and has nothing to stop yet.
pub struct StandBy {
    receiver: Receiver<Signal>,
    has_begun: Arc<Mutex<bool>>,
}

impl StandBy {
    /// Returns the receiver of signals. From now on a request to stop is sent to it and no longer ends the process.
    pub fn begin(self) -> Receiver<Signal> {
        *self.has_begun.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.receiver
    }
}

/// The requests and warnings received so far.
#[derive(Debug, Default)]
struct Asked {
    requests: u32,
    is_warned: bool,
}

impl Asked {
    /// Counts a signal.
    fn count(&mut self, number: i32) {
        if REQUESTS.contains(&number) {
            self.requests += 1;
        } else {
            self.is_warned = true;
        }
    }

    /// Returns the number of times that a stop was asked for. The first request after a warning, and any further
    /// warning, ask for the stop that is already in progress and do not add to the number.
    fn stops(&self) -> u32 {
        self.requests.max(u32::from(self.is_warned))
    }
}

/// Makes a write beyond the file size limit return an error; by default it ends the process.
///
/// # Errors
/// Returns an error if the handler cannot be set up.
pub fn outlive_full_files() -> io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
}

fn obey(number: i32, asked: &mut Asked, has_begun: &Mutex<bool>, sender: &Sender<Signal>, within: Option<Duration>) {
    if number == SIGHUP {
        // SIGHUP may arrive more than once; it does not count as a request to stop.
        let _ = sender.send(Signal::Hangup);
        return;
    }
    let before = asked.stops();
    asked.count(number);
    let stops = asked.stops();
    // The lock is held until the process ends, so that nothing can begin in the meantime.
    let has_begun = has_begun.lock().unwrap_or_else(PoisonError::into_inner);
    if !*has_begun {
        leave("stopped by a signal before anything began");
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
        // If the thread cannot be started, a second request still ends the process.
        let _ = thread::Builder::new().name("last resort".to_owned()).spawn(move || {
            thread::sleep(within);
            let waited = within.as_secs_f64();
            leave(&format!(
                "stopped: a computation did not end within {waited} s; {AS_KEPT}"
            ));
        });
    }
    let patience = if within.is_some() { 2 } else { PATIENCE };
    // If the receiver is gone, nothing can stop the process cleanly.
    if !delivered || stops >= patience {
        leave(&if within.is_some() {
            format!("stopped immediately; {AS_KEPT}")
        } else {
            String::new()
        });
    }
}

/// Tells how to continue a run whose computation was interrupted.
pub const AS_KEPT: &str = "`sharptui resume` goes on from the last checkpoint";

/// The time that the last message may take: a terminal or pipe that accepts no output must not keep the process alive.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Ends the process immediately with [`STATUS_STOPPED`], after printing `words` to standard error unless they are
/// empty. Training in another thread is interrupted without any clean-up: a normal exit would destroy the static
/// objects of LibTorch while LibTorch computes, and LibTorch would crash with a page of output.
pub fn leave(words: &str) -> ! {
    static LEAVING: AtomicBool = AtomicBool::new(false);
    if LEAVING.swap(true, Ordering::SeqCst) {
        // Another thread is already ending the process and prints the reason.
        thread::sleep(2 * LAST_WORDS);
    }
    let words = words.to_owned();
    let (say, said) = crossbeam_channel::bounded(1);
    let speaker = thread::Builder::new().name("last words".to_owned()).spawn(move || {
        // The reader may be gone.
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

/// Lets the kernel kill this process as soon as the thread that started it ends, on Linux. Elsewhere the closed pipe
/// to that process must suffice.
pub fn die_with_parent() {
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_parent_process_death_signal(Some(Number::KILL));
    }
}

/// Returns the warning that asks a process of this program to stop cleanly, however often the signal is sent.
pub fn gentle_stop() -> Number {
    // A signal that this process ignores is also ignored by the processes it starts.
    let heeded = WARNINGS.into_iter().find(|number| !is_ignored(number.as_raw()));
    heeded.unwrap_or(Number::TERM)
}

/// Returns whether this process ignores a signal.
pub(crate) fn is_ignored(number: i32) -> bool {
    Masks::read().ignores(number)
}

/// The signals that are ignored or caught at the moment, one bit per signal. Only Linux tells this without a system
/// call that needs `unsafe`.
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

    /// Returns whether the signal has its default action.
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
        // Ctrl-C after a warning is the first request.
        assert_eq!(after(&[SIGINT, warning]), 1);
        assert_eq!(after(&[SIGQUIT]), 2);
        assert_eq!(after(&[warning]), 2);
    }
}
