//! An export that is opened again has the values of the run.

use sharptui::event::Point;
use sharptui::foreign::Folder;
use sharptui::quantity;
use sharptui::record::{cell_path, read_metrics};

use super::Place;

/// Returns a number as an export has it: with 24 bits in event files. Non-finite numbers are NaN.
fn kept(value: f64, in_32_bits: bool) -> String {
    match value {
        value if !value.is_finite() => "NaN".to_owned(),
        value if in_32_bits => format!("{:?}", value as f32),
        value => format!("{value:?}"),
    }
}

/// Returns everything that is exported of a point.
fn told(point: &Point, in_32_bits: bool) -> Vec<String> {
    let mut told = vec![
        format!("step {}", point.step),
        format!("probe {}", quantity::probe_of(point)),
    ];
    for quantity in quantity::declared() {
        // The points of further probes repeat what belongs to the cell.
        if quantity.subject == quantity::Subject::Cell && quantity::probe_of(point) > 0 {
            continue;
        }
        let parts = [
            quantity.value(point),
            quantity.uncertainty(point),
            quantity
                .outcome(point)
                .map(|outcome| f64::from(u8::from(outcome.converged))),
        ];
        for value in parts.into_iter().flatten() {
            told.push(format!("{} {}", quantity.key, kept(value, in_32_bits)));
        }
    }
    told
}

#[test]
fn csv_and_event_files_of_a_run_opened_as_those_of_another_program_have_the_same_values() {
    let place = Place::with_run();
    place.export(&["--csv", "--to", "small.csv"]);
    place.export(&["--tensorboard", "--to", "events"]);
    for (path, in_32_bits) in [("small.csv", false), ("events", true)] {
        let folder = Folder::open(&place.path(path)).unwrap();
        let plans = folder.plans();
        assert_eq!(plans.len(), 2, "{path}");
        for (cell, run) in folder.runs().enumerate() {
            let swept = [("learning_rate".to_owned(), ["0.05", "0.2"][cell].to_owned())];
            assert_eq!(plans[cell].swept, swept, "{path}");
            assert_eq!(plans[cell].probes.len(), 2);
            let own = read_metrics(&cell_path(&place.path("runs/small"), cell))
                .unwrap()
                .points;
            let read: Vec<Point> = folder.points(run).collect();
            let tell =
                |points: &[Point]| -> Vec<Vec<String>> { points.iter().map(|point| told(point, in_32_bits)).collect() };
            assert_eq!(tell(&read), tell(&own), "{path}, cell {cell}");
            for (read, own) in read.iter().zip(&own) {
                let times = |point: &Point| [point.seconds, point.epoch].map(f64::to_bits);
                assert!(in_32_bits || times(read) == times(own));
                assert!(
                    in_32_bits
                        || read.lambda.as_ref().map(|on| &on.lambda_on) == own.lambda.as_ref().map(|on| &on.lambda_on)
                );
            }
        }
    }
}
