//! Signals that stop the sweep are obeyed even while the terminal takes nothing.
//!
//! A write to a terminal that has stalled (a laptop that was closed on an ssh session) blocks the main loop for as long as
//! the connection is not given up, and a SIGTERM may well come in between: the training thread has to hear of it.

use std::io;
use std::thread;

use crossbeam_channel::{Receiver, Sender, select, unbounded};

use crate::event::Command;
use crate::signals::Signal;

/// Passes every signal on, after the training thread was asked to quit; stops when it is dropped.
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
                        // The main loop will ask, too, once it can. A terminal that has gone is no reason to stop.
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
