//! Several cells that run at the same time.

use super::{
    Activity, CellEnding, CellState, Cells, Duration, Event, Instant, LAMBDA_MAX, Monitor, Point, Runner, Summary,
    SweepEnding, TRAIN_LOSS, busy, finished, left_of, measured_in_two_cells, plan, progress, started,
};

/// Returns a monitor in which cells 0, 2 and 1 of six are started in this order.
fn three(now: Instant) -> Monitor {
    let mut monitor = started(vec![plan(100); 6], now);
    for cell in [0, 2, 1] {
        monitor.apply(Event::CellStarted { cell }, now);
    }
    monitor
}

fn interrupted(cell: usize) -> Event {
    Event::CellEnded {
        cell,
        ending: CellEnding::Interrupted,
        summary: Summary::default(),
    }
}

#[test]
fn each_has_its_own_activity_and_its_own_clocks() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut monitor = three(start);
    monitor.apply(busy(0, Activity::Training), at(1));
    monitor.apply(busy(2, Activity::Auditing), at(3));
    monitor.apply(busy(2, Activity::Auditing), at(4));
    monitor.apply(busy(1, Activity::Paused), at(5));
    let activities = [0, 1, 2, 3].map(|cell| monitor.activity(Some(cell)));
    let expected = [Activity::Training, Activity::Paused, Activity::Auditing].map(Some);
    assert_eq!(activities[..3], expected);
    assert_eq!(activities[3], None);
    let states = [0, 1, 2, 3].map(|cell| monitor.state(cell));
    let (runs, paused) = (CellState::Running, CellState::Paused);
    assert_eq!(states, [runs.clone(), paused, runs, CellState::Queued]);
    let busy_for = [0, 1, 2].map(|cell| monitor.busy_for(Some(cell), at(10)).as_secs());
    assert_eq!(busy_for, [9, 5, 7]);
    monitor.apply(busy(1, Activity::Training), at(15));
    monitor.apply(busy(1, Activity::Paused), at(20));
    let paused_for = |monitor: &Monitor, now| [0, 1, 2].map(|cell| monitor.cell_paused_for(cell, now).as_secs());
    assert_eq!(paused_for(&monitor, at(22)), [0, 12, 0]);
    // A cell that runs again starts without paused time.
    monitor.apply(interrupted(1), at(23));
    monitor.apply(Event::CellStarted { cell: 1 }, at(24));
    assert_eq!(paused_for(&monitor, at(30)), [0, 0, 0]);
    assert_eq!(monitor.activity(Some(1)), None);
}

#[test]
fn the_sweep_is_paused_while_every_running_cell_is() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut monitor = three(start);
    for (cell, second) in [(0, 1), (1, 2), (2, 4)] {
        assert!(!monitor.is_paused(Cells::All));
        monitor.apply(busy(cell, Activity::Paused), at(second));
        assert!(monitor.is_paused(Cells::One(cell)));
    }
    assert!(monitor.is_paused(Cells::All));
    assert_eq!(monitor.paused_for(at(10)), Duration::from_secs(6));
    monitor.apply(busy(1, Activity::Training), at(10));
    assert!(!monitor.is_paused(Cells::All) && monitor.is_paused(Cells::One(0)));
    // The only cell that was training has ended, so the sweep is paused.
    monitor.apply(finished(1, 1.0), at(20));
    assert_eq!(monitor.paused_for(at(23)), Duration::from_secs(9));
    // A cell that starts ends the pause.
    monitor.apply(Event::CellStarted { cell: 3 }, at(25));
    assert_eq!(monitor.paused_for(at(60)), Duration::from_secs(11));
    monitor.apply(Event::SweepEnded(SweepEnding::Stopped), at(61));
    assert_eq!(monitor.paused_for(at(99)), Duration::from_secs(11));
    assert!(!monitor.is_paused(Cells::All) && !monitor.is_paused(Cells::One(0)));
    assert_eq!(
        [0, 2, 3].map(|cell| monitor.state(cell)),
        [const { CellState::Ended(CellEnding::Interrupted) }; 3]
    );
}

