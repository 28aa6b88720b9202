//! The wall clock of a cell: the time of day of its measurements, from the log of the run.
//!
//! A point has the seconds that its cell had run. A cell runs in *stretches*: one from its beginning, and one from each
//! continuation. The log has the time at which each began, and at which most ended; a process that was killed logs no end.

use crate::event::{LogEntry, LogKind};

/// The clock of one cell. Times of day are in seconds since 1970, by the clock of the host that trained the cell.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    stretches: Vec<Stretch>,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    began: f64,
    ended: Option<f64>,
    /// The seconds that the cell had run when the stretch began.
    from: f64,
}

/// A time of day at which the seconds of a cell are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    pub(super) at: f64,
    pub(super) seconds: f64,
}

impl Clock {
    /// Takes in a line about the cell. Returns whether the cell began or continued.
    pub(super) fn take(&mut self, entry: &LogEntry) -> bool {
        let at = entry.at;
        match entry.kind {
            LogKind::Begun => {
                // A cell that begins at step 0 has forgotten what it was before.
                if !entry.words.starts_with("goes on") {
                    self.stretches.clear();
                }
                let (ended, from) = (None, 0.0);
                self.stretches.push(Stretch { began: at, ended, from });
                true
            }
            LogKind::Ended | LogKind::Warning => {
                if let Some(last) = self.stretches.last_mut() {
                    last.ended = Some(at);
                }
                false
            }
            LogKind::Sweep | LogKind::ByHand | LogKind::Notice => false,
        }
    }

    /// Sets the beginning of a cell of which the log says nothing.
    pub(super) fn begin_at(&mut self, at: Option<f64>) {
        if let (true, Some(began)) = (self.stretches.is_empty(), at) {
            let (ended, from) = (None, 0.0);
            self.stretches.push(Stretch { began, ended, from });
        }
    }

    /// Returns whether it is unknown where its last stretch continued, so that [`Self::settle`] needs an anchor.
    pub(super) fn needs_anchor(&self) -> bool {
        matches!(&self.stretches[..], [.., before, _] if before.ended.is_none())
    }

    /// Returns the time at which the last stretch ended, if it is over.
    pub(super) fn ended(&self) -> Option<f64> {
        self.stretches.last()?.ended
    }

    /// Returns the time at which the cell began.
    pub(super) fn began(&self) -> Option<f64> {
        Some(self.stretches.first()?.began)
    }

    /// Computes the seconds at which each stretch began. After a stop that is the length of the stretch before. After a
    /// kill, the last stretch is counted back from `anchor`; earlier ones are assumed to have lasted to the next beginning.
    pub(super) fn settle(&mut self, anchor: Option<Anchor>) {
        let count = self.stretches.len();
        for index in 1..count {
            let before = self.stretches[index - 1];
            let began = self.stretches[index].began;
            let latest = before.from + (before.ended.unwrap_or(began) - before.began).max(0.0);
            let back = anchor.filter(|_| before.ended.is_none() && index + 1 == count);
            let from = back.map_or(latest, |anchor| anchor.seconds - (anchor.at - began).max(0.0));
            // `latest` first: a clock that was set back must not make `clamp` panic.
            self.stretches[index].from = from.min(latest).max(before.from);
        }
    }

    /// Returns the time of day at which the cell had run this long.
    pub(super) fn time(&self, seconds: f64) -> Option<f64> {
        let stretches = self.stretches.iter().rev();
        let of = stretches.clone().find(|stretch| stretch.from < seconds);
        let stretch = of.or(self.stretches.first())?;
        let time = stretch.began + (seconds - stretch.from);
        time.is_finite().then_some(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: f64, kind: LogKind, words: &str) -> LogEntry {
        LogEntry {
            at,
            cell: Some(0),
            kind,
            words: words.to_owned(),
        }
    }

    fn clock(entries: &[(f64, LogKind, &str)], anchor: Option<(f64, f64)>) -> Clock {
        let mut clock = Clock::default();
        for &(at, kind, words) in entries {
            clock.take(&entry(at, kind, words));
        }
        clock.settle(anchor.map(|(at, seconds)| Anchor { at, seconds }));
        clock
    }

    const GOES_ON: (LogKind, &str) = (LogKind::Begun, "goes on from its checkpoint: seed 0");

    #[test]
    fn a_cell_without_a_break_is_counted_from_its_beginning_and_one_that_runs_again_from_the_last_one() {
        let of = clock(&[(1000.0, LogKind::Begun, "begins: seed 0")], None);
        assert_eq!([of.time(0.0), of.time(7.5)], [Some(1000.0), Some(1007.5)]);
        assert_eq!([of.time(f64::NAN), clock(&[], None).time(1.0)], [None, None]);
        let again = [
            (1000.0, LogKind::Begun, "begins"),
            (1010.0, LogKind::Ended, "finished"),
            (5000.0, LogKind::Begun, "begins"),
        ];
        assert_eq!(clock(&again, None).time(2.0), Some(5002.0));
    }

    #[test]
    fn after_a_stop_the_cell_goes_on_where_it_stopped() {
        let of = clock(
            &[
                (1000.0, LogKind::Begun, "begins"),
                (1010.0, LogKind::Ended, "set aside"),
                (2000.0, GOES_ON.0, GOES_ON.1),
            ],
            None,
        );
        assert!(!of.needs_anchor());
        let times = [5.0, 10.0, 11.0].map(|seconds| of.time(seconds));
        assert_eq!(times, [1005.0, 1010.0, 2001.0].map(Some));
    }

    #[test]
    fn after_a_kill_the_last_stretch_is_counted_back_from_where_the_cell_is_known_to_be() {
        let killed = [(1000.0, LogKind::Begun, "begins"), (2000.0, GOES_ON.0, GOES_ON.1)];
        // The checkpoint was of second 60; the process was killed at second 90.
        let of = clock(&killed, Some((2040.0, 100.0)));
        assert!(of.needs_anchor());
        let times = [50.0, 61.0, 100.0].map(|seconds| of.time(seconds));
        assert_eq!(times, [1050.0, 2001.0, 2040.0].map(Some));
        // Without a known place, or with a clock that was set back, times are still in order.
        assert_eq!(clock(&killed, None).time(61.0), Some(1061.0));
        let back = [(1000.0, LogKind::Begun, "begins"), (900.0, GOES_ON.0, GOES_ON.1)];
        assert_eq!(clock(&back, None).time(1.0), Some(901.0));
    }
}
