//! Lines of a sweep in which two cells run at the same time.

use crossbeam_channel::never;

use super::{evaluation, finished, follow, lambda, measured, plan};
use crate::event::{Activity, CellEnding, Event, Point, Progress, StopReason, SweepEnding};
use crate::plain::known::Known;
use crate::plain::{Style, bar};

fn at(step: u64) -> Point {
    Point {
        lambda: Some(lambda(step as f64 / 100.0, 0.01, true)),
        ..evaluation(step, step as f64 / 100.0)
    }
}

fn two_at_once() -> Vec<Event> {
    let ended = |cell| Event::CellEnded {
        cell,
        ending: CellEnding::Finished(StopReason::Steps),
        summary: finished(),
    };
    let activity = |cell, activity| Event::Activity {
        cell: Some(cell),
        activity,
    };
    vec![
        plan(),
        Event::CellStarted { cell: 1 },
        Event::CellStarted { cell: 0 },
        measured(1, at(100)),
        measured(0, at(200)),
        activity(1, Activity::Paused),
        measured(0, evaluation(1_000, 10.0)),
        // Less than ten seconds after the last line of the same cell. Lines of other cells do not count.
        measured(1, evaluation(300, 3.0)),
        Event::Notice {
            cell: Some(0),
            words: "an audit at step 1000 corrected λ_max from 2 to 3".to_owned(),
        },
        measured(0, evaluation(1_400, 14.0)),
        ended(0),
        Event::CellStarted { cell: 2 },
        measured(1, at(400)),
        ended(1),
        Event::SweepEnded(SweepEnding::Stopped),
    ]
}

#[test]
fn lines_of_two_cells_that_run_at_once_are_each_of_their_own() {
    let (text, ..) = follow(two_at_once(), &never(), Style::Lines);
    insta::assert_snapshot!(text);
}

#[test]
fn the_bar_is_of_the_cell_that_was_started_first_and_says_that_more_run() {
    let mut known = Known::new();
    let events = two_at_once();
    for event in &events[..6] {
        known.take(event);
    }
    let progress = Progress {
        step: 500,
        steps_per_second: 12.5,
        ..Progress::default()
    };
    known.take(&Event::Progress { cell: 1, progress });
    assert_eq!(known.monitor.turns.running, [1, 0]);
    let expected = "ETA 00:02:00 · λ_max 1 · test accuracy 81.25 % · paused · 1 more running";
    assert_eq!(bar::message(&known, 1), expected);
    known.take(&Event::CellStarted { cell: 2 });
    assert!(bar::message(&known, 1).ends_with(" · 2 more running"));
}
