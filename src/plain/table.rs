//! The table of the cells at the end of the output, and the line below it.

use crate::characters::{Glyphs, as_typed};
use crate::event::{CellIndex, Summary, SweepEnding, Values};
use crate::monitor::{Cell, CellState};
use crate::number::count::counted;
use crate::quantity::{self, Kept, LAMBDA_MAX, Lines, Quantity, in_lines};

use super::Ended;
use super::known::{Known, ended};
use super::words::{self, cells, dash, one_line};

/// Spaces between columns.
const GAP: &str = "  ";

/// Returns the table: a line of titles, one line per cell, and a line with the probe of λ_max. Returns no lines if no
/// cell is known. The columns are aligned for the characters of `glyphs`.
pub(super) fn table(known: &Known, glyphs: Glyphs) -> Vec<String> {
    let cells = &known.monitor.cells;
    if cells.is_empty() {
        return Vec::new();
    }
    let mut swept: Vec<&str> = Vec::new();
    let mut probes: Vec<&str> = Vec::new();
    for Cell { plan: cell, .. } in cells {
        for (name, _) in &cell.swept {
            if !swept.contains(&name.as_str()) {
                swept.push(name);
            }
        }
        if let Some(probe) = cell.probes.first().filter(|probe| !probes.contains(&probe.as_str())) {
            probes.push(probe);
        }
    }
    let quantities = quantities(cells, known.monitor.foreign.is_some());
    let told = quantities.iter().map(|quantity| quantity.column);
    let results: Vec<&str> = ["steps", LAMBDA_MAX.column]
        .into_iter()
        .chain(told)
        .chain(["seconds"])
        .collect();
    // If cells differ in the probe of λ_max, the probe is a column; otherwise it is in the line below the table.
    let probe_column = (probes.len() > 1).then_some("λ_max on");
    let settings = ["cell"].into_iter().chain(swept.iter().copied());
    let titles = settings
        .chain(probe_column)
        .chain(["state"])
        .chain(results.iter().copied());
    let mut rows: Vec<Vec<String>> = vec![titles.map(str::to_owned).collect()];
    for (index, cell) in cells.iter().enumerate() {
        let plan = &cell.plan;
        let value = |name: &&str| plan.swept.iter().find(|(swept, _)| swept == name);
        let settings = swept
            .iter()
            .map(|name| value(name).map_or_else(dash, |(_, value)| words::one_line(value)));
        let probe = probe_column.map(|_| plan.probes.first().cloned().unwrap_or_else(dash));
        let number = [index.to_string()].into_iter();
        rows.push(
            number
                .chain(settings)
                .chain(probe)
                .chain([state(known, index)])
                .chain(results_of(cell, &quantities, known.monitor.foreign.is_some()))
                .collect(),
        );
    }
    for text in rows.iter_mut().flatten() {
        *text = glyphs.spelled(text.as_str()).into_owned();
    }
    let left = rows[0].len() - results.len();
    let marked = |mark: char| {
        rows.iter()
            .any(|row| row[left..].iter().any(|text| text.contains(mark)))
    };
    let (unconverged, older) = (marked('?'), marked('*'));
    let mut lines = vec![String::new()];
    lines.extend(aligned(&rows, left));
    let below = [
        probes
            .first()
            .filter(|_| probe_column.is_none())
            .map(|probe| format!("λ_max on {probe}")),
        unconverged.then(|| "? did not converge".to_owned()),
        older.then(|| "* measured before the last step".to_owned()),
    ];
    let below: Vec<String> = below.into_iter().flatten().collect();
    if !below.is_empty() {
        lines.push(below.join("; "));
    }
    lines
}

fn state(known: &Known, index: CellIndex) -> String {
    let cell = &known.monitor.cells[index];
    let word = match ended(cell) {
        _ if let Some(standing) = known.monitor.standing(index) => standing.kind.word(),
        None if cell.state == CellState::Running => "unfinished",
        None => "queued",
        Some((ending, summary)) => ending.table_words(summary),
    };
    word.to_owned()
}

/// Returns the quantities that have a column. One that only some optimizers have, so that no screen has a column for it,
/// has none if no cell has it.
fn quantities(cells: &[Cell], is_foreign: bool) -> Vec<&'static Quantity> {
    let has = |cell: &Cell, quantity: &Quantity| {
        ended(cell).is_some_and(|(_, summary)| summary.last(quantity).is_some())
            || cell.latest.first(quantity).is_some()
    };
    in_lines(Lines::End)
        .filter(|quantity| {
            (quantity.told.kept == Kept::InTables && !is_foreign) || cells.iter().any(|cell| has(cell, quantity))
        })
        .collect()
}

