//! `summary.csv`: one row a cell, fields quoted as in RFC 4180, lines ended by a line feed.

use crate::event::{CellEnding, CellIndex, Summary};
use crate::number::unsigned_zero;

/// Columns that every table has after those of the sweep.
const COLUMNS: [&str; 15] = [
    "state",
    "reached_aim",
    "changed_by_hand",
    "steps",
    "epochs",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "lambda_max",
    "lambda_residual",
    "lambda_converged",
    "lambda_step",
    "lambda_on",
    "seconds",
];

/// One cell in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct CellRow {
    /// Which cell.
    pub cell: CellIndex,
    /// The settings that the sweep varies, as (name, value).
    pub swept: Vec<(String, String)>,
    /// How far it is.
    pub state: CellState,
    /// Its last values.
    pub summary: Summary,
}

/// How far a cell is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellState {
    /// It waits for its turn.
    Queued,
    /// It waits, and is held out.
    Held,
    /// It runs.
    Running,
    /// It has ended.
    Ended(CellEnding),
}

impl CellState {
    /// One word, as it stands in the table.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Running => "running",
            Self::Ended(CellEnding::Finished(_)) => "finished",
            Self::Ended(CellEnding::Diverged) => "diverged",
            Self::Ended(CellEnding::Aborted) => "aborted",
            Self::Ended(CellEnding::Interrupted) => "interrupted",
            Self::Ended(CellEnding::Failed(_)) => "failed",
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
    // A sweep over `steps` must not have two columns of one name.
    let own = |name: &str| name == "cell" || COLUMNS.contains(&name);
    let titles = swept.iter().map(|name| {
        if own(name) {
            format!("set_{name}")
        } else {
            (*name).to_owned()
        }
    });
    let header = std::iter::once("cell".to_owned())
        .chain(titles)
        .chain(COLUMNS.map(str::to_owned));
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
            .chain(results(row));
        table += &line(fields);
    }
    table
}

/// The fields of `COLUMNS`.
fn results(row: &CellRow) -> [String; 15] {
    let summary = &row.summary;
    // As short as reads back to the same number, with an exponent where that is shorter.
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{:?}", unsigned_zero(value)));
    let truth = |value: Option<bool>| value.map_or_else(String::new, |value| value.to_string());
    [
        row.state.word().to_owned(),
        truth(summary.reached_aim),
        truth(Some(summary.changed_by_hand)),
        summary.steps.to_string(),
        number(Some(summary.epochs)),
        number(summary.train_loss),
        number(summary.train_accuracy),
        number(summary.test_loss),
        number(summary.test_accuracy),
        number(summary.lambda_max),
        number(summary.lambda_residual),
        truth(summary.lambda_converged),
        summary.lambda_step.map_or_else(String::new, |step| step.to_string()),
        summary.lambda_on.clone().unwrap_or_default(),
        number(Some(summary.seconds)),
    ]
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
