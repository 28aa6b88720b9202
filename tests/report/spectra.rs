//! Spectral densities and λ_max of layers in a report.

use sharptui::event::{LayerPoint, SpectrumPoint};

use crate::bench::{Bench, FINISHED, says};

#[test]
fn spectra_are_drawn_and_layers_are_means_over_seeds() {
    let bench = Bench::new("sweep: (learning_rate: [0.1, 0.2], seed: [0, 1])");
    for cell in 0..4 {
        let measure = |point: &mut sharptui::event::Point| {
            point.spectrum = Some(Box::new(SpectrumPoint {
                nodes: vec![vec![30.0, 1.0, -2.0]],
                weights: vec![vec![0.001, 0.5, 0.499]],
            }));
            let layer = |name: &str, lambda_max, converged| LayerPoint {
                name: name.to_owned(),
                parameters: 10,
                lambda_max,
                residual: 0.01,
                converged,
            };
            // The second layer did not converge in the first cell.
            point.layers = vec![
                layer("fc1", 10.0 + cell as f64, true),
                layer("fc2", 2.0 + cell as f64, cell > 0),
            ];
        };
        bench.end_measured(cell, &(FINISHED, 30.0, 80.0), measure, |_| {});
    }
    let report = bench.report();
    // Means of 10 and 11, and of 12 and 13, with t = 12.71 and s/√2 = 0.5.
    says(
        &report,
        &[
            "## Spectral densities",
            "figures/spectra.svg",
            "## λ_max of layers",
            "| learning_rate | fc1 | fc2 |",
            "| 0.1 | 10.5 ± 6.4 | 3.00",
            "| 0.2 | 12.5 ± 6.4 | 4.5 ± 6.4 |",
        ],
    );
    let without = Bench::ended("learning_rate: 0.1, sweep: (seed: [0, 1])", |_| (FINISHED, 30.0, 80.0));
    let report = without.report();
    assert!(!report.contains("Spectral densities") && !report.contains("λ_max of layers"));
}
