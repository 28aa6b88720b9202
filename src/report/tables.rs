//! The tables of a report.

mod comparisons;
mod correlations;
mod interactions;
mod layers;

use super::comparison;
use super::number;
use super::page::Page;
use super::run::{Cell, Measure, Run, Standing};
use crate::quantity::{self, Format, LAMBDA_MAX, Quantity};
use crate::statistics::{Estimate, Interval, holm, mean};

pub(super) use comparisons::comparisons;
pub(super) use correlations::correlations;
pub(super) use interactions::interactions;
pub(super) use layers::layers;

/// An estimate of a family of comparisons, adjusted for their number.
struct Adjusted {
    /// Its Bonferroni interval, p-value and p-value after Holm's adjustment; `None` if it has no p-value.
    of_family: Option<(Interval, f64, f64)>,
}

impl Adjusted {
    /// Adjusts a family of estimates. Returns them in order, and the number of comparisons: those with a p-value.
    fn family<'a>(estimates: impl Iterator<Item = &'a Estimate>) -> (Vec<Self>, usize) {
        let estimates: Vec<&Estimate> = estimates.collect();
        let p_values: Vec<f64> = estimates.iter().filter_map(|estimate| estimate.p_value()).collect();
        let mut adjusted = holm(&p_values).into_iter();
        let all = estimates.into_iter().map(|estimate| Self {
            of_family: estimate.p_value().and_then(|p_value| {
                let interval = estimate.bonferroni(p_values.len())?;
                Some((interval, p_value, adjusted.next()?))
            }),
        });
        (all.collect(), p_values.len())
    }

    /// Returns the fields of a row: p, p after Holm's adjustment, and Bonferroni interval.
    fn fields(&self, measure: Measure, estimate: &Estimate) -> [String; 3] {
        match self.of_family {
            Some((interval, p_value, adjusted)) => [
                number::p_value(p_value),
                number::p_value(adjusted),
                number::interval(measure, estimate, interval),
            ],
            None => ["–", "–", "–"].map(str::to_owned),
        }
    }
}

/// Returns the name of a measure for tables.
fn words_of(run: &Run, measure: Measure) -> String {
    match measure {
        Measure::Lambda(probe) => run.lambda_words(probe),
        Measure::TestAccuracy => "test accuracy".to_owned(),
    }
}

/// Returns the name of a combination of settings for tables.
fn place(levels: &[String]) -> String {
    if levels.is_empty() {
        "–".to_owned()
    } else {
        levels.join(", ")
    }
}

/// Adds the table with one row per combination of swept settings: means over its seeds.
pub(super) fn combinations(page: &mut Page, run: &Run) {
    let mut header: Vec<String> = run.axes.iter().map(super::axis::Axis::name).collect();
    header.push("cells".to_owned());
    header.extend((0..run.probes.len()).map(|probe| run.lambda_words(probe)));
    let of_cells = of_cells(run);
    header.extend(of_cells.iter().map(|quantity| quantity.label.to_owned()));
    header.push("steps".to_owned());
    if run.has_aim {
        header.push("aim".to_owned());
    }
    let mut rows = Vec::new();
    for levels in comparison::combinations(run, None) {
        let here = |standing: Standing| -> Vec<&Cell> {
            let cells = run
                .cells
                .iter()
                .filter(|cell| cell.levels == levels && cell.standing == standing);
            cells.collect()
        };
        let (compared, unreached) = (here(Standing::Compared), here(Standing::Unreached));
        let groups = [(compared, "reached"), (unreached, "not reached")];
        let has_any = groups.iter().any(|(cells, _)| !cells.is_empty());
        for (cells, aim) in groups {
            // A combination without usable cells also has a row, with the number of cells 0.
            if cells.is_empty() && (has_any || aim != "reached") {
                continue;
            }
            let mut row: Vec<String> = run
                .axes
                .iter()
                .zip(&levels)
                .map(|(axis, level)| axis.level(*level))
                .collect();
            row.push(cells.len().to_string());
            row.extend((0..run.probes.len()).map(|probe| measured(&cells, Measure::Lambda(probe))));
            row.extend(of_cells.iter().map(|quantity| mean_of(quantity, &cells)));
            let steps = cells
                .iter()
                .filter_map(|cell| Some(cell.summary.as_ref()?.steps as f64));
            row.push(mean_words(&steps.collect::<Vec<_>>(), |mean| {
                format!("{:.0}", mean.value)
            }));
            if run.has_aim {
                row.push(if cells.is_empty() {
                    "–".to_owned()
                } else {
                    aim.to_owned()
                });
            }
            rows.push(row);
        }
    }
    page.table(header, rows);
}

