//! The comparison of the same cells of two runs.

use std::fs;

use sharptui::event::CellEnding;
use sharptui::report;

use super::bench::{Bench, FINISHED, says};

/// Compares two runs, and returns the page as Markdown.
fn compared(first: &Bench, second: &Bench) -> String {
    let out = tempfile::tempdir().unwrap();
    let html = report::write_two(first.run.path(), second.run.path(), Some(out.path())).unwrap();
    assert_eq!(html, out.path().join("report.html"));
    fs::read_to_string(out.path().join("report.md")).unwrap()
}

/// Returns the fields of the row of the section `heading` that begins with these fields.
fn row(page: &str, heading: &str, begins: &[&str]) -> Vec<String> {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap();
    let fields = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(|field| field.trim().to_owned())
            .collect()
    };
    let mut rows = section.lines().filter(|line| line.starts_with('|')).map(fields);
    rows.find(|row| row.iter().zip(begins).all(|(field, begin)| field == begin))
        .unwrap_or_else(|| panic!("{begins:?}\n{section}"))
}

const SWEEP: &str = "batch_size: 50, sweep: (learning_rate: [0.1, 0.2], seed: [0, 1, 2])";

#[test]
fn the_same_cells_are_compared_seed_by_seed_and_the_settings_that_differ_are_named() {
    let seed = |value: &dyn Fn(&str) -> String| value("seed").parse::<f64>().unwrap();
    let rate = |value: &dyn Fn(&str) -> String| value("learning_rate").parse::<f64>().unwrap();
    let first = Bench::ended(&format!("momentum: 0.0, {SWEEP}"), |value| {
        (FINISHED, 20.0 + seed(value), 70.0 + 10.0 * seed(value))
    });
    // The differences in accuracy are 1, 2 and 3 at learning rate 0.1, and 5, 5.1 and 5.2 at 0.2.
    let second = Bench::ended(&format!("momentum: 0.9, {SWEEP}"), |value| {
        let gain = if rate(value) < 0.15 {
            1.0 + seed(value)
        } else {
            5.0 + seed(value) / 10.0
        };
        (FINISHED, 30.0 + seed(value), 70.0 + 10.0 * seed(value) + gain)
    });
    let page = compared(&first, &second);
    assert_eq!(row(&page, "What differs", &["momentum"])[1..], ["0.0", "0.9"]);
    assert!(!page.contains("| device |"), "{page}");
    says(
        &page,
        &[
            "2 combinations of settings have cells that finished in both runs; a difference is B minus A.",
            // Mean 5.1, standard deviation 0.1, t = 4.303 with 2 degrees of freedom: 0.25.
            "Test accuracy was 5.10 points [4.85, 5.35] higher in B than in A at learning_rate 0.2.",
        ],
    );
    // Mean 2, standard deviation 1: half of the interval is 4.303/√3 = 2.48.
    let found = row(&page, "Test accuracy", &["0.1"]);
    assert_eq!(found[3..5], ["+2.0 points [−0.5, 4.5]", "3, paired"], "{found:?}");
    assert!(!page.contains("in A at learning_rate 0.1"), "{page}");
    // Equal differences have no interval.
    let found = row(&page, "λ_max", &["0.1"]);
    assert!(
        found[3].starts_with("+10") && found[3].contains("no interval from 3 equal values"),
        "{found:?}"
    );
}

#[test]
fn cells_that_only_one_run_has_are_not_compared_and_neither_are_those_that_did_not_finish() {
    let first = Bench::new("batch_size: 50, sweep: (learning_rate: [0.1, 0.2], seed: [0, 1])");
    let second = Bench::new("batch_size: 50, sweep: (learning_rate: [0.2, 0.4], seed: [1, 2])");
    for cell in 0..4 {
        first.end(cell, &(FINISHED, 20.0 + cell as f64, 80.0));
        let ending = if cell == 3 { CellEnding::Diverged } else { FINISHED };
        second.end(cell, &(ending, 25.0, 80.0));
    }
    let page = compared(&first, &second);
    says(
        &page,
        &[
            "No setting differs in all cells.",
            "1 combination of settings has cells that finished in both runs",
            "2 cells of A have settings that no cell of the other run has.",
            "2 cells of B have settings that no cell of the other run has.",
            "Left out of B, diverged: cell 003.",
            "In 1 combination, the runs have different seeds",
        ],
    );
    // Seed 1 at learning rate 0.2: cell 3 of the first run, cell 0 of the second.
    let found = row(&page, "λ_max", &["0.2"]);
    assert_eq!(
        found[1..5],
        ["23.00", "25.00", "+2.00, no interval from 1 seed", "1, paired"],
        "{found:?}"
    );

    // Without a common seed, two groups are compared; without a common cell, nothing is.
    let third = Bench::new("batch_size: 50, learning_rate: 0.2, sweep: (seed: [7, 8])");
    let fourth = Bench::new("batch_size: 50, learning_rate: 0.2, sweep: (seed: [3, 4])");
    for cell in 0..2 {
        third.end(cell, &(FINISHED, 20.0 + cell as f64, 80.0));
        fourth.end(cell, &(FINISHED, 30.0 + cell as f64, 80.0));
    }
    let page = compared(&third, &fourth);
    let found = row(&page, "λ_max", &[]);
    assert_eq!(found[0], "A");
    assert!(page.contains("| 2 and 2, not paired |"), "{page}");
    let other = Bench::new("batch_size: 50, sweep: (learning_rate: [0.8, 0.9])");
    let page = compared(&other, &first);
    says(&page, &["So there is nothing to compare."]);
}
