//! Which quantity goes with test accuracy: every quantity that was measured at the end of cells.

use std::fs;

use sharptui::event::{Point, PreconditionedPoint};

use crate::bench::{Bench, FINISHED, says};

const CELLS: &str = "learning_rate: 0.1, sweep: (batch_size: [16, 32], dropout: [0.0, 0.5], seed: [0, 1, 2, 3, 4])";

/// Returns a run in which test accuracy rises with the number of the cell and λ_max is the same everywhere; `measure`
/// sets the values of a point from the number of its cell.
fn bench(measure: impl Fn(usize, &mut Point)) -> Bench {
    let bench = Bench::new(CELLS);
    for cell in 0..20 {
        let ended = (FINISHED, 10.0, 60.0 + cell as f64);
        bench.end_measured(cell, &ended, |point| measure(cell, point), |_| {});
    }
    bench
}

/// Returns the row of a quantity in the table.
fn row<'a>(report: &'a str, quantity: &str, among: &str) -> Option<&'a str> {
    let start = format!("| {quantity} | {among} |");
    report.lines().find(|line| line.starts_with(&start))
}

#[test]
fn every_quantity_at_the_end_is_correlated_over_all_cells_and_within_each_level() {
    let bench = bench(|cell, point| {
        // Batch sharpness falls with accuracy within each batch size, but is higher at batch size 32, the second half.
        let level = if cell < 10 { 0.0 } else { 100.0 };
        point.values.set("batch_sharpness", level - cell as f64);
        point.values.set("batch_threshold", 1000.0 - cell as f64);
        point.values.set("gradient_norm", cell as f64);
        point.values.set("eigenvalue_1", cell as f64);
        point.values.set("eigenvalue_1_converged", 1.0);
    });
    let report = bench.report();
    // Of the 190 pairs, 100 are in different halves, and 90 within one: τ = 10/190 over all cells. The interval is
    // tanh(artanh(10/190) ± 1.959964·√(0.437/16)).
    says(
        &report,
        &[
            "### Which quantity goes with test accuracy",
            "- Other quantities, over all cells: higher test accuracy went with higher gradient norm (τ-b +1.00 [0.99, \
             1.00], 20 cells); cannot tell for batch sharpness. At batch size 16: higher test accuracy went with higher \
             gradient norm (τ-b +1.00 [0.94, 1.00], 10 cells), lower batch sharpness (τ-b −1.00 [−1.00, −0.94], 10 cells). At \
             batch size 32: ",
            "| batch sharpness | all cells | 20 | +0.05 [−0.26, 0.36] | 0.77 | 1.0 | cannot tell |",
            "No rank correlation can be computed for λ_max, train loss, train accuracy: ",
            "adjusted for the family of 10 correlations",
        ],
    );
    for among in ["batch size 16", "batch size 32"] {
        let row = row(&report, "batch sharpness", among).unwrap();
        assert!(
            row.contains("| 10 | −1.00 [−1.00, ") && row.ends_with("| lower |"),
            "{row}"
        );
    }
    assert!(row(&report, "batch sharpness", "dropout 0.5").is_some());
    // Its own loss, limits and the numbers of eigenvalues are not compared.
    for none in [
        "test loss",
        "test accuracy",
        "batch threshold",
        "threshold",
        "eigenvalue 1",
    ] {
        assert_eq!(row(&report, none, "all cells"), None);
    }
    let svg = fs::read_to_string(bench.run.path().join("figures/correlations.svg")).unwrap();
    says(
        &svg,
        &["batch sharpness", "gradient norm", "all cells", "batch size 32"],
    );
    assert!(!svg.contains("λ_max<") && !svg.contains("dropout"), "{svg}");
}

#[test]
fn only_what_was_measured_after_the_last_step_and_converged_is_correlated() {
    let bench = bench(|cell, point| {
        // Cells 0 to 3 have the value before the end only, cell 4 a value that is not finite.
        if cell > 3 || point.step < 20 {
            let value = if cell == 4 { f64::NAN } else { cell as f64 };
            point.values.set("batch_sharpness", value);
        }
        // The search for it does not converge in the first ten cells.
        point.preconditioned = Some(PreconditionedPoint {
            preconditioned_sharpness: cell as f64,
            preconditioned_converged: cell > 9,
            ..PreconditionedPoint::default()
        });
    });
    let report = bench.report();
    let of = |quantity: &str| row(&report, quantity, "all cells").unwrap().to_owned();
    assert!(
        of("batch sharpness").contains("| 15 | +1.00 ["),
        "{}",
        of("batch sharpness")
    );
    let preconditioned = of("preconditioned sharpness");
    assert!(preconditioned.contains("| 10 | +1.00 ["), "{preconditioned}");
    // Without curves, the summaries have the last values, and say which of them converged.
    for cell in 0..20 {
        fs::remove_file(bench.cell_path(cell).join("metrics.jsonl")).unwrap();
    }
    let report = bench.report();
    assert_eq!(
        row(&report, "preconditioned sharpness", "all cells"),
        Some(&*preconditioned)
    );
}

#[test]
fn a_quantity_of_probes_has_a_row_for_each_and_a_short_name_in_the_figure() {
    let bench = Bench::ended(
        "learning_rate: 0.1, probes: [(examples: 50), (from: Training, examples: 60)], sweep: (dropout: [0.0, 0.5], \
         seed: [0, 1, 2])",
        |value| {
            let seed: f64 = value("seed").parse().unwrap();
            (FINISHED, 8.0 + seed, 70.0 - seed)
        },
    );
    let report = bench.report();
    let words = "| 6 | −1.00 [−1.00, −0.65] |";
    for probe in ["held-out, 50 examples", "training, 60 examples"] {
        let row = row(&report, &format!("λ_max ({probe})"), "all cells").unwrap();
        assert!(row.contains(words), "{row}");
    }
    // Within a dropout, the three cells have no interval.
    says(
        &report,
        &["| λ_max (held-out, 50 examples) | dropout 0.5 | 3 | −1.00 | 0.33 |"],
    );
    let svg = fs::read_to_string(bench.run.path().join("figures/correlations.svg")).unwrap();
    says(&svg, &["λ_max, probe 0", "λ_max, probe 1"]);
    says(
        &report,
        &["Probe 0 is held-out, 50 examples; probe 1 is training, 60 examples."],
    );
}

#[test]
fn many_correlations_are_folded() {
    let bench = Bench::new("learning_rate: 0.1, sweep: (dropout: [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])");
    for cell in 0..10 {
        let own = cell as f64;
        let measure = |point: &mut Point| {
            for key in ["gradient_norm", "batch_sharpness", "batch_ratio_of_means"] {
                point.values.set(key, own);
            }
        };
        bench.end_measured(cell, &(FINISHED, 10.0 + own, 60.0 + own), measure, |_| {});
    }
    bench.report();
    let html = fs::read_to_string(bench.run.path().join("report.html")).unwrap();
    says(&html, &["<details>\n<summary>All 44 correlations</summary>"]);
}
