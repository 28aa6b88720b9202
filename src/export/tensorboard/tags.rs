//! The names of curves in TensorBoard, grouped by chart.

use std::fmt::Write;

use super::super::run::Run;
use super::super::series::{Part, Series};
use crate::event::Point;
use crate::quantity::{self, LAMBDA_MAX, TEST_ACCURACY};

/// The curves of a run.
pub(super) struct Tags {
    series: Vec<Series>,
    /// The number of probes, if there are several.
    probes: Option<usize>,
}

impl Tags {
    pub(super) fn of(run: &Run) -> Self {
        let most = run.cells.iter().map(|cell| cell.probes).max();
        Self {
            series: Series::all(),
            probes: most.filter(|probes| *probes > 1),
        }
    }

    /// Returns the name of a curve: `lambda/lambda_max`, or `lambda/lambda_max/probe_0` if the run has several probes.
    fn tag(&self, series: &Series, probe: usize) -> String {
        let (chart, key) = (series.quantity.chart.key, series.key);
        if self.probes.is_some() && series.is_of_probe() {
            format!("{chart}/{key}/probe_{probe}")
        } else {
            format!("{chart}/{key}")
        }
    }

    /// Returns the numbers of a point, each with its series and tag.
    pub(super) fn numbers<'a>(&'a self, point: &'a Point) -> impl Iterator<Item = (&'a Series, String, f64)> {
        let probe = quantity::probe_of(point);
        let numbers = self
            .series
            .iter()
            .filter_map(|series| Some((series, series.number(point)?)));
        numbers.map(move |(series, number)| (series, self.tag(series, probe), number))
    }

    /// Returns the results of a cell for the HPARAMS tab: tag, name, description.
    pub(super) fn results(&self) -> Vec<(String, String, &'static str)> {
        let mut results = vec![(
            FINAL_ACCURACY.to_owned(),
            TEST_ACCURACY.label.to_owned(),
            "at the end of cells that finished; NaN for others that have ended",
        )];
        for probe in 0..self.probes.unwrap_or(1) {
            let on = self.probes.map_or_else(String::new, |_| format!(" (probe {probe})"));
            let name = format!("{}{on}", LAMBDA_MAX.label);
            results.push((
                self.final_lambda(probe),
                name,
                "at the end of cells that finished; NaN for others that have ended, and if it did not converge",
            ));
        }
        results
    }

    /// Returns the tag of λ_max at the end of a cell.
    pub(super) fn final_lambda(&self, probe: usize) -> String {
        if self.probes.is_some() {
            format!("final/lambda_max/probe_{probe}")
        } else {
            "final/lambda_max".to_owned()
        }
    }

    /// Returns the number of probes.
    pub(super) fn probes(&self) -> usize {
        self.probes.unwrap_or(1)
    }
}

/// The tag of the test accuracy at the end of a cell.
pub(super) const FINAL_ACCURACY: &str = "final/test_accuracy";

/// Returns the description of a curve that begins with this point, in Markdown.
pub(super) fn description(series: &Series, point: &Point) -> String {
    let quantity = series.quantity;
    let probe = point.lambda.as_ref().map(|lambda| lambda.lambda_on.as_str());
    let meaning = quantity
        .meaning
        .replace(" ({loss})", "")
        .replace("{loss}", "loss")
        .replace("{precision}", "the cell's precision")
        .replace("{probes}", "the probe");
    let label = quantity.label;
    let mut words = match series.part {
        Part::Value => format!("**{label}**: {meaning}"),
        Part::Error => format!("**{}**: the possible error of {label}.", series.key),
        Part::Converged => format!("1 if the search for {label} met its tolerance, else 0."),
    };
    if let Some(probe) = probe.filter(|_| series.is_of_probe()) {
        let _ = write!(words, " Probe: {probe}.");
    }
    words
}
