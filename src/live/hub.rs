//! Passes the events of the trainer to all readers: every change of state, and progress at a bounded rate.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};

use super::ration::Ration;
use super::standing::{is_of_standing, told};
use crate::event::{Activity, Event};
use crate::monitor::Monitor;
use crate::train::Outbox;

/// A reader that is this many events behind is disconnected; it may connect again.
const MOST_BEHIND: usize = 16_384;

/// Distributes events. Clones refer to the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Mutex<Inner>>);

struct Inner {
    standing: Monitor,
    readers: Vec<Reader>,
    over: bool,
}

/// One receiver of events.
struct Reader {
    outbox: Outbox,
    /// Whether it gets measured points; other readers read them from the run directory.
    wants_points: bool,
}

impl Hub {
    /// Starts passing on the events of `events`, until that channel closes.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(events: Receiver<Event>) -> io::Result<Self> {
        let hub = Self(Arc::new(Mutex::new(Inner {
            standing: Monitor::without_curves(),
            readers: Vec::new(),
            over: false,
        })));
        let inner = hub.clone();
        thread::Builder::new().name("hub".to_owned()).spawn(move || {
            let mut ration = Ration::default();
            loop {
                let event = match ration.next() {
                    Some(due) => events.recv_deadline(due),
                    None => events.recv().map_err(RecvTimeoutError::from),
                };
                let now = Instant::now();
                let passed_on = match event {
                    Ok(event) => ration.take(&event, now),
                    Err(RecvTimeoutError::Timeout) => ration.due(now),
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                let mut inner = inner.lock();
                for event in passed_on {
                    inner.hand_on(&event);
                }
            }
            let mut inner = inner.lock();
            inner.over = true;
            inner.readers.clear();
        })?;
        Ok(hub)
    }

    /// Returns events that describe the current state of the sweep, followed by all new events.
    #[must_use]
    pub fn join(&self) -> Receiver<Event> {
        self.join_as(true)
    }

    /// Returns events as [`join`](Self::join) does, but without measured points, which the reader reads from the run
    /// directory.
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
        let lasts = |activity| matches!(activity, Activity::Paused | Activity::Blocked);
        // The start and the end of a pause must not be dropped.
        let is_lasting = match event {
            Event::Activity { cell, activity } => lasts(*activity) || self.standing.activity(*cell).is_some_and(lasts),
            _ => false,
        };
        if is_of_standing(event) {
            self.standing.apply(event.clone(), Instant::now());
        }
        self.readers.retain_mut(|Reader { outbox, wants_points }| {
            match event {
                Event::Measured { .. } | Event::PointsSkipped { .. } if !*wants_points => {}
                Event::Measured { cell, point } => outbox.point(*cell, (**point).clone()),
                Event::Progress { .. } | Event::Activity { .. } if !is_lasting => {
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
        assert!(awake.recv().is_err(), "the channel closes");
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

    #[test]
    fn however_far_a_reader_is_behind_it_is_told_that_a_pause_begins_and_ends() {
        let (sender, events) = unbounded();
        let hub = Hub::start(events).unwrap();
        let (asleep, awake) = (hub.join_without_points(), hub.join());
        let activity = |activity| Event::Activity {
            cell: Some(0),
            activity,
        };
        let cell = crate::event::CellPlan::default();
        sender.send(Event::CellAdded(Box::new(cell))).unwrap();
        for index in 0..MOST_BEHIND / 2 {
            let words = index.to_string();
            sender.send(Event::Notice { cell: None, words }).unwrap();
        }
        for told in [
            Activity::Training,
            Activity::Paused,
            Activity::Training,
            Activity::Evaluating,
        ] {
            sender.send(activity(told)).unwrap();
        }
        drop(sender);
        // Every event was passed on before the first is read.
        assert!(awake.iter().count() > MOST_BEHIND / 2);
        let told = asleep.iter().filter(|event| matches!(event, Event::Activity { .. }));
        let expected = [Activity::Paused, Activity::Training].map(activity);
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}
