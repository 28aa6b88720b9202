//! The values under the cursor, as tab-separated text for a spreadsheet.

use std::fmt::Write;

use crate::monitor::Curve;
use crate::number::unsigned_zero;
use crate::quantity::{self, Subject};
use crate::tui::state::scene::Scene;

/// Returns the values of every curve of the chosen cell at the cursor, or the last values if there is no cursor.
///
/// Each line has a name and a value, separated by a tab. If one point of a curve stands for several measurements, the
/// line has their smallest and their largest value. Numbers are not rounded. `None` if there is no cell.
pub(in crate::tui) fn values(scene: &Scene) -> Option<String> {
    let cell = scene.cell()?;
    let curves = &cell.curves;
    let step = scene.view.cursor.unwrap_or(cell.progress.step);
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}\t{value}");
    };
    line("sweep", &scene.monitor.name);
    line("cell", &scene.chosen().to_string());
    for (name, value) in &cell.plan.swept {
        line(name, value);
    }
    line("step", &step.to_string());
    let mut measured = |name: &str, curve: &Curve| {
        if let Some(bucket) = curve.at(step) {
            let doubt = if bucket.unconverged { "\tnot converged" } else { "" };
            let (least, most) = (unsigned_zero(bucket.min), unsigned_zero(bucket.max));
            let value = if least.to_bits() == most.to_bits() {
                format!("{most:?}{doubt}")
            } else {
                format!("{least:?}\t{most:?}{doubt}")
            };
            line(name, &value);
        }
    };
    for quantity in quantity::all() {
        match quantity.subject {
            Subject::Cell => measured(quantity.key, curves.of(quantity, 0)),
            Subject::Probe => {
                for (probe, words) in cell.plan.probes.iter().enumerate() {
                    measured(&format!("{} ({words})", quantity.key), curves.of(quantity, probe));
                }
            }
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::tui::fixture::Fixture;

    #[test]
    fn every_curve_is_copied_with_all_its_digits() {
        let mut fixture = Fixture::half_way();
        fixture.view.cursor = Some(402);
        let scene = Scene {
            monitor: &fixture.monitor,
            view: &fixture.view,
            load: None,
            now: Instant::now(),
        };
        let text = values(&scene).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..5],
            [
                "sweep\tedge-of-stability",
                "cell\t2",
                "learning_rate\t0.05",
                "activation\ttanh",
                "step\t402"
            ]
        );
        let expected = crate::tui::fixture::script::point(2, 400, 0);
        let lambda = expected.lambda.unwrap().lambda_max;
        assert_eq!(
            lines[5],
            format!("lambda_max (training, all 1000 examples)\t{lambda:?}")
        );
        let test_loss = expected.values.get("test_loss").unwrap();
        for line in ["threshold\t40.0".to_owned(), format!("test_loss\t{test_loss:?}")] {
            assert!(lines.contains(&line.as_str()), "{line}: {text}");
        }
        // λ_max and the time per product on each of two probes, and seven other quantities.
        assert_eq!(lines.len(), 5 + 2 * 2 + 7);
    }
}
