//! Hands every event of the trainer to everybody who looks.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, unbounded};

use super::standing::{is_of_standing, told};
use crate::event::{Activity, Event};
use crate::monitor::Monitor;
use crate::train::Outbox;

/// Whoever is this many events behind is let go, and may come again.
const MOST_BEHIND: usize = 16_384;

/// Where events are handed on; clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Mutex<Inner>>);

struct Inner {
    standing: Monitor,
    readers: Vec<Reader>,
    over: bool,
}

/// Somebody who looks.
struct Reader {
    outbox: Outbox,
    /// What was measured, too; else it is read from the run directory.
    wants_points: bool,
}

impl Hub {
    /// Begins to hand on what comes from `events`, until they end.
    ///
    /// # Errors
    /// If there can be no thread for it.
    pub fn start(events: Receiver<Event>) -> io::Result<Self> {
        let hub = Self(Arc::new(Mutex::new(Inner {
            standing: Monitor::without_curves(),
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
        self.join_as(true)
    }

    /// How the sweep stands, then every change of that: what was measured is read from the run directory.
    #[must_use]
    pub fn join_without_points(&self) -> Receiver<Event> {
        self.join_as(false)
    }

    fn join_as(&self, wants_points: bool) -> Receiver<Event> {
        let (sender, receiver) = unbounded();
        let mut inner = self.lock();
        for event in told(&inner.standing, Instant::now()) {
            let _ = sender.send(event);
        }
        if !inner.over {
            let outbox = Outbox::new(sender);
            inner.readers.push(Reader { outbox, wants_points });
        }
        receiver
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn hand_on(&mut self, event: &Event) {
        if is_of_standing(event) {
            self.standing.apply(event.clone(), Instant::now());
        }
        self.readers.retain_mut(|Reader { outbox, wants_points }| {
            match event {
                Event::Measured { .. } | Event::PointsSkipped { .. } if !*wants_points => {}
                Event::Measured { cell, point } => outbox.point(*cell, (**point).clone()),
                Event::Activity {
                    activity: Activity::Paused | Activity::Blocked,
                    ..
                } => outbox.state(event.clone()),
                Event::Progress { .. } | Event::Activity { .. } => {
                    outbox.droppable(event.clone());
                }
                _ => outbox.state(event.clone()),
            }
            outbox.waiting() < MOST_BEHIND
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
            let notice = Event::Notice {
                cell: None,
                words: index.to_string(),
            };
            sender.send(notice.clone()).unwrap();
            assert_eq!(awake.recv(), Ok(notice));
        }
        drop(sender);
        assert!(asleep.len() <= MOST_BEHIND);
        assert!(awake.recv().is_err(), "the end is told");
    }

    #[test]
    fn what_was_measured_goes_to_those_alone_who_do_not_read_it_from_disk() {
        let (sender, events) = unbounded();
        let hub = Hub::start(events).unwrap();
        let (all, changes) = (hub.join(), hub.join_without_points());
        let point = Box::default();
        sender.send(Event::Measured { cell: 0, point }).unwrap();
        sender.send(Event::PointsSkipped { cell: 0, count: 3 }).unwrap();
        sender.send(Event::CellStarted { cell: 0 }).unwrap();
        drop(sender);
        assert_eq!(all.iter().count(), 3);
        let told: Vec<Event> = changes.iter().collect();
        assert_eq!(told, [Event::CellStarted { cell: 0 }]);
    }
}
