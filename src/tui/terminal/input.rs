//! Keys and resizes, read by a thread that no other thread waits for.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crossbeam_channel::Receiver;
use crossterm::event::{self, Event};

/// What the thread reads, once it was started.
static READ: Mutex<Option<Receiver<Event>>> = Mutex::new(None);

/// Starts the thread that reads. Later screens of this process share it; only one of them may be shown at a time.
///
/// Once its terminal is gone, crossterm's reader neither returns nor fails (its issue 793), so the thread is never
/// joined: it ends with the process.
pub(in crate::tui) fn listen() -> io::Result<Receiver<Event>> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(receiver) = &*read {
        return Ok(receiver.clone());
    }
    let (sender, receiver) = crossbeam_channel::unbounded();
    *read = Some(receiver.clone());
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                return;
            }
        }
        // Receivers must see that nothing comes any more.
        *READ.lock().unwrap_or_else(PoisonError::into_inner) = None;
    })?;
    Ok(receiver)
}
