//! The rank correlation of every quantity with test accuracy.

use crate::report::correlation::{AtEnd, Place};
use crate::report::number;
use crate::report::page::Page;
use crate::report::run::Run;
use crate::statistics::{Kendall, holm};

/// Most rows that are shown unfolded; the figure shows the most important of more.
const MOST_ROWS: usize = 40;

/// Adds the table: over all cells, and within each level of each setting.
pub(in crate::report) fn correlations(page: &mut Page, run: &Run) {
    let places = Place::every(run);
    let mut found: Vec<(AtEnd, Place, Option<Kendall>)> = Vec::new();
    let mut constant = Vec::new();
    for own in AtEnd::all(run) {
        let here = places.iter().map(|&place| (own, place, own.correlation(run, place)));
        let here: Vec<_> = here.collect();
        if here.iter().any(|(_, _, kendall)| kendall.is_some()) {
            found.extend(here);
        } else {
            constant.push(own.words(run));
        }
    }
    let p_values: Vec<f64> = found
        .iter()
        .filter_map(|(_, _, kendall)| Some(kendall.as_ref()?.p_value))
        .collect();
    if p_values.is_empty() {
        return;
    }
    page.paragraph(format!(
        "The rank correlation with test accuracy of every quantity that was measured at the end of cells. p (Holm) is \
         adjusted for the family of {} correlations. “–”: fewer than two cells have both values, or one of the two is the same in \
         all of them.",
        p_values.len()
    ));
    let mut adjusted = holm(&p_values).into_iter();
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|(own, place, kendall)| {
            let mut fields = vec![own.words(run), place.words(run)];
            let Some((kendall, adjusted)) = kendall.as_ref().zip(kendall.and_then(|_| adjusted.next())) else {
                fields.extend(["–", "–", "–", "–", "–"].map(str::to_owned));
                return fields;
            };
            let with = match kendall.told_sign() {
                Some(sign) if sign > 0.0 => "higher",
                Some(_) => "lower",
                None => "cannot tell",
            };
            fields.extend([
                kendall.count.to_string(),
                number::tau(kendall),
                number::p_value(kendall.p_value),
                number::p_value(adjusted),
                with.to_owned(),
            ]);
            fields
        })
        .collect();
    let header = [
        "quantity",
        "among",
        "cells",
        "τ-b and 95 % interval",
        "p",
        "p (Holm)",
        "higher accuracy with",
    ];
    let header = header.map(str::to_owned).to_vec();
    if rows.len() > MOST_ROWS {
        page.folded(format!("All {} correlations", rows.len()), header, rows);
    } else {
        page.table(header, rows);
    }
    if !constant.is_empty() {
        page.paragraph(format!(
            "No rank correlation can be computed for {}: too few cells have a value, or it is the same in all of them.",
            constant.join(", ")
        ));
    }
}