/// Returns the numbers of one cell, one per column of numbers: steps, λ_max, these quantities, and seconds.
fn results_of(cell: &Cell, quantities: &[&Quantity], is_foreign: bool) -> Vec<String> {
    let latest;
    let summary = match ended(cell) {
        Some((_, summary)) => summary,
        // A run of another program has no ending that is known, but last values.
        None if is_foreign => {
            latest = last_values(cell);
            &latest
        }
        None => return vec![dash(); quantities.len() + 3],
    };
    let older = summary.lambda_step.is_some_and(|step| step != summary.steps);
    let lambda = summary.last(&LAMBDA_MAX).map(|value| {
        let words = words::lambda_max(value, summary.lambda_converged == Some(true));
        words + if older { "*" } else { "" }
    });
    let told = quantities
        .iter()
        .map(|quantity| words::last(quantity, summary).unwrap_or_else(dash));
    [summary.steps.to_string(), lambda.unwrap_or_else(dash)]
        .into_iter()
        .chain(told)
        .chain([if summary.seconds.is_finite() {
            format!("{:.1}", summary.seconds)
        } else {
            dash()
        }])
        .collect()
}

/// Returns the last values of a cell that has not ended.
fn last_values(cell: &Cell) -> Summary {
    let mut values = Values::default();
    for quantity in quantity::all() {
        for (key, value) in [
            (Some(quantity.key), cell.latest.first(quantity)),
            (quantity.error_key(), cell.latest.error_of(quantity, 0)),
            (
                quantity.converged_key(),
                cell.latest
                    .converged(quantity)
                    .map(|converged| f64::from(u8::from(converged))),
            ),
        ] {
            if let Some((key, value)) = key.zip(value) {
                values.set(key, value);
            }
        }
    }
    Summary {
        steps: cell.progress.step,
        epochs: cell.progress.epoch,
        // Nothing was measured at second 0 only, unless the files have no times.
        seconds: Some(cell.progress.seconds)
            .filter(|seconds| *seconds > 0.0)
            .unwrap_or(f64::NAN),
        lambda_converged: cell.latest.converged(&LAMBDA_MAX),
        lambda_step: cell.latest.lambda_step,
        values,
        ..Summary::default()
    }
}

/// Joins the fields of each row. The first `left` columns are aligned left, the others right.
pub(super) fn aligned(rows: &[Vec<String>], left: usize) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let field = |(column, text): (usize, &String)| {
        let width = widths[column];
        if column < left {
            format!("{text:<width$}")
        } else {
            format!("{text:>width$}")
        }
    };
    rows.iter()
        .map(|row| row.iter().enumerate().map(field).collect::<Vec<_>>().join(GAP))
        .collect()
}

/// Returns the last line, which says whether the sweep is complete and how to continue it.
pub(super) fn last_line(known: &Known, how: &Ended) -> Option<String> {
    let monitor = &known.monitor;
    if monitor.cells.is_empty() {
        return None;
    }
    let unfinished = monitor.cells.len() - monitor.done();
    let dir = as_typed(&monitor.run_dir);
    let resume = format!("{} unfinished; continue with: sharptui resume {dir}", cells(unfinished));
    if monitor.foreign.is_some() {
        return Some(format!(
            "{} in {dir}; the files do not say whether training has ended",
            counted(monitor.cells.len() as u64, "run")
        ));
    }
    Some(match how {
        Ended::Sweep(SweepEnding::Complete) => {
            let failed = |cell: &&Cell| ended(cell).is_some_and(|(ending, _)| ending.failure().is_some());
            let count = monitor.cells.len();
            match monitor.cells.iter().filter(failed).count() {
                // A process that trains some cells of a run has ended all of its own, and does not know about the others.
                0 if unfinished > 0 => format!(
                    "its own cells are complete; of {} in {dir}, {unfinished} were left to other processes: sharptui attach {dir}",
                    cells(count)
                ),
                0 => format!("complete: {} in {dir}", cells(count)),
                failed => {
                    format!(
                        "ended: {failed} of {} failed; run again with: sharptui resume {dir}",
                        cells(count)
                    )
                }
            }
        }
        Ended::Sweep(SweepEnding::Failed(reason)) => format!("failed: {}; {resume}", one_line(reason)),
        Ended::Sweep(SweepEnding::Stopped) | Ended::Left | Ended::Lost | Ended::Foreign => format!("stopped: {resume}"),
    })
}
