//! SIGINT, SIGTERM and SIGHUP as values in a channel, for the screen and for plain lines alike.

use std::io;
use std::sync::Arc;
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
                std::process::exit(i32::from(STATUS_STOPPED));
            });
        }
        // Where nobody receives any more, nobody is left to stop cleanly.
        if !delivered || asked >= patience {
            std::process::exit(i32::from(STATUS_STOPPED));
        }
    }
}

/// Whether a signal is ignored; only Linux says so without a system call that needs `unsafe`.
fn is_ignored(signal: i32) -> bool {
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
