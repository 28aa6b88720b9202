//! Numbers and events as text.

use crate::characters::as_typed;
use crate::event::{CellEnding, CellPlan, LambdaPoint, Point, PreconditionedPoint, Summary, SweepPlan};
use crate::monitor::Cell;
use crate::number;
use crate::number::count::counted;
use crate::quantity::{
    Format, LAMBDA_MAX, Lines, PRECONDITIONED_SHARPNESS, PRECONDITIONED_THRESHOLD, Quantity, THRESHOLD, in_lines,
};

/// Formats a number with four significant digits: enough to see a change, short enough to read.
pub(super) fn short(value: f64) -> String {
    number::trimmed(value, 4)
}

/// Formats a fraction from 0 to 1 as per cent.
pub(super) fn per_cent(share: f64) -> String {
    if share.is_nan() { dash() } else { number::percent(share) }
}

/// Formats the value of a quantity.
pub(super) fn value_of(quantity: &Quantity, value: f64) -> String {
    match quantity.format {
        Format::Number => short(value),
        Format::Share => per_cent(value),
        Format::Seconds if value.is_finite() => number::time::seconds(value),
        Format::Seconds => dash(),
    }
}

/// Formats λ_max: with a `?` if it did not converge, and with a dash instead of the number if it is not finite.
pub(super) fn lambda_max(value: f64, converged: bool) -> String {
    let number = if value.is_finite() { short(value) } else { dash() };
    format!("{number}{}", if converged { "" } else { "?" })
}

/// Returns the placeholder for a missing number.
pub(super) fn dash() -> String {
    "-".to_owned()
}

/// Returns the text on one line, without control characters; the message of a failure may contain some.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|character: char| character.is_control() || character.is_whitespace());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Returns the swept settings of a cell, for example " dropout=0.3 seed=1".
pub(super) fn swept(plan: &CellPlan) -> String {
    let settings = plan
        .swept
        .iter()
        .map(|(name, value)| format!(" {name}={}", one_line(value)));
    settings.collect::<Vec<_>>().concat()
}

pub(super) fn sweep_started(plan: &SweepPlan) -> String {
    let has_ended = |cell: &&CellPlan| matches!(&cell.ended, Some((ending, _)) if *ending != CellEnding::Interrupted);
    let before = plan.cells.iter().filter(has_ended).count();
    let before = if before > 0 {
        format!(", {before} of them ended before")
    } else {
        String::new()
    };
    let dir = as_typed(&plan.run_dir);
    format!(
        "{} · {}{before} · {} · {dir}",
        plan.name,
        cells(plan.cells.len()),
        plan.device
    )
}

pub(super) fn cell_started(plan: &CellPlan) -> String {
    let probe = plan
        .probes
        .first()
        .map(|probe| format!(" · λ_max on {probe}"))
        .unwrap_or_default();
    format!("begins, up to {}{probe}", counted(plan.planned_steps, "step"))
}

pub(super) fn measured(plan: &CellPlan, point: &Point, told: &[(&Quantity, u64, f64)]) -> String {
    let planned = match plan.planned_steps {
        0 => String::new(),
        planned => format!("/{planned}"),
    };
    let mut parts = vec![format!("step {}{planned}", point.step)];
    parts.extend(point.lambda.as_ref().map(|lambda| measurement(plan, lambda)));
    let limit = |quantity: &Quantity| {
        let threshold = quantity.value(point)?;
        Some(format!("{} {}", plan.threshold.formula, short(threshold)))
    };
    parts.extend(limit(&THRESHOLD));
    parts.extend(point.preconditioned.as_ref().map(preconditioned));
    parts.extend(limit(&PRECONDITIONED_THRESHOLD).filter(|_| point.preconditioned.is_some()));
    // A value of an earlier step is followed by that step.
    let since = |step| {
        if step == point.step {
            String::new()
        } else {
            format!(" (step {step})")
        }
    };
    parts.extend(told.iter().map(|(quantity, step, value)| {
        let error = quantity
            .uncertainty(point)
            .filter(|error| error.is_finite() && *step == point.step);
        let error = error.map_or_else(String::new, |error| format!(" ± {}", short(error)));
        format!(
            "{} {}{error}{}",
            quantity.label,
            value_of(quantity, *value),
            since(*step)
        )
    }));
    parts.join(" · ")
}

/// The reason why a λ_max measurement has no result.
const NOT_FINITE: &str = "products or vectors are not finite";

