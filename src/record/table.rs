//! `summary.csv`: one row per cell, fields quoted as in RFC 4180, lines ended by a line feed.

use super::csv::{line, number, text, truth};
use crate::event::{CellEnding, CellIndex, Summary};
use crate::quantity::{
    self, ChartOf, Kept, LAMBDA_MAX, Quantity, TEST_ACCURACY, TEST_LOSS, TRAIN_ACCURACY, TRAIN_LOSS,
};

/// The quantities that the table has had since the first version, in the order of their columns.
const FIRST: [&Quantity; 5] = [&TRAIN_LOSS, &TRAIN_ACCURACY, &TEST_LOSS, &TEST_ACCURACY, &LAMBDA_MAX];

/// Returns the fixed columns, which follow those of the swept settings, and the field of a row for each.
fn columns(rows: &[CellRow]) -> Vec<(&'static str, Field)> {
    // What only some sweeps measure has columns once a cell has measured it.
    let is_here = |quantity: &&Quantity| {
        quantity.chart.of == ChartOf::All || rows.iter().any(|row| row.summary.last(quantity).is_some())
    };
    let quantity = |quantity: &'static Quantity| {
        let value = (quantity.key, Field::Value(quantity.key));
        let uncertainty = quantity.error_key().map(|key| (key, Field::Value(key)));
        let converged = quantity.converged_key().map(|key| (key, Field::Converged(quantity)));
        // The step and the probe of λ_max.
        let of_lambda: &[(&'static str, Field)] = &[
            ("lambda_step", Field::Own(|row| text(row.summary.lambda_step.as_ref()))),
            ("lambda_on", Field::Own(|row| text(row.summary.lambda_on.as_ref()))),
        ];
        let further = if *quantity == LAMBDA_MAX { of_lambda } else { &[] };
        [value]
            .into_iter()
            .chain(uncertainty)
            .chain(converged)
            .chain(further.iter().copied())
            .collect::<Vec<_>>()
    };
    let own: [(&'static str, Field); 5] = [
        ("state", Field::Own(|row| row.state.word().to_owned())),
        ("reached_aim", Field::Own(|row| truth(row.summary.reached_aim))),
        (
            "changed_by_hand",
            Field::Own(|row| truth(Some(row.summary.changed_by_hand))),
        ),
        ("steps", Field::Own(|row| row.summary.steps.to_string())),
        ("epochs", Field::Own(|row| number(Some(row.summary.epochs)))),
    ];
    let mut kept: Vec<&Quantity> = quantity::all()
        .filter(|quantity| quantity.told.kept >= Kept::InCsv)
        .filter(is_here)
        .collect();
    // The sort is stable: newer quantities follow in the order of tables.
    kept.sort_by_key(|quantity| {
        FIRST
            .iter()
            .position(|first| first.key == quantity.key)
            .unwrap_or(FIRST.len())
    });
    let told = kept.into_iter().flat_map(quantity);
    let seconds: (&str, Field) = ("seconds", Field::Own(|row| number(Some(row.summary.seconds))));
    own.into_iter().chain(told).chain([seconds]).collect()
}

/// The field of a row in a column.
#[derive(Clone, Copy)]
enum Field {
    /// The last value under this key.
    Value(&'static str),
    /// Whether the last value of this quantity converged.
    Converged(&'static Quantity),
    /// A field that is not a quantity.
    Own(fn(&CellRow) -> String),
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct CellRow {
    /// Which cell.
    pub cell: CellIndex,
    /// The settings that the sweep varies, as (name, value).
    pub swept: Vec<(String, String)>,
    /// Its state.
    pub state: RowState,
    /// Its last values.
    pub summary: Summary,
}

/// The state of the cell of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowState {
    /// It is queued.
    Queued,
    /// It is queued and held.
    Held,
    /// It is running.
    Running,
    /// It has ended.
    Ended(CellEnding),
}

impl RowState {
    /// Returns the word for the table.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Running => "running",
            Self::Ended(ending) => ending.word(),
        }
    }
}

/// Formats the whole table. A value that was not measured is an empty field; a non-finite value is NaN or inf.
pub(super) fn csv(rows: &[CellRow]) -> String {
    let mut swept: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.swept) {
        if !swept.contains(&name.as_str()) {
            swept.push(name);
        }
    }
    let columns = columns(rows);
    // A sweep over `steps` must not produce two columns with the same name.
    let own = |name: &str| name == "cell" || columns.iter().any(|(column, _)| *column == name);
    let titles = swept.iter().map(|name| {
        if own(name) {
            format!("set_{name}")
        } else {
            (*name).to_owned()
        }
    });
    let header = std::iter::once("cell".to_owned())
        .chain(titles)
        .chain(columns.iter().map(|(name, _)| (*name).to_owned()));
    let mut table = line(header);
    for row in rows {
        let value = |name: &&str| {
            row.swept
                .iter()
                .find(|(swept, _)| swept == name)
                .map(|(_, value)| value.clone())
        };
        let settings = swept.iter().map(|name| value(name).unwrap_or_default());
        let fields = std::iter::once(row.cell.to_string())
            .chain(settings)
            .chain(columns.iter().map(|(_, field)| match field {
                Field::Value(key) => number(row.summary.values.get(key)),
                Field::Converged(quantity) => truth(row.summary.converged(quantity)),
                Field::Own(text) => text(row),
            }));
        table += &line(fields);
    }
    table
}
