//! Following ends before the sweep does: by signals, a trainer that disappears, or output that fails.

use std::io::{Error, ErrorKind, Write};

use crossbeam_channel::{never, unbounded};

use super::{finished, follow, plan, script};
use crate::characters::Glyphs;
use crate::event::{CellEnding, Command, Event, StopReason, SweepEnding};
use crate::plain::{Ended, Style, run};

#[test]
fn the_first_stop_asks_the_trainer_to_quit_and_waits_for_the_end() {
    let (sender, stop) = unbounded();
    sender.send(()).unwrap();
    let events = vec![plan(), Event::SweepEnded(SweepEnding::Stopped)];
    let (text, ended, asked) = follow(events, &stop, Style::Lines);
    assert!(
        text.starts_with("stopping after the current step; interrupt again to leave immediately\nedge · 3 cells"),
        "{text}"
    );
    assert!(
        text.ends_with("stopped: 3 cells unfinished; continue with: sharptui resume runs/edge\n"),
        "{text}"
    );
    assert_eq!(
        (ended, asked),
        (Ended::Sweep(SweepEnding::Stopped), vec![Command::Quit])
    );
}

#[test]
fn the_second_stop_leaves_at_once() {
    let (sender, stop) = unbounded();
    sender.send(()).unwrap();
    sender.send(()).unwrap();
    let (_trainer, events) = unbounded();
    let (commands, asked) = unbounded();
    let ended = run(&events, &commands, &stop, Vec::new(), Style::Lines, Glyphs::Unicode).unwrap();
    assert_eq!((ended, asked.try_iter().collect()), (Ended::Left, vec![Command::Quit]));
}

#[test]
fn a_process_that_trains_some_cells_does_not_call_the_run_complete() {
    let ended = Event::CellEnded {
        cell: 0,
        ending: CellEnding::Finished(StopReason::Steps),
        summary: finished(),
    };
    let events = vec![
        plan(),
        Event::CellStarted { cell: 0 },
        ended,
        Event::SweepEnded(SweepEnding::Complete),
    ];
    let (text, ..) = follow(events, &never(), Style::Lines);
    assert!(
        text.ends_with(
            "its own cells are complete; of 3 cells in runs/edge, 2 were left to other processes: sharptui attach runs/edge\n"
        ),
        "{text}"
    );
}

#[test]
fn a_watcher_of_signals_that_is_gone_stops_nothing() {
    let (sender, stop) = unbounded();
    drop(sender);
    assert_eq!(
        follow(script(), &stop, Style::Lines),
        follow(script(), &never(), Style::Lines)
    );
}

#[test]
fn a_trainer_that_is_gone_is_said() {
    let (text, ended, _) = follow(vec![plan(), Event::CellStarted { cell: 0 }], &never(), Style::Lines);
    assert!(
        text.contains("the training process exited unexpectedly") && text.contains("unfinished"),
        "{text}"
    );
    assert_eq!(ended, Ended::Lost);
    assert_eq!(follow(Vec::new(), &never(), Style::Lines).1, Ended::Lost);
}

/// An output that accepts `room_bytes` bytes and then fails.
struct Failing {
    written: Vec<u8>,
    room_bytes: usize,
    kind: ErrorKind,
}

impl Write for &mut Failing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.written.len() + bytes.len() > self.room_bytes {
            return Err(Error::from(self.kind));
        }
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Follows the script with this output.
fn follow_into(out: &mut Failing) -> (std::io::Result<Ended>, Vec<Command>) {
    let (sender, receiver) = unbounded();
    for event in script() {
        sender.send(event).unwrap();
    }
    let (commands, asked) = unbounded();
    let ended = run(&receiver, &commands, &never(), out, Style::Lines, Glyphs::Unicode);
    (ended, asked.try_iter().collect())
}

#[test]
fn a_closed_pipe_asks_the_trainer_to_quit_once_and_is_no_error() {
    for room_bytes in [0, 100] {
        let mut out = Failing {
            written: Vec::new(),
            room_bytes,
            kind: ErrorKind::BrokenPipe,
        };
        let (ended, asked) = follow_into(&mut out);
        assert_eq!(ended.unwrap(), Ended::Sweep(SweepEnding::Stopped));
        assert_eq!(asked, [Command::Quit]);
    }
}

#[test]
fn a_full_log_costs_no_training_and_is_an_error_at_the_end() {
    let mut out = Failing {
        written: Vec::new(),
        room_bytes: 100,
        kind: ErrorKind::StorageFull,
    };
    let (ended, asked) = follow_into(&mut out);
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::StorageFull);
    assert!(asked.is_empty() && !out.written.is_empty());
}