/// Returns the quantities that tables show besides λ_max, without those that no cell has. λ_max has one column per
/// probe.
fn of_cells(run: &Run) -> Vec<&'static Quantity> {
    let summaries = || run.cells.iter().filter_map(|cell| cell.summary.as_ref());
    let is_measured = |quantity: &Quantity| summaries().any(|last| last.last(quantity).is_some());
    let further = quantity::in_tables().filter(|quantity| **quantity != LAMBDA_MAX);
    further.filter(|quantity| is_measured(quantity)).collect()
}

fn measured(cells: &[&Cell], measure: Measure) -> String {
    let values: Vec<f64> = cells.iter().filter_map(|cell| cell.value(measure)).collect();
    of_how_many(
        mean_words(&values, |mean| number::mean(measure, mean)),
        values.len(),
        cells.len(),
    )
}

/// Returns the mean of the last values of a quantity, as text.
fn mean_of(quantity: &Quantity, cells: &[&Cell]) -> String {
    let last = |cell: &&Cell| cell.summary.as_ref()?.last(quantity).filter(|value| value.is_finite());
    let values = cells.iter().filter_map(last);
    let (scale, measure) = match quantity.format {
        Format::Share => (100.0, Measure::TestAccuracy),
        Format::Number | Format::Seconds => (1.0, Measure::Lambda(0)),
    };
    let values: Vec<f64> = values.map(|value| value * scale).collect();
    of_how_many(
        mean_words(&values, |mean| number::mean(measure, mean)),
        values.len(),
        cells.len(),
    )
}

fn of_how_many(words: String, values: usize, cells: usize) -> String {
    if values < cells && values > 0 {
        format!("{words} (of {values})")
    } else {
        words
    }
}

fn mean_words(values: &[f64], words: impl Fn(&Estimate) -> String) -> String {
    mean(values).map_or_else(|| "–".to_owned(), |mean| words(&mean))
}

/// Adds the table with one row per cell.
pub(super) fn cells(page: &mut Page, run: &Run) {
    let mut header = vec!["cell".to_owned()];
    header.extend(run.axes.iter().map(super::axis::Axis::name));
    header.push("seed".to_owned());
    header.extend((0..run.probes.len()).map(|probe| run.lambda_words(probe)));
    let of_cells = of_cells(run);
    header.extend(of_cells.iter().map(|quantity| quantity.label.to_owned()));
    header.extend(["steps", "compared"].map(str::to_owned));
    let none = || "–".to_owned();
    let rows = run.cells.iter().map(|cell| {
        let mut row = vec![format!("{:03}", cell.index)];
        row.extend(
            run.axes
                .iter()
                .zip(&cell.levels)
                .map(|(axis, level)| axis.level(*level)),
        );
        row.push(cell.seed.to_string());
        row.extend(
            (0..run.probes.len()).map(|probe| match cell.lambdas.get(probe).copied().flatten() {
                Some(lambda) if !lambda.value.is_finite() => "could not be measured".to_owned(),
                Some(lambda) if lambda.counts => number::significant(lambda.value, 5),
                Some(lambda) => {
                    let why = if lambda.converged {
                        "measured before the last step"
                    } else {
                        "not converged"
                    };
                    format!("{} ({why})", number::significant(lambda.value, 5))
                }
                None => none(),
            }),
        );
        row.extend(of_cells.iter().map(|quantity| {
            let value = cell.summary.as_ref().and_then(|last| last.last(quantity));
            value.map_or_else(none, |value| match quantity.format {
                Format::Share => number::percent(value),
                Format::Number | Format::Seconds => number::significant(value, 4),
            })
        }));
        row.push(cell.summary.as_ref().map_or_else(none, |last| last.steps.to_string()));
        row.push(match &cell.standing {
            Standing::Compared => "yes".to_owned(),
            Standing::Unreached => "no: aim not reached".to_owned(),
            Standing::LeftOut(why) => format!("no: {why}"),
        });
        row
    });
    let rows = rows.collect();
    page.table(header, rows);
}