#[test]
fn running_cells_stand_between_those_that_have_ended_and_those_that_wait_in_the_order_they_were_started() {
    let now = Instant::now();
    let mut monitor = three(now);
    assert_eq!(monitor.in_order(), [0, 2, 1, 3, 4, 5]);
    monitor.apply(finished(2, 1.0), now);
    assert_eq!(monitor.in_order(), [2, 0, 1, 3, 4, 5]);
    // A skipped cell that still runs is already in the queue, and is listed once.
    let order = vec![5, 3, 4, 0];
    monitor.apply(Event::Queue { order, held: vec![] }, now);
    assert_eq!(monitor.in_order(), [2, 0, 1, 5, 3, 4]);
    monitor.apply(interrupted(0), now);
    assert_eq!(monitor.in_order(), [2, 1, 5, 3, 4, 0]);
    assert_eq!(monitor.turns.running, [1]);
}

#[test]
fn the_cell_that_is_followed_is_left_only_when_it_ends_and_then_for_the_one_started_next() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100); 6], now);
    let mut followed = Vec::new();
    for event in [
        Event::CellStarted { cell: 3 },
        Event::CellStarted { cell: 1 },
        Event::CellStarted { cell: 2 },
        finished(1, 1.0),
        Event::CellStarted { cell: 0 },
        finished(3, 1.0),
        finished(0, 1.0),
        finished(2, 1.0),
        Event::CellStarted { cell: 5 },
    ] {
        monitor.apply(event, now);
        followed.push(monitor.turns.followed.unwrap());
    }
    assert_eq!(followed, [3, 3, 3, 3, 3, 2, 2, 2, 5]);
}

#[test]
fn running_cells_share_the_queue() {
    let now = Instant::now();
    let mut monitor = three(now);
    assert_eq!(monitor.time_left(), None);
    // A cell without a pace is estimated at the mean of the others, 1 s per step: 50, 100 and 100 s are left, and the
    // three queued cells end at 150, 200 and 200 s.
    monitor.apply(progress(0, 50, 50.0, 1.0), now);
    assert_eq!(monitor.time_left(), Some(Duration::from_secs(200)));
    // They have 50, 20 and 40 s left, at 1, 2 and 0.5 s per step. Queued cells take 100 steps each at the mean pace.
    monitor.apply(progress(1, 90, 180.0, 0.5), now);
    monitor.apply(progress(2, 10, 0.0, 0.0), now);
    monitor.apply(progress(2, 20, 5.0, 2.0), now);
    assert_eq!(
        [0, 1, 2].map(|cell| left_of(&monitor, cell)),
        [Some(50), Some(20), Some(40)]
    );
    let pace = monitor.pace_ahead().unwrap();
    assert!((pace - (1.0 + 2.0 + 0.5) / 3.0).abs() < 1e-9, "{pace}");
    // Queued cells start when a lane becomes free: at 20 s, at 40 s, at 50 s.
    let expected = 50.0 + 100.0 * pace;
    let left = monitor.time_left().unwrap().as_secs_f64();
    assert!((left - expected).abs() < 1e-6, "{left} {expected}");
    // Held cells take no time.
    let order = vec![3, 4, 5];
    monitor.apply(
        Event::Queue {
            order,
            held: vec![3, 4, 5],
        },
        now,
    );
    assert_eq!(monitor.time_left(), Some(Duration::from_secs(50)));
}

fn runners(numbers: &[u32]) -> Event {
    let runner = |number: &u32| Runner {
        number: *number,
        device: "flex (CPU)".to_owned(),
        threads: 1,
    };
    Event::Runners(numbers.iter().map(runner).collect())
}

