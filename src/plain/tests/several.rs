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
fn the_bar_of_several_cells_is_of_the_sweep_and_that_of_one_cell_of_the_cell() {
    let mut known = Known::new();
    let events = two_at_once();
    for event in &events[..5] {
        known.take(event);
    }
    for (cell, steps_per_second) in [(0, 12.5), (1, 10.0)] {
        let progress = Progress {
            step: 500,
            steps_per_second,
            ..Progress::default()
        };
        known.take(&Event::Progress { cell, progress });
    }
    // Cells of 2,000 steps: two with 1,500 steps left, at 12.5 and 10 steps per second; the first one that is free, after
    // 120 s, takes the third at the mean of 0.08 and 0.1 s per step, 180 s.
    assert_eq!(bar::message_of_all(&known), "2 running · 22.5 steps/s · ETA 00:05:00");
    known.take(&events[5]);
    let paused = "2 running · 1 of them paused · 12.5 steps/s · ETA 00:05:00";
    assert_eq!(bar::message_of_all(&known), paused);
    let expected = "ETA 00:02:30 · λ_max 1 · test accuracy 81.25 % · paused";
    assert_eq!(bar::message(&known, 1), expected);
}
