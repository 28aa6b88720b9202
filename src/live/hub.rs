//! Hands every event of the trainer to everybody who looks.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, unbounded};

use super::standing::Standing;
use crate::event::{Activity, Event};
use crate::train::Outbox;

/// Whoever is this many events behind is let go, and may come again.
const MOST_BEHIND: usize = 16_384;

/// Where events are handed on; clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Mutex<Inner>>);

struct Inner {
    standing: Standing,
    started: Instant,
    readers: Vec<Outbox>,
    over: bool,
}

impl Hub {
    /// Begins to hand on what comes from `events`, until they end.
    ///
    /// # Errors
    /// If there can be no thread for it.
    pub fn start(events: Receiver<Event>) -> io::Result<Self> {
        let hub = Self(Arc::new(Mutex::new(Inner {
            standing: Standing::default(),
            started: Instant::now(),
            readers: Vec::new(),
            over: false,
        })));
        let inner = hub.clone();
        thread::Builder::new().name("hub".to_owned()).spawn(move || {
            for event in events {
                inner.lock().hand_on(&event);
            }
            let mut inner = inner.lock();
            inner.over = true;
            inner.readers.clear();
        })?;
        Ok(hub)
    }

    /// How the sweep stands, then everything that happens.
    #[must_use]
    pub fn join(&self) -> Receiver<Event> {
        let (sender, receiver) = unbounded();
        let mut inner = self.lock();
        let seconds = inner.started.elapsed().as_secs_f64();
        for mut event in inner.standing.told() {
            if let Event::SweepStarted(plan) = &mut event {
                plan.earlier_seconds += seconds;
            }
            let _ = sender.send(event);
        }
        if !inner.over {
            inner.readers.push(Outbox::new(sender));
        }
        receiver
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn hand_on(&mut self, event: &Event) {
        self.standing.take(event);
        self.readers.retain_mut(|reader| {
            match event {
                Event::Measured { cell, point } => reader.point(*cell, (**point).clone()),
                Event::Activity(Activity::Paused | Activity::Blocked) => reader.state(event.clone()),
                Event::Progress { .. } | Event::Activity(_) => {
                    reader.droppable(event.clone());
                }
                _ => reader.state(event.clone()),
            }
            reader.waiting() < MOST_BEHIND
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_does_not_read_is_let_go_and_the_others_go_on() {
        let (sender, events) = unbounded();
        let hub = Hub::start(events).unwrap();
        let (asleep, awake) = (hub.join(), hub.join());
        let most = MOST_BEHIND + 10;
        for index in 0..most {
            sender.send(Event::Notice(index.to_string())).unwrap();
            assert_eq!(awake.recv(), Ok(Event::Notice(index.to_string())));
        }
        drop(sender);
        assert!(asleep.len() <= MOST_BEHIND);
        assert!(awake.recv().is_err(), "the end is told");
    }
}
