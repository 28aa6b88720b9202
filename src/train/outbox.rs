//! Sends events without ever making the trainer wait for their readers.

use crossbeam_channel::Sender;

use crate::event::{CellIndex, Event, LogKind, Point};

/// The number of unread events from which measurements and progress are left out. A live reader empties the channel
/// many times a second; a stalled reader would otherwise make it grow without limit.
const BACKLOG: usize = 4096;

/// Writes a line into the log of the run: its kind, its cell, and its words.
pub type Log = Box<dyn Fn(LogKind, Option<CellIndex>, &str) + Send>;

/// The sending half of the event channel.
pub struct Outbox {
    events: Sender<Event>,
    log: Option<Log>,
    /// The cell whose points were left out, and their number.
    skipped: Option<(CellIndex, u64)>,
}

impl Outbox {
    /// Returns an outbox that sends into `events`.
    pub fn new(events: Sender<Event>) -> Self {
        Self {
            events,
            log: None,
            skipped: None,
        }
    }

    /// Also writes notices and other log lines into `log` from now on.
    pub fn log_into(&mut self, log: Log) {
        self.log = Some(log);
    }

    /// Writes a line into the log, if there is one.
    pub fn log(&self, kind: LogKind, cell: Option<CellIndex>, words: &str) {
        if let Some(log) = &self.log {
            log(kind, cell, words);
        }
    }

    /// Sends an event that must not be lost: a change of state. Each cell has a bounded number of them.
    ///
    /// A missing reader is not an error: the run directory has the truth.
    pub fn state(&self, event: Event) {
        if let Event::Notice { cell, words } = &event {
            self.log(LogKind::Notice, *cell, words);
        }
        drop(self.events.send(event));
    }

    /// Sends a message to the person watching, about one cell or about the whole sweep.
    pub fn notice(&self, cell: Option<CellIndex>, words: impl Into<String>) {
        let words = words.into();
        self.state(Event::Notice { cell, words });
    }

    /// Sends an event that may be left out while nobody reads.
    ///
    /// Returns whether it was sent.
    pub fn droppable(&self, event: Event) -> bool {
        self.events.len() < BACKLOG && self.events.send(event).is_ok()
    }

    /// Returns the number of unread events.
    pub fn waiting(&self) -> usize {
        self.events.len()
    }

    /// Sends a measurement. If it must be left out, a later event gives the number of points left out.
    pub fn point(&mut self, cell: CellIndex, point: Point) {
        if self.events.len() >= BACKLOG {
            if self.skipped.is_some_and(|(skipping, _)| skipping != cell) {
                self.tell_skipped();
            }
            self.skipped = Some((cell, self.skipped.map_or(0, |(_, count)| count) + 1));
            return;
        }
        self.tell_skipped();
        self.state(Event::Measured {
            cell,
            point: Box::new(point),
        });
    }

    /// Sends the number of points that were left out, if any. Must be called at the latest when their cell ends.
    pub fn tell_skipped(&mut self) {
        if let Some((cell, count)) = self.skipped.take() {
            self.state(Event::PointsSkipped { cell, count });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_stalls_loses_points_but_no_change_of_state() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let mut outbox = Outbox::new(sender);
        for step in 0..BACKLOG as u64 + 10 {
            outbox.point(
                0,
                Point {
                    step,
                    ..Point::default()
                },
            );
        }
        outbox.state(Event::CellStarted { cell: 1 });
        let events: Vec<Event> = receiver.try_iter().collect();
        assert_eq!(events.len(), BACKLOG + 1);
        assert_eq!(events.last(), Some(&Event::CellStarted { cell: 1 }));

        outbox.point(0, Point::default());
        let events: Vec<Event> = receiver.try_iter().collect();
        assert_eq!(events[0], Event::PointsSkipped { cell: 0, count: 10 });
        assert_eq!(events.len(), 2);
    }

    #[test]
    fn points_left_out_are_told_of_their_own_cell() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let mut outbox = Outbox::new(sender);
        for _ in 0..BACKLOG + 2 {
            outbox.point(0, Point::default());
        }
        outbox.point(1, Point::default());
        outbox.tell_skipped();
        let skipped: Vec<Event> = receiver.try_iter().skip(BACKLOG).collect();
        let expected = [(0, 2), (1, 1)].map(|(cell, count)| Event::PointsSkipped { cell, count });
        assert_eq!(skipped, expected);
    }
}
