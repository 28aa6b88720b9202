//! The table of λ_max of each layer's block of the Hessian.

use crate::event::LayerPoint;
use crate::report::comparison::combinations;
use crate::report::number;
use crate::report::page::Page;
use crate::report::run::{Cell, Measure, Run};
use crate::statistics::mean;

/// Adds the table with one row per combination of swept settings: the last λ_max of every layer, as means over its seeds.
/// Nothing is added if no layer was measured.
pub(in crate::report) fn layers(page: &mut Page, run: &Run) {
    let mut names: Vec<&str> = Vec::new();
    for layer in run.cells.iter().flat_map(last) {
        if !names.contains(&layer.name.as_str()) {
            names.push(&layer.name);
        }
    }
    if names.is_empty() {
        return;
    }
    page.heading("λ_max of layers");
    page.paragraph(
        "The last λ_max of each layer's block of the Hessian on the first probe, as means over compared cells with 95 % \
         intervals. Values that did not converge are left out.",
    );
    let mut header: Vec<String> = run.axes.iter().map(super::super::axis::Axis::name).collect();
    header.extend(names.iter().map(|name| (*name).to_owned()));
    let rows = combinations(run, None).into_iter().map(|levels| {
        let cells: Vec<&Cell> = run.compared().filter(|cell| cell.levels == levels).collect();
        let mut row: Vec<String> = run
            .axes
            .iter()
            .zip(&levels)
            .map(|(axis, level)| axis.level(*level))
            .collect();
        row.extend(names.iter().map(|name| {
            let own = cells.iter().filter_map(|cell| {
                let layer = last(cell).iter().find(|layer| layer.name == *name)?;
                (layer.converged && layer.lambda_max.is_finite()).then_some(layer.lambda_max)
            });
            let values: Vec<f64> = own.collect();
            mean(&values).map_or_else(|| "–".to_owned(), |mean| number::mean(Measure::Lambda(0), &mean))
        }));
        row
    });
    let rows = rows.collect();
    page.table(header, rows);
}

/// Returns the last measurement of a cell's layers; empty if there is none.
fn last(cell: &Cell) -> &[LayerPoint] {
    let measured = cell.points.iter().rev().find(|point| !point.layers.is_empty());
    measured.map_or(&[], |point| &point.layers)
}