/// A measured eigenvalue.
struct Eigenvalue<'a> {
    name: &'a str,
    value: f64,
    residual: f64,
    converged: bool,
    audited: bool,
    corrected_from: Option<f64>,
}

/// Formats one measurement of λ_max; if the cell has several probes, with the name of the probe.
fn measurement(plan: &CellPlan, lambda: &LambdaPoint) -> String {
    let probe = plan.probes.get(lambda.lambda_probe).filter(|_| plan.probes.len() > 1);
    let on = probe.map(|probe| format!(" on {probe}")).unwrap_or_default();
    let found = Eigenvalue {
        name: LAMBDA_MAX.label,
        value: lambda.lambda_max,
        residual: lambda.lambda_residual,
        converged: lambda.lambda_converged,
        audited: lambda.lambda_audited,
        corrected_from: lambda.lambda_corrected_from,
    };
    found.words(&on)
}

/// Formats one measurement of the preconditioned sharpness, on the probe of the line's λ_max.
fn preconditioned(found: &PreconditionedPoint) -> String {
    let found = Eigenvalue {
        name: PRECONDITIONED_SHARPNESS.label,
        value: found.preconditioned_sharpness,
        residual: found.preconditioned_residual,
        converged: found.preconditioned_converged,
        audited: found.preconditioned_audited,
        corrected_from: found.preconditioned_corrected_from,
    };
    found.words("")
}

impl Eigenvalue<'_> {
    fn words(&self, on: &str) -> String {
        let name = self.name;
        if !self.value.is_finite() {
            return format!("{name} could not be measured{on} ({NOT_FINITE})");
        }
        // The files of another program may have the value only.
        if self.residual.is_nan() && self.converged {
            return format!("{name} {}{on}", lambda_max(self.value, true));
        }
        let converged = if self.converged { "converged" } else { "not converged" };
        let audit = match self.corrected_from {
            Some(track) => format!(", corrected from {} by an audit", short(track)),
            None if self.audited => ", audited".to_owned(),
            None => String::new(),
        };
        let value = lambda_max(self.value, self.converged);
        format!(
            "{name} {value}{on} (residual {}, {converged}{audit})",
            short(self.residual)
        )
    }
}

/// Formats the last value of a quantity; `None` if it has none.
pub(super) fn last(quantity: &Quantity, summary: &Summary) -> Option<String> {
    let value = summary.last(quantity)?;
    let is_doubtful = quantity.converged_key().is_some() && summary.converged(quantity) != Some(true);
    let mark = if is_doubtful && value.is_finite() { "?" } else { "" };
    Some(value_of(quantity, value) + mark)
}

/// Returns how a cell ended, with its last values; an empty text if it has not ended.
pub(super) fn cell_ended(cell: &Cell) -> String {
    let Some((ending, summary)) = &cell.plan.ended else {
        return String::new();
    };
    let mut parts = vec![
        one_line(&ending.sentence(summary)),
        format!("step {}/{}", summary.steps, cell.plan.planned_steps),
    ];
    if let Some(value) = summary.last(&LAMBDA_MAX) {
        let converged = summary.lambda_converged == Some(true);
        let number = if value.is_finite() {
            lambda_max(value, converged)
        } else {
            "could not be measured".to_owned()
        };
        // A measurement of an earlier step is followed by that step, too.
        let since = summary.lambda_step.filter(|step| *step != summary.steps);
        let doubts = [
            (value.is_finite() && !converged).then(|| "not converged".to_owned()),
            since.map(|step| format!("step {step}")),
        ];
        let doubts: Vec<String> = doubts.into_iter().flatten().collect();
        let words = if doubts.is_empty() {
            String::new()
        } else {
            format!(" ({})", doubts.join(", "))
        };
        parts.push(format!("λ_max {number}{words}"));
    }
    parts.extend(in_lines(Lines::End).filter_map(|quantity| {
        let value = last(quantity, summary)?;
        Some(format!("{} {value}", quantity.label))
    }));
    parts.push(format!("{:.1} s", summary.seconds));
    if cell.skipped_points > 0 {
        parts.push(format!("{} more points in metrics.jsonl", cell.skipped_points));
    }
    parts.join(" · ")
}

/// Returns a number of cells as text, for example "3 cells".
#[must_use]
pub fn cells(count: usize) -> String {
    counted(count as u64, "cell")
}
