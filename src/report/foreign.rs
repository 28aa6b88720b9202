//! The page about runs of another program: their last values and their curves. Nothing is compared, because the files do not
//! say which runs have finished and how their numbers were measured.

use super::axis::Axis;
use super::page::Page;
use super::run::{Cell, Run, Standing};
use super::{figures, number};
use crate::characters::capitalized;
use crate::curve::Across;
use crate::event::{CellPlan, Point, Summary};
use crate::foreign::Folder;
use crate::number::count::counted;
use crate::quantity::{self, Format, LAMBDA_MAX, Quantity};

/// The description of a probe that the files do not describe.
const UNKNOWN_PROBE: &str = "examples that the files do not name";

/// Returns the whole page.
pub(super) fn page(folder: &Folder, across: Across) -> Page {
    let plans = folder.plans();
    let run = read(folder, &plans);
    let mut page = Page {
        title: format!("{}: curves of another program", run.name),
        blocks: Vec::new(),
        figures: Vec::new(),
    };
    page.paragraph(format!(
        "{}, read from {} in {}. Another program trained them. Its files do not say which runs have finished, what their \
         thresholds are, and how their numbers were measured; so this page shows them as they are and compares nothing.",
        counted(run.cells.len() as u64, "run"),
        folder.format(),
        folder.path().display()
    ));
    // A path is not capitalized.
    let damaged = folder.damaged().into_iter().map(|words| format!("{words}."));
    let notes = folder.notes();
    let notes = notes.iter().map(|note| format!("{}.", capitalized(note)));
    page.points(damaged.chain(notes).collect());
    page.heading("Last values");
    last_values(&mut page, &run, &plans);
    let curves: Vec<_> = figures::curves(&run, across)
        .into_iter()
        .chain(figures::multiples(&run, across))
        .collect();
    if !curves.is_empty() {
        page.heading("Curves");
        for figure in curves {
            page.figure(figure);
        }
    }
    page.heading("Smallest and largest values");
    extremes(&mut page, &run);
    page
}

/// Reads the runs as the cells of a sweep whose only axis is the run.
fn read(folder: &Folder, plans: &[CellPlan]) -> Run {
    let names: Vec<String> = plans
        .iter()
        .map(|plan| plan.setting("run").unwrap_or_default().to_owned())
        .collect();
    let cells = folder.runs().enumerate().map(|(index, run)| {
        let points: Vec<Point> = folder.points(run).collect();
        let mut summary = Summary::default();
        for point in &points {
            summary.take_in(point);
        }
        Cell {
            index,
            levels: vec![index],
            seed: 0,
            standing: Standing::Compared,
            is_of_combination: true,
            is_complete: false,
            summary: Some(summary),
            lambdas: Vec::new(),
            points,
        }
    });
    let path = folder
        .path()
        .canonicalize()
        .unwrap_or_else(|_| folder.path().to_owned());
    let name = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let described = plans.iter().map(|plan| &plan.probes).max_by_key(|probes| probes.len());
    let probes = described.filter(|probes| !probes.is_empty());
    Run {
        name,
        info: None,
        axes: vec![Axis::named("run", names)],
        cells: cells.collect(),
        probes: probes.cloned().unwrap_or_else(|| vec![UNKNOWN_PROBE.to_owned()]),
        has_aim: false,
        gaps: Vec::new(),
    }
}

/// Returns the quantities that a run has, in the order of tables.
fn measured(run: &Run) -> Vec<&'static Quantity> {
    let has = |cell: &Cell, quantity| cell.summary.as_ref().is_some_and(|last| last.last(quantity).is_some());
    let of_any = |quantity: &&'static Quantity| run.cells.iter().any(|cell| has(cell, quantity));
    quantity::all().filter(of_any).collect()
}

fn words(quantity: &Quantity, value: f64) -> String {
    match quantity.format {
        Format::Share => number::percent(value),
        Format::Number | Format::Seconds => number::significant(value, 5),
    }
}

fn none() -> String {
    "–".to_owned()
}

/// Adds the table of last values and of settings, one row per run.
fn last_values(page: &mut Page, run: &Run, plans: &[CellPlan]) {
    let quantities = measured(run);
    let mut settings: Vec<&str> = Vec::new();
    for (name, _) in plans.iter().flat_map(|plan| &plan.settings) {
        if name != "run" && !settings.contains(&name.as_str()) {
            settings.push(name);
        }
    }
    let mut header = vec!["run".to_owned()];
    header.extend(settings.iter().map(|name| (*name).to_owned()));
    header.push("steps".to_owned());
    header.extend(quantities.iter().map(|quantity| quantity.label.to_owned()));
    let rows = run.cells.iter().zip(plans).map(|(cell, plan)| {
        let mut row = vec![run.axes[0].level(cell.index)];
        row.extend(
            settings
                .iter()
                .map(|name| plan.setting(name).map_or_else(none, str::to_owned)),
        );
        let last = cell.summary.as_ref();
        row.push(last.map_or_else(none, |last| last.steps.to_string()));
        row.extend(quantities.iter().map(|quantity| {
            let value = last.and_then(|last| Some((last.last(quantity)?, last.converged(quantity))));
            value.map_or_else(none, |(value, converged)| {
                let doubt = if converged == Some(false) {
                    " (not converged)"
                } else {
                    ""
                };
                words(quantity, value) + doubt
            })
        }));
        row
    });
    let rows = rows.collect();
    page.table(header, rows);
    if quantities.contains(&&LAMBDA_MAX) && run.probes.len() > 1 {
        page.paragraph(format!(
            "λ_max and other quantities of a probe are those of the first one: {}.",
            run.probes[0]
        ));
    }
}

/// Adds the table of the smallest and the largest value of each quantity, with their steps.
fn extremes(page: &mut Page, run: &Run) {
    let header = ["run", "quantity", "smallest", "at step", "largest", "at step"].map(str::to_owned);
    let mut rows = Vec::new();
    for cell in &run.cells {
        for quantity in measured(run) {
            let of_first_probe = cell.points.iter().filter(|point| quantity::probe_of(point) == 0);
            let values = of_first_probe.filter_map(|point| Some((quantity.value(point)?, point.step)));
            let finite: Vec<(f64, u64)> = values.filter(|(value, _)| value.is_finite()).collect();
            let by_value = |one: &&(f64, u64), other: &&(f64, u64)| one.0.total_cmp(&other.0);
            // Of equal values, the first step.
            let (least, most) = (finite.iter().min_by(by_value), finite.iter().rev().max_by(by_value));
            let Some(((least, at_least), (most, at_most))) = least.zip(most) else {
                continue;
            };
            rows.push(vec![
                run.axes[0].level(cell.index),
                quantity.label.to_owned(),
                words(quantity, *least),
                at_least.to_string(),
                words(quantity, *most),
                at_most.to_string(),
            ]);
        }
    }
    page.table(header.to_vec(), rows);
}
