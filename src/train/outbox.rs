//! Events on their way out: the trainer never waits for whoever reads them.

use crossbeam_channel::Sender;

use crate::event::{CellIndex, Event, Point};

/// Events that may wait to be read before measurements and progress are left out. A reader that is alive empties the
/// channel many times a second; one that is not would otherwise make it grow without end.
const BACKLOG: usize = 4096;

/// The sending half of the event channel.
pub struct Outbox {
    events: Sender<Event>,
    skipped: u64,
}

impl Outbox {
    /// An outbox that sends into `events`.
    pub fn new(events: Sender<Event>) -> Self {
        Self { events, skipped: 0 }
    }

    /// Sends what must not be lost: changes of state, of which there are a bounded number a cell.
    ///
    /// A reader that is gone is not an error: what is on disk is the truth.
    pub fn state(&self, event: Event) {
        drop(self.events.send(event));
    }

    /// Sends what may be left out while nobody reads.
    pub fn droppable(&self, event: Event) {
        if self.events.len() < BACKLOG {
            drop(self.events.send(event));
        }
    }

    /// Sends a measurement; if it has to be left out, a later one says how many were.
    pub fn point(&mut self, cell: CellIndex, point: Point) {
        if self.events.len() >= BACKLOG {
            self.skipped += 1;
            return;
        }
        if self.skipped > 0 {
            let count = std::mem::take(&mut self.skipped);
            self.state(Event::PointsSkipped { cell, count });
        }
        self.state(Event::Measured {
            cell,
            point: Box::new(point),
        });
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
}