#[test]
fn the_rest_of_the_queue_is_spread_over_all_runners_also_over_those_without_a_cell() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100); 6], now);
    // The pace of the finished cell is 1 s per step. The running cell has 60 steps left at its own pace, 1 s per step.
    for event in [
        Event::CellStarted { cell: 0 },
        finished(0, 100.0),
        Event::CellStarted { cell: 1 },
        progress(1, 0, 0.0, 0.0),
        progress(1, 40, 40.0, 1.0),
    ] {
        monitor.apply(event, now);
    }
    let mut left = |event| {
        monitor.apply(event, now);
        monitor.time_left().map(|left| left.as_secs())
    };
    // 60, then four cells of 100 s.
    assert_eq!(left(runners(&[0])), Some(460));
    // The cells end at 100 (second runner), 160 (first), 200 (second), 260 (first).
    assert_eq!(left(runners(&[0, 1])), Some(260));
    // At 100 (second), 100 (third), 160 (first), 200 (second).
    assert_eq!(left(runners(&[0, 1, 4])), Some(200));
    // One runner for each cell.
    assert_eq!(left(runners(&[0, 1, 4, 5, 6, 7, 8])), Some(100));
    let hold = |held: &[usize]| Event::Queue {
        order: vec![2, 3, 4, 5],
        held: held.to_vec(),
    };
    assert_eq!(left(hold(&[2, 3, 4, 5])), Some(60));
    assert_eq!(left(runners(&[0, 1])), Some(60));
    // A cell at 100 s on the second runner, one at 160 s on the first.
    assert_eq!(left(hold(&[3, 4])), Some(160));
}

#[test]
fn a_cell_that_was_set_aside_takes_the_steps_after_its_checkpoint_only() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100); 3], now);
    for event in [
        Event::CellStarted { cell: 0 },
        finished(0, 100.0),
        Event::CellStarted { cell: 1 },
        runners(&[0]),
    ] {
        monitor.apply(event, now);
    }
    let summary = Summary {
        steps: 70,
        ..Summary::default()
    };
    monitor.apply(
        Event::CellEnded {
            cell: 1,
            ending: CellEnding::Interrupted,
            summary,
        },
        now,
    );
    assert_eq!(monitor.time_left(), Some(Duration::from_secs(100 + 30)));
}

#[test]
fn the_charts_stay_with_the_runner_of_the_cell_that_ended_and_never_leave_a_running_one() {
    let now = Instant::now();
    let mut monitor = started(vec![plan(100); 9], now);
    let takes = |runner, cell| Event::Assigned { cell, runner };
    let starts = |cell| Event::CellStarted { cell };
    for (event, followed) in [
        (runners(&[0, 1]), None),
        (takes(0, 0), None),
        (takes(1, 1), None),
        (starts(1), Some(1)),
        (starts(0), Some(1)),
        // The other runner goes on to its next cell.
        (finished(0, 1.0), Some(1)),
        (takes(0, 2), Some(1)),
        (starts(2), Some(1)),
        // The followed cell ends. Its runner prepares the next one; meanwhile the other runner goes on, too.
        (finished(1, 1.0), Some(1)),
        (takes(1, 3), Some(1)),
        (finished(2, 1.0), Some(1)),
        (takes(0, 4), Some(1)),
        (starts(4), Some(1)),
        (starts(3), Some(3)),
        // The runner of the followed cell is taken away, and its cell is set aside.
        (runners(&[0]), Some(3)),
        (interrupted(3), Some(4)),
        // The followed cell is set aside, and its runner takes another one.
        (interrupted(4), Some(4)),
        (takes(0, 3), Some(4)),
        (starts(3), Some(3)),
        // Another runner is added.
        (runners(&[0, 2]), Some(3)),
        (takes(2, 4), Some(3)),
        (starts(4), Some(3)),
        // The runner dies with its cell, which then goes on in a new one.
        (interrupted(3), Some(3)),
        (runners(&[2, 5]), Some(4)),
        (takes(5, 3), Some(4)),
        (starts(3), Some(4)),
        // Only held cells are left, so that the runner takes none.
        (
            Event::Queue {
                order: vec![5, 6, 7, 8],
                held: vec![5, 6, 7, 8],
            },
            Some(4),
        ),
        (finished(4, 1.0), Some(3)),
        (finished(3, 1.0), Some(3)),
    ] {
        let words = format!("{event:?}");
        monitor.apply(event, now);
        assert_eq!(monitor.turns.followed, followed, "{words}");
    }
}

