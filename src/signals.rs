//! SIGINT, SIGTERM and SIGHUP as values in a channel, for the screen and for plain lines alike.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

/// How often SIGINT or SIGTERM has to come before a process with a screen exits whatever its main thread does: the first asks for
/// a clean stop, the second is for the main thread to obey, the third is for a main thread that is stuck, say in a
/// write to a terminal that takes nothing.
const PATIENCE: u32 = 3;

/// Exit status of a program that was stopped by its user.
pub const STATUS_STOPPED: u8 = 130;

/// What the system asks the program to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: stop.
    Interrupt,
    /// SIGTERM: stop.
    Terminate,
    /// SIGHUP: the terminal is gone.
    Hangup,
}

/// Starts to listen; the signals then no longer end the process. One that trains is ended by the second of them and, whatever
/// it is busy with, `within` some time after the first: what a checkpoint has is on disk.
///
/// A SIGHUP that was ignored when the program started stays ignored: that is what `nohup` is for. An ignored SIGINT
/// does not: scripts ignore it for all that they start in the background, and whoever sends one means it.
///
/// # Errors
/// When the handlers or the thread cannot be set up.
pub fn listen(within: Option<Duration>) -> io::Result<Receiver<Signal>> {
    let mut wanted = vec![SIGINT, SIGTERM];
    if !is_ignored(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let signals = Signals::new(wanted)?;
    let (sender, receiver) = crossbeam_channel::unbounded();
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || forward(signals, &sender, within))?;
    Ok(receiver)
}

/// From here on, a file that has reached the size it may have is an error of the write and not the end of the process.
///
/// # Errors
/// When the handler cannot be set up.
pub fn outlive_full_files() -> io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
}

fn forward(mut signals: Signals, sender: &Sender<Signal>, within: Option<Duration>) {
    let patience = if within.is_some() { 2 } else { PATIENCE };
    let mut asked = 0;
    for number in signals.forever() {
        let signal = match number {
            SIGHUP => Signal::Hangup,
            SIGTERM => Signal::Terminate,
            _ => Signal::Interrupt,
        };
        let delivered = sender.send(signal).is_ok();
        if signal == Signal::Hangup {
            // It may come more than once, and is no reason for haste.
            continue;
        }
        asked += 1;
        if let Some(within) = within.filter(|_| asked == 1) {
            // Without the thread, the second signal still ends it.
            let _ = thread::Builder::new().name("last resort".to_owned()).spawn(move || {
                thread::sleep(within);
                let waited = within.as_secs_f64();
                leave(&format!(
                    "stopped: a computation did not end within {waited} s; {AS_KEPT}"
                ));
            });
        }
        // Where nobody receives any more, nobody is left to stop cleanly.
        if !delivered || asked >= patience {
            leave(&if within.is_some() {
                format!("stopped at once; {AS_KEPT}")
            } else {
                String::new()
            });
        }
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

/// Whether a signal is ignored; only Linux says so without a system call that needs `unsafe`.
pub(crate) fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
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
}
