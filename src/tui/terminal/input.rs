//! Keys and resizes, read by a thread that no other thread waits for.

use std::io;
use std::thread;

use crossbeam_channel::Receiver;
use crossterm::event::{self, Event};

/// Starts the thread that reads.
///
/// Once its terminal is gone, crossterm's reader neither returns nor fails (its issue 793), so the thread is never
/// joined: it ends with the process.
pub(in crate::tui) fn listen() -> io::Result<Receiver<Event>> {
    let (sender, receiver) = crossbeam_channel::unbounded();
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}
