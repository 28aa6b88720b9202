//! The names of curves in TensorBoard, grouped by chart.

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

    /// Returns the curves whose last values are the results of a cell: tag, name and description.
    pub(super) fn results(&self) -> Vec<(String, String, &'static str)> {
        let of = |key: &str| self.series.iter().find(|series| series.key == key);
        let mut results = Vec::new();
        let accuracy = of(TEST_ACCURACY.key);
        results.extend(accuracy.map(|series| (self.tag(series, 0), TEST_ACCURACY.label.to_owned(), "the last one")));
        let converged = LAMBDA_MAX.converged_key().and_then(of);
        for probe in 0..self.probes.unwrap_or(1) {
            let on = self.probes.map_or_else(String::new, |_| format!(" (probe {probe})"));
            let name = |words: &str| format!("{words}{on}");
            if let Some(series) = of(LAMBDA_MAX.key) {
                results.push((self.tag(series, probe), name(LAMBDA_MAX.label), "the last measurement"));
            }
            if let Some(series) = converged {
                let words = "1 if the last measurement of λ_max met its tolerance, 0 if λ_max may be larger";
                results.push((self.tag(series, probe), name("λ_max converged"), words));
            }
        }
        results
    }
}

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
        words += &format!(" Probe: {probe}.");
    }
    words
}
