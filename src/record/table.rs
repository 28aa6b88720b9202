//! `summary.csv`: one row a cell, fields quoted as in RFC 4180, lines ended by a line feed.

use crate::event::{CellEnding, CellIndex, Summary};
use crate::number::unsigned_zero;
use crate::quantity::{
    self, Kept, LAMBDA_MAX, Quantity, TEST_ACCURACY, TEST_LOSS, TRAIN_ACCURACY, TRAIN_LOSS, Uncertainty,
};

/// The quantities that tables have had from the first version on, in the order of their columns.
const FIRST: [&Quantity; 5] = [&TRAIN_LOSS, &TRAIN_ACCURACY, &TEST_LOSS, &TEST_ACCURACY, &LAMBDA_MAX];

/// The columns that every table has after those of the sweep, and what a row has there.
fn columns() -> Vec<(&'static str, Field)> {
    let quantity = |quantity: &'static Quantity| {
        let value = (quantity.key, Field::Value(quantity.key));
        let uncertainty = match quantity.uncertainty {
            Uncertainty::None => None,
            Uncertainty::Residual { key, .. } => Some((key, Field::Value(key))),
        };
        // What λ_max was measured on, and how well.
        let of_lambda: &[(&'static str, Field)] = &[
            (
                "lambda_converged",
                Field::Own(|row| truth(row.summary.lambda_converged)),
            ),
            ("lambda_step", Field::Own(|row| text(row.summary.lambda_step.as_ref()))),
            ("lambda_on", Field::Own(|row| text(row.summary.lambda_on.as_ref()))),
        ];
        let has_lambda = quantity.key == LAMBDA_MAX.key;
        let of_lambda = if has_lambda { of_lambda } else { &[] };
        [value]
            .into_iter()
            .chain(uncertainty)
            .chain(of_lambda.iter().copied())
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
        .collect();
    // The sort is stable: quantities that came later follow, in the order of tables.
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

/// What a row has in a column.
#[derive(Clone, Copy)]
enum Field {
    /// The last value under this key.
    Value(&'static str),
    /// What no quantity is.
    Own(fn(&CellRow) -> String),
}

/// One cell in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct CellRow {
    /// Which cell.
    pub cell: CellIndex,
    /// The settings that the sweep varies, as (name, value).
    pub swept: Vec<(String, String)>,
    /// How far it is.
    pub state: RowState,
    /// Its last values.
    pub summary: Summary,
}

/// How far the cell of a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowState {
    /// It waits for its turn.
    Queued,
    /// It waits, and is held out.
    Held,
    /// It runs.
    Running,
    /// It has ended.
    Ended(CellEnding),
}

impl RowState {
    /// One word, as it stands in the table.
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

/// The whole table. What was not measured is an empty field; what was not finite is NaN or inf.
pub(super) fn csv(rows: &[CellRow]) -> String {
    let mut swept: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.swept) {
        if !swept.contains(&name.as_str()) {
            swept.push(name);
        }
    }
    let columns = columns();
    // A sweep over `steps` must not have two columns of one name.
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
                Field::Own(text) => text(row),
            }));
        table += &line(fields);
    }
    table
}

/// As short as reads back to the same number, with an exponent where that is shorter.
fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{:?}", unsigned_zero(value)))
}

fn truth(value: Option<bool>) -> String {
    text(value.as_ref())
}

fn text(value: Option<&impl ToString>) -> String {
    value.map_or_else(String::new, ToString::to_string)
}

fn line(fields: impl Iterator<Item = String>) -> String {
    fields.map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

fn quoted(field: String) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}
