//! Tests commands that reach a cell in the moment in which it ends.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// The first cell trains until its folder is blocked.
const BLOCKED: &str = "(
    model: Mlp(widths: [4]), learning_rate: 0.1, batch_size: 20, steps: 2000, train_examples: 60, test_examples: 40,
    probes: [(examples: 20)], sweep: (seed: [0, 1]),
)";

fn is_blocked(event: &Event) -> bool {
    matches!(
        event,
        Event::Activity {
            cell: Some(0),
            activity: Activity::Blocked
        }
    )
}

#[test]
fn a_cell_that_ends_before_it_can_be_set_aside_is_not_run_again() {
    let place = Place::new();
    // A folder in place of a file acts like a full disk.
    let wall = place.run_dir().join("cells/000/.summary.json.new");
    let is_first = AtomicBool::new(true);
    let (ended, events) = place.run_with(BLOCKED, &[], move |event| match event {
        Event::CellStarted { cell: 0 } if is_first.swap(false, Ordering::Relaxed) => {
            fs::create_dir(&wall).unwrap();
            None
        }
        event if is_blocked(event) => Some(Command::Skip(0)),
        Event::Queue { order, .. } if order.contains(&0) && wall.exists() => {
            fs::remove_dir(&wall).unwrap();
            None
        }
        _ => None,
    });
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [0, 1]);
    assert!(!place.run_dir().join("cells/000-old-1").exists());
    let last = events.iter().rev().find_map(|event| match event {
        Event::Queue { order, .. } => Some(order.clone()),
        _ => None,
    });
    assert_eq!(last, Some(vec![1]), "the queue is shown without the cell");
}

#[test]
fn a_cell_that_is_aborted_while_it_is_being_set_aside_is_not_run_again() {
    let place = Place::new();
    let wall = place.run_dir().join("cells/000/.checkpoint-a.new");
    let is_first = AtomicBool::new(true);
    let (ended, events) = place.run_with(BLOCKED, &[], move |event| match event {
        Event::CellStarted { cell: 0 } if is_first.swap(false, Ordering::Relaxed) => {
            fs::create_dir(&wall).unwrap();
            vec![Command::Keep(Cells::One(0))]
        }
        event if is_blocked(event) => {
            vec![
                Command::Skip(0),
                Command::Abort(0),
                Command::Hold(1),
                Command::Release(1),
            ]
        }
        // By now both commands have reached the cell.
        Event::Queue { held, .. } if *held == [1] => {
            fs::remove_dir(&wall).unwrap();
            vec![]
        }
        _ => vec![],
    });
    assert_eq!(ended.ending, SweepEnding::Complete);
    assert_eq!(started(&events), [0, 1]);
    assert_eq!(place.endings()[0], (0, CellEnding::Aborted));
}
