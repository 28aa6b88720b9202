//! The events that bring a newly attached screen up to date.

use std::time::Instant;

use crate::event::{Event, SweepPlan};
use crate::monitor::Monitor;

/// Returns whether an event changes the state of the sweep. Measured points and lines of the log do not; they are read
/// from the run directory.
pub(super) fn is_of_standing(event: &Event) -> bool {
    !matches!(
        event,
        Event::Measured { .. } | Event::PointsSkipped { .. } | Event::History { .. } | Event::Logged(_)
    )
}

/// Returns the events that reproduce the state of the sweep at `now`; none before it has started.
pub(super) fn told(standing: &Monitor, now: Instant) -> Vec<Event> {
    let notices = standing.notices.iter().filter(|note| note.was_told);
    let notices = notices.map(|note| Event::Notice {
        cell: note.cell,
        words: note.words.clone(),
    });
    if standing.run_dir.as_os_str().is_empty() {
        return notices.collect();
    }
    let cells = standing.cells.iter();
    let mut events = vec![Event::SweepStarted(SweepPlan {
        name: standing.name.clone(),
        run_dir: standing.run_dir.clone(),
        device: standing.device.clone(),
        cells: cells.clone().map(|cell| cell.plan.clone()).collect(),
        earlier_seconds: standing.elapsed(now).as_secs_f64(),
    })];
    events.push(Event::Runners(standing.runners.clone()));
    let running = standing.turns.running.iter().copied();
    let assigned = running.clone().chain(standing.prepared());
    events.extend(assigned.filter_map(|cell| {
        let runner = standing.cells[cell].runner?;
        Some(Event::Assigned { cell, runner })
    }));
    events.extend(running.clone().map(|cell| Event::CellStarted { cell }));
    let is_held = cells.enumerate().filter(|(_, cell)| cell.is_held);
    events.push(Event::Queue {
        order: standing.turns.queue.clone(),
        held: is_held.map(|(index, _)| index).collect(),
    });
    for cell in running.clone() {
        let progress = standing.cells[cell].progress_told();
        events.extend(progress.map(|progress| Event::Progress { cell, progress }));
    }
    let cells = running.chain(standing.prepared()).map(Some);
    for cell in cells.chain([None]) {
        let activity = standing.activity(cell);
        events.extend(activity.map(|activity| Event::Activity { cell, activity }));
    }
    events.extend((0..standing.cells.len()).filter_map(|cell| {
        let standing = Some(standing.standing(cell)?.clone());
        Some(Event::Standing { cell, standing })
    }));
    events.extend(notices);
    events.extend(standing.ending.clone().map(Event::SweepEnded));
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Activity, CellEnding, CellPlan, Progress, Summary, SweepEnding};

    fn plan() -> SweepPlan {
        let cell = CellPlan {
            planned_steps: 10,
            steps_per_epoch: 1,
            ..CellPlan::default()
        };
        SweepPlan {
            name: "late".to_owned(),
            run_dir: "runs/late".into(),
            device: "flex".to_owned(),
            cells: vec![cell; 6],
            earlier_seconds: 0.0,
        }
    }

    /// Two cells are running, one of them paused; a third is being prepared, and one has ended.
    fn events() -> Vec<Event> {
        let activity = |cell, activity| Event::Activity { cell, activity };
        let progress = Progress {
            step: 7,
            ..Progress::default()
        };
        vec![
            Event::SweepStarted(plan()),
            Event::CellStarted { cell: 0 },
            Event::CellStarted { cell: 2 },
            Event::CellStarted { cell: 1 },
            Event::CellEnded {
                cell: 0,
                ending: CellEnding::Failed("no memory".to_owned()),
                summary: Summary::default(),
            },
            Event::Queue {
                order: vec![5, 3, 4],
                held: vec![4],
            },
            Event::Progress { cell: 2, progress },
            activity(Some(2), Activity::Training),
            activity(Some(1), Activity::Paused),
            activity(Some(5), Activity::Preparing),
            Event::Notice {
                cell: Some(2),
                words: "words".to_owned(),
            },
        ]
    }

    fn after(events: Vec<Event>, now: Instant) -> Monitor {
        let mut standing = Monitor::without_curves();
        for event in events.into_iter().filter(is_of_standing) {
            standing.apply(event, now);
        }
        standing
    }

    #[test]
    fn whoever_comes_late_knows_what_those_know_who_were_there() {
        let now = Instant::now();
        let there = after(events(), now);
        let late = after(told(&there, now), now);
        assert_eq!(late.turns, there.turns);
        assert_eq!(late.turns.running, [2, 1]);
        for cell in 0..6 {
            assert_eq!(late.state(cell), there.state(cell));
            assert_eq!(late.activity(Some(cell)), there.activity(Some(cell)));
            assert_eq!(late.cells[cell].progress_told(), there.cells[cell].progress_told());
            assert_eq!(late.cells[cell].is_held, there.cells[cell].is_held);
            assert_eq!(late.cells[cell].plan, there.cells[cell].plan);
        }
        // The monitor adds a notice when it sees a cell fail. For a late reader, the failure is already part of the
        // plan.
        let words =
            |monitor: &Monitor| -> Vec<String> { monitor.notices.iter().map(crate::monitor::Note::text).collect() };
        assert_eq!(words(&there), ["cell 0 failed: no memory", "cell 2: words"]);
        assert_eq!(words(&late), ["cell 2: words"]);
    }

    #[test]
    fn the_end_is_told_too_and_before_the_beginning_there_is_nothing() {
        let now = Instant::now();
        assert_eq!(told(&Monitor::without_curves(), now), []);
        let mut over = events();
        over.push(Event::SweepEnded(SweepEnding::Stopped));
        let told = told(&after(over, now), now);
        assert_eq!(told.last(), Some(&Event::SweepEnded(SweepEnding::Stopped)));
        assert!(!told.iter().any(|event| matches!(event, Event::CellStarted { .. })));
    }
}
