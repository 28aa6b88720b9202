//! A list of runs as lines.

use crate::characters::Glyphs;
use crate::monitor::Listed;

use super::table::aligned;
use super::words::{dash, one_line, per_cent, short};

/// Returns the list as a table with a line of titles.
#[must_use]
pub fn list(runs: &[Listed], glyphs: Glyphs) -> Vec<String> {
    let titles = [
        "run",
        "state",
        "cells done",
        "steps",
        "best test acc",
        "least test loss",
        "λ_max",
    ];
    let mut rows: Vec<Vec<String>> = vec![titles.map(str::to_owned).to_vec()];
    rows.extend(runs.iter().map(row));
    for text in rows.iter_mut().flatten() {
        *text = glyphs.spelled(text.as_str()).into_owned();
    }
    let mut lines = aligned(&rows, 2);
    let problems = runs.iter().filter_map(|run| Some((&run.name, run.problem.as_ref()?)));
    lines.extend(problems.map(|(name, why)| format!("{name}: {}", one_line(why))));
    lines
}

fn row(run: &Listed) -> Vec<String> {
    let with_cell = |words: String, cell: usize| {
        if run.cells > 1 {
            format!("{words} (cell {cell})")
        } else {
            words
        }
    };
    vec![
        run.name.clone(),
        run.state.word().to_owned(),
        match (run.done, run.cells) {
            (_, 0) => dash(),
            (Some(done), cells) => format!("{done} of {cells}"),
            (None, cells) => cells.to_string(),
        },
        run.share.map_or_else(dash, per_cent),
        run.accuracy
            .map_or_else(dash, |(share, cell)| with_cell(per_cent(share), cell)),
        run.loss.map_or_else(dash, |(loss, cell)| with_cell(short(loss), cell)),
        match run.lambda.map(|(low, high)| (short(low), short(high))) {
            None => dash(),
            Some((low, high)) if low == high => low,
            Some((low, high)) => format!("{low} to {high}"),
        },
    ]
}
