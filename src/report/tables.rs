//! The tables of a report.

use super::comparison::{self, Comparison, Step, correlation};
use super::page::Page;
use super::run::{Cell, Measure, Run, Standing};
use super::{findings, number};
use crate::quantity::{self, Format, LAMBDA_MAX, Quantity};
use crate::statistics::{Estimate, Kendall, mean};

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

/// Adds the table that compares every level with the lowest, and has the trend over all levels.
pub(super) fn comparisons(page: &mut Page, run: &Run, comparisons: &[Comparison]) {
    let mut rows = Vec::new();
    for comparison in comparisons {
        let axis = &run.axes[comparison.axis];
        for stratum in &comparison.strata {
            let at: Vec<String> = (0..run.axes.len())
                .filter(|&other| other != comparison.axis)
                .map(|other| run.axes[other].at(stratum.others[other]))
                .collect();
            let steps = stratum.between.iter().map(|(from, _)| from).chain(&stratum.ends);
            for (n, step) in steps.clone().enumerate() {
                let last = n + 1 == steps.clone().count();
                rows.push(step_row(
                    run,
                    comparison,
                    &at.join(", "),
                    axis,
                    step,
                    stratum.trend.filter(|_| last),
                ));
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    page.paragraph(
        "Each level is compared with the lowest level that has values, within each combination of the other settings. \
         Trend: the rank correlation of level and measure over all levels, if there are three or more.",
    );
    let header = [
        "setting",
        "at",
        "measure",
        "from",
        "to",
        "difference and 95 % interval",
        "method",
        "result",
        "trend",
    ];
    page.table(header.map(str::to_owned).to_vec(), rows);
}

fn step_row(
    run: &Run,
    comparison: &Comparison,
    at: &str,
    axis: &super::axis::Axis,
    step: &Step,
    trend: Option<Kendall>,
) -> Vec<String> {
    let measure = comparison.measure;
    let words = match measure {
        Measure::Lambda(probe) => run.lambda_words(probe),
        Measure::TestAccuracy => "test accuracy".to_owned(),
    };
    let end = |(level, mean): (usize, f64)| {
        format!(
            "{}: {}",
            axis.level(level),
            number::value(measure, mean, &step.difference)
        )
    };
    let says = |sign: Option<f64>| match sign {
        Some(sign) if sign > 0.0 => "higher",
        Some(_) => "lower",
        None => "cannot tell",
    };
    vec![
        axis.name(),
        if at.is_empty() { "–".to_owned() } else { at.to_owned() },
        words,
        end(step.from),
        end(step.to),
        number::difference(measure, &step.difference),
        if step.paired { "pairs of seeds" } else { "groups" }.to_owned(),
        says(step.sign()).to_owned(),
        trend.map_or_else(|| "–".to_owned(), |trend| number::correlation(&trend)),
    ]
}

/// Adds the table of the rank correlation of λ_max and test accuracy, over all cells and within each level.
pub(super) fn correlations(page: &mut Page, run: &Run) {
    let mut rows = Vec::new();
    for probe in 0..run.probes.len() {
        let mut put = |cells: String, kendall: Option<Kendall>| {
            rows.push(vec![
                run.lambda_words(probe),
                cells,
                kendall.map_or_else(|| "–".to_owned(), |kendall| number::correlation(&kendall)),
                kendall.map_or_else(|| "–".to_owned(), |kendall| number::significant(kendall.p_value, 2)),
                match kendall.and_then(|kendall| kendall.told_sign()) {
                    Some(sign) if sign > 0.0 => "higher λ_max with higher accuracy",
                    Some(_) => "lower λ_max with higher accuracy",
                    None => "cannot tell",
                }
                .to_owned(),
            ]);
        };
        put("all".to_owned(), correlation(run.compared(), probe));
        for (place, axis) in run.axes.iter().enumerate() {
            for (level, kendall) in findings::levels(run, place, probe) {
                put(axis.at(level), kendall);
            }
        }
    }
    let header = ["measure", "cells", "rank correlation with test accuracy", "p", "result"];
    page.table(header.map(str::to_owned).to_vec(), rows);
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
