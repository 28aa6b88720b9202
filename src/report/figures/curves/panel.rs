//! The content of one panel of a figure of curves.

use super::super::lambda_label;
use crate::event::Point;
use crate::quantity::{self, Format, Kept, LAMBDA_MAX, Line, Quantity, Subject};
use crate::report::run::Run;

/// The content of one panel: a quantity, and the probe if the quantity belongs to probes.
#[derive(Clone, Copy)]
pub(in crate::report::figures) struct Panel {
    pub(super) quantity: &'static Quantity,
    pub(super) probe: usize,
}

impl Panel {
    /// λ_max on the first probe.
    pub(in crate::report::figures) const LAMBDA: Self = Self {
        quantity: &LAMBDA_MAX,
        probe: 0,
    };

    /// Returns every panel.
    pub(in crate::report::figures) fn all(run: &Run) -> Vec<Self> {
        let shown = |quantity: &&Quantity| quantity.told.kept >= Kept::InCsv && quantity.line != Line::Limit;
        let probes = |quantity: &'static Quantity| {
            let probes = match quantity.subject {
                Subject::Cell => 1,
                Subject::Probe => run.probes.len(),
            };
            (0..probes).map(move |probe| Self { quantity, probe })
        };
        quantity::all().filter(shown).flat_map(probes).collect()
    }

    /// Returns the value in a point, in percent if it is a fraction; `None` if it is left out of the line.
    pub(in crate::report::figures) fn value(self, point: &Point) -> Option<f64> {
        let value = self.quantity.value(point)?;
        if self.quantity.subject == Subject::Probe && quantity::probe_of(point) != self.probe {
            return None;
        }
        let converged = self.quantity.outcome(point).is_none_or(|outcome| outcome.converged);
        // A value that is not finite interrupts the line. A finite value that did not converge is left out of the line.
        (converged || !value.is_finite()).then_some(match self.quantity.format {
            Format::Share => value * 100.0,
            Format::Number | Format::Seconds => value,
        })
    }

    /// Returns the label of the vertical axis.
    pub(in crate::report::figures) fn words(self, run: &Run) -> String {
        let label = self.quantity.label;
        match (self.quantity.subject, self.quantity.format) {
            (Subject::Probe, _) if self.quantity.key == LAMBDA_MAX.key => lambda_label(run, self.probe),
            (Subject::Probe, Format::Seconds) if run.probes.len() > 1 => {
                format!("{label} / s ({})", run.probes[self.probe])
            }
            (Subject::Probe, _) if run.probes.len() > 1 => format!("{label} ({})", run.probes[self.probe]),
            (_, Format::Seconds) => format!("{label} / s"),
            (_, Format::Share) => format!("{label} / %"),
            (_, Format::Number) => label.to_owned(),
        }
    }

    /// Returns the limit of the quantity on the same chart, if the quantity is the main line.
    pub(in crate::report::figures) fn limit(self) -> Option<&'static Quantity> {
        let is_main = self.quantity.line == Line::Main;
        is_main.then(|| self.quantity.chart.line(Line::Limit)).flatten()
    }

    /// Returns whether its axis may be logarithmic.
    pub(in crate::report::figures) fn may_log(self) -> bool {
        self.quantity.format != Format::Share
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Scale, Span};
    use super::super::lines::lines;
    use super::*;
    use crate::event::LambdaPoint;

    #[test]
    fn a_lambda_max_that_could_not_be_had_breaks_the_line_and_an_unconverged_one_is_left_out_of_it() {
        let panel = Panel::LAMBDA;
        let points = [(1.0, true), (2.0, false), (3.0, true), (f64::NAN, false), (4.0, true)];
        let curve: Vec<(f64, f64)> = points
            .into_iter()
            .zip(0..)
            .filter_map(|((lambda_max, lambda_converged), step)| {
                let lambda = LambdaPoint {
                    lambda_max,
                    lambda_converged,
                    ..LambdaPoint::default()
                };
                let point = Point {
                    lambda: Some(lambda),
                    ..Point::default()
                };
                Some((f64::from(step), panel.value(&point)?))
            })
            .collect();
        assert_eq!(
            curve.iter().map(|(step, _)| *step).collect::<Vec<_>>(),
            [0.0, 2.0, 3.0, 4.0]
        );
        let y = Span {
            low: 0.0,
            high: 5.0,
            scale: Scale::Linear,
        };
        assert_eq!(lines(&curve, y).len(), 2);
    }
}