#[test]
fn a_cell_that_a_runner_has_taken_is_the_next_one_until_it_starts() {
    let now = Instant::now();
    let mut monitor = three(now);
    monitor.apply(runners(&[0, 1, 2, 3]), now);
    monitor.apply(Event::Assigned { cell: 4, runner: 3 }, now);
    monitor.apply(busy(4, Activity::Preparing), now);
    // The trainer no longer lists it.
    monitor.apply(
        Event::Queue {
            order: vec![5, 3],
            held: vec![],
        },
        now,
    );
    assert_eq!(monitor.in_order(), [0, 2, 1, 4, 5, 3]);
    assert_eq!(monitor.runner_of(4).map(|runner| runner.number), Some(3));
    monitor.apply(Event::CellStarted { cell: 4 }, now);
    assert_eq!(monitor.in_order(), [0, 2, 1, 4, 5, 3]);
    assert_eq!(monitor.runner_of(4).map(|runner| runner.number), Some(3));
    assert_eq!(monitor.runner_of(0), None);
    monitor.apply(finished(4, 1.0), now);
    assert_eq!(monitor.runner_of(4), None);
}

#[test]
fn a_progress_that_is_older_than_a_measurement_does_not_take_steps_back() {
    let now = Instant::now();
    let mut monitor = three(now);
    let point = Point {
        step: 70,
        ..Point::default()
    };
    let point = Box::new(point);
    monitor.apply(Event::Measured { cell: 0, point }, now);
    monitor.apply(progress(0, 62, 6.2, 10.0), now);
    assert_eq!(monitor.cells[0].progress.step, 70);
    assert!((monitor.steps_per_second() - 10.0).abs() < 1e-12);
    monitor.apply(progress(0, 80, 8.0, 10.0), now);
    assert_eq!(monitor.cells[0].progress.step, 80);
}

#[test]
fn the_pace_of_all_is_the_sum_over_the_cells_that_are_not_paused() {
    let now = Instant::now();
    let mut monitor = three(now);
    for (cell, pace) in [(0, 10.0), (1, 4.5), (2, 100.0)] {
        monitor.apply(progress(cell, 1, 1.0, pace), now);
    }
    monitor.apply(busy(2, Activity::Paused), now);
    assert!((monitor.steps_per_second() - 14.5).abs() < 1e-12);
}

#[test]
fn a_cell_that_is_prepared_has_its_place_among_those_that_run() {
    let now = Instant::now();
    let mut monitor = three(now);
    for cell in 0..3 {
        monitor.apply(finished(cell, 100.0), now);
    }
    assert_eq!(monitor.time_left(), Some(Duration::from_mins(5)));
    for cell in 3..6 {
        monitor.apply(busy(cell, Activity::Preparing), now);
    }
    assert_eq!(monitor.prepared().collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(monitor.time_left(), Some(Duration::from_secs(100)));
    monitor.apply(Event::CellStarted { cell: 3 }, now);
    assert_eq!(monitor.prepared().collect::<Vec<_>>(), [4, 5]);
    assert_eq!(monitor.activity(Some(3)), Some(Activity::Preparing));
    assert_eq!(monitor.time_left(), Some(Duration::from_secs(100)));
}

#[test]
fn without_curves_everything_else_is_known() {
    let now = Instant::now();
    let mut monitor = Monitor::without_curves();
    let mut with = Monitor::default();
    for event in measured_in_two_cells() {
        monitor.apply(event.clone(), now);
        with.apply(event, now);
    }
    for (cell, like) in monitor.cells.iter().zip(&with.cells) {
        assert_eq!(cell.latest, like.latest);
        assert_eq!(cell.progress, like.progress);
        for quantity in [&TRAIN_LOSS, &LAMBDA_MAX] {
            assert!(cell.curves.of(quantity, 0).is_empty() && !like.curves.of(quantity, 0).is_empty());
        }
    }
}
