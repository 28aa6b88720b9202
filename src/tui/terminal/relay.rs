//! Passes on signals that stop the sweep, even while the terminal accepts no output.
//!
//! A write to a stalled terminal (for example if a laptop is closed during an SSH session) blocks the main loop until
//! the connection is given up. A SIGTERM may come in between, and the training thread must still receive it.

use std::io;
use std::thread;

use crossbeam_channel::{Receiver, Sender, select, unbounded};

use crate::event::Command;
use crate::signals::Signal;

/// Asks the training thread to quit when a signal other than SIGHUP comes, and passes every signal on. Stops when
/// dropped.
pub(in crate::tui) struct Relay {
    /// The signals, for the main loop.
    pub(in crate::tui) signals: Receiver<Signal>,
    _stop: Sender<()>,
}

impl Relay {
    pub(in crate::tui) fn start(signals: &Receiver<Signal>, commands: &Sender<Command>) -> io::Result<Self> {
        let (forward, passed_on) = unbounded();
        let (stop, stopped) = unbounded::<()>();
        let (signals, commands) = (signals.clone(), commands.clone());
        thread::Builder::new().name("signal relay".to_owned()).spawn(move || {
            loop {
                select! {
                    recv(stopped) -> _ => return,
                    recv(signals) -> signal => {
                        let Ok(signal) = signal else { return };
                        // The main loop sends the same command as soon as it can. A lost terminal is no reason to stop.
                        if signal != Signal::Hangup {
                            let _ = commands.send(Command::Quit);
                        }
                        let _ = forward.send(signal);
                    }
                }
            }
        })?;
        Ok(Self {
            signals: passed_on,
            _stop: stop,
        })
    }
}
