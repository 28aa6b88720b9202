//! The screen and the report compare the same cells.

use std::fs;
use std::time::Instant;

use sharptui::event::{CellEnding, StopReason, Summary};
use sharptui::monitor::Monitor;
use sharptui::sweep::told_by_disk;

use crate::bench::{Bench, FINISHED, says};

const AIM: CellEnding = CellEnding::Finished(StopReason::TrainAccuracy);

type Kind = (&'static str, CellEnding, fn(&mut Summary));

/// Returns every kind of cell that is not compared, with the text for it in the table of the report.
fn not_compared() -> Vec<Kind> {
    vec![
        ("(not converged)", AIM, |last| {
            last.lambda_converged = Some(false);
        }),
        ("(measured before the last step)", AIM, |last| {
            last.lambda_step = Some(10);
        }),
        ("could not be measured", AIM, |last| {
            last.values.set("lambda_max", f64::NAN);
            last.lambda_converged = Some(false);
        }),
        ("no: aim not reached", FINISHED, |last| {
            last.reached_aim = Some(false);
        }),
        // A summary of an earlier version.
        ("no: aim not reached", FINISHED, |last| {
            last.reached_aim = None;
        }),
        ("no: its learning rate was changed by hand", AIM, |last| {
            last.changed_by_hand = true;
        }),
        ("no: diverged", CellEnding::Diverged, |_| {}),
        (
            "no: failed: out of memory",
            CellEnding::Failed("out of memory".to_owned()),
            |_| {},
        ),
        ("no: aborted", CellEnding::Aborted, |_| {}),
        ("no: interrupted", CellEnding::Interrupted, |_| {}),
        ("no: to be run again", AIM, |_| {}),
    ]
}

#[test]
fn screen_and_report_give_the_same_rank_correlation_whatever_kinds_of_cells_there_are() {
    let kinds = not_compared();
    let bench = Bench::new(&format!(
        "learning_rate: 0.1, until_train_accuracy: 0.99, sweep: (seed: {:?})",
        (0..6 + kinds.len()).collect::<Vec<_>>()
    ));
    // Of the 15 pairs of these six, one goes up and 14 go down: τ-b = −13/15.
    for (cell, accuracy) in [90.0, 80.0, 70.0, 60.0, 40.0, 50.0].into_iter().enumerate() {
        bench.end_with(cell, &(AIM, 10.0 + cell as f64, accuracy), |last| {
            last.reached_aim = Some(true);
        });
    }
    // In the other cells, accuracy rises with λ_max. If any of them were compared, the correlation would change.
    for (place, (_, ending, change)) in kinds.iter().enumerate() {
        let apart = 1.0 + place as f64;
        bench.end_with(6 + place, &(ending.clone(), 20.0 + apart, 90.0 + 0.5 * apart), |last| {
            last.reached_aim = ending.reached_aim(true);
            change(last);
        });
    }
    let again = 6 + kinds.len() - 1;
    let queue = format!("{{\"order\": [{again}], \"again\": [{again}], \"added\": []}}");
    fs::write(bench.run.path().join("queue.json"), queue).unwrap();

    let mut monitor = Monitor::default();
    for event in told_by_disk(bench.run.path()).unwrap() {
        monitor.apply(event, Instant::now());
    }
    let on_screen = monitor.rank_correlation().unwrap();
    assert_eq!((on_screen.count, on_screen.tau_b), (6, -13.0 / 15.0));
    let interval = on_screen.interval.unwrap();
    let number = |value: f64| format!("{value:.2}").replace('-', "−");
    let words = format!(
        "τ-b {} [{}, {}], 6 cells",
        number(on_screen.tau_b),
        number(interval.low),
        number(interval.high)
    );
    let report = bench.report();
    says(
        &report,
        &[&format!(
            "Over all cells, lower λ_max went with higher test accuracy: {words}."
        )],
    );
    for (place, (said, ..)) in kinds.iter().enumerate() {
        let row = format!("| {:03} | {} |", 6 + place, 6 + place);
        let row = report.lines().find(|line| line.starts_with(&row)).unwrap();
        assert!(row.contains(said), "{said}\n\nis not in\n\n{row}");
    }
}
