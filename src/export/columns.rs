//! The columns of a table of measurements, and the values of a row.

use super::ExportError;
use super::run::{Cell, Run, Sink};
use super::series::{Part, Series};
use crate::event::Point;

/// The columns before the swept settings and after them, before those of the quantities.
const FIRST: [&str; 6] = ["run", "cell", "step", "epoch", "seconds", "timestamp"];
const OF_PROBE: [&str; 2] = ["probe", "lambda_on"];

/// A field of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Text; the value of a setting as RON.
    Text(String),
    /// A whole number.
    Whole(u64),
    /// A number; NaN means a measurement whose result is not finite.
    Number(f64),
    /// True or false.
    Truth(bool),
    /// A time of day, in seconds since 1970 in UTC.
    Time(f64),
    /// Nothing was measured.
    Missing,
}

/// The columns of a table.
pub(super) struct Columns {
    swept: Vec<String>,
    /// Every series, with whether the table has it.
    series: Vec<(Series, bool)>,
    /// Whether rows that were made are void, or a point needs a column that the table does not have.
    pub(super) is_void: bool,
}

impl Sink for Columns {
    fn begin(&mut self, _: &Run, _: &Cell, _: bool) -> Result<(), ExportError> {
        Ok(())
    }

    fn point(&mut self, _: &Run, _: &Cell, point: &Point) -> Result<(), ExportError> {
        for (series, is_here) in self.series.iter_mut().filter(|(_, is_here)| !is_here) {
            *is_here = series.number(point).is_some();
        }
        Ok(())
    }
}

impl Columns {
    /// Finds the columns that the measurements of a run need.
    pub(super) fn survey(run: &mut Run) -> Result<Self, ExportError> {
        let series = Series::all().into_iter().map(|series| (series, false)).collect();
        let mut columns = Self {
            swept: swept(run),
            series,
            is_void: false,
        };
        run.read(&mut columns)?;
        Ok(columns)
    }

    /// The rows of a cell follow. If it begins anew, those that were made of it before are void.
    pub(super) fn begin(&mut self, is_anew: bool) {
        self.is_void |= is_anew;
    }

    /// Returns the fields of the next row, in the order of the names; `None` if the table is void.
    pub(super) fn next_row(&mut self, run: &Run, cell: &Cell, point: &Point) -> Option<Vec<Value>> {
        self.is_void |= self.lack(point);
        (!self.is_void).then(|| self.row(run, cell, point))
    }

    /// Returns whether a point has a value for which there is no column.
    fn lack(&self, point: &Point) -> bool {
        let needs = |(series, is_here): &(Series, bool)| !is_here && series.number(point).is_some();
        self.series.iter().any(needs)
    }

    /// Returns whether they are those of the settings that the run sweeps now.
    pub(super) fn are_of(&self, run: &Run) -> bool {
        self.swept == swept(run)
    }

    fn shown(&self) -> impl Iterator<Item = &Series> {
        self.series
            .iter()
            .filter(|(_, is_here)| *is_here)
            .map(|(series, _)| series)
    }

    /// Returns the names of the columns.
    pub(super) fn names(&self) -> Vec<String> {
        let keys: Vec<&str> = self.shown().map(|series| series.key).collect();
        // As in `summary.csv`: a sweep over `step` must not produce two columns with the same name.
        let is_own = |name: &&String| {
            let name = name.as_str();
            FIRST.contains(&name) || OF_PROBE.contains(&name) || keys.contains(&name)
        };
        let swept = self.swept.iter().map(|name| {
            if is_own(&name) {
                format!("set_{name}")
            } else {
                name.clone()
            }
        });
        let first = FIRST.iter().map(ToString::to_string);
        let last = OF_PROBE.iter().chain(&keys).map(ToString::to_string);
        first.chain(swept).chain(last).collect()
    }

    fn row(&self, run: &Run, cell: &Cell, point: &Point) -> Vec<Value> {
        let first = [
            Value::Text(run.name.clone()),
            Value::Whole(cell.index as u64),
            Value::Whole(point.step),
            Value::Number(point.epoch),
            Value::Number(point.seconds),
            cell.clock.time(point.seconds).map_or(Value::Missing, Value::Time),
        ];
        let swept = self.swept.iter().map(|name| {
            let found = cell.swept.iter().find(|(swept, _)| swept == name);
            found.map_or(Value::Missing, |(_, value)| Value::Text(value.clone()))
        });
        let lambda = point.lambda.as_ref();
        let of_probe = [
            lambda.map_or(Value::Missing, |lambda| Value::Whole(lambda.lambda_probe as u64)),
            lambda.map_or(Value::Missing, |lambda| Value::Text(lambda.lambda_on.clone())),
        ];
        let values = self.shown().map(|series| match (series.part, series.number(point)) {
            (_, None) => Value::Missing,
            (Part::Converged, Some(truth)) => Value::Truth(truth != 0.0),
            (Part::Value | Part::Error, Some(number)) => Value::Number(number),
        });
        first.into_iter().chain(swept).chain(of_probe).chain(values).collect()
    }

    /// Returns a row whose fields have the types of the columns. A setting whose values are all whole numbers, numbers or
    /// truths has this type.
    #[cfg(feature = "parquet")]
    pub(super) fn types(&self, run: &Run) -> Vec<Value> {
        let text = || Value::Text(String::new());
        let first = [
            text(),
            Value::Whole(0),
            Value::Whole(0),
            Value::Number(0.0),
            Value::Number(0.0),
            Value::Time(0.0),
        ];
        let of_probe = [Value::Whole(0), text()];
        let series = self.shown().map(|series| match series.part {
            Part::Converged => Value::Truth(true),
            Part::Value | Part::Error => Value::Number(0.0),
        });
        let swept = self.swept.iter().map(|name| {
            let values = run.cells.iter().flat_map(|cell| &cell.swept);
            let values: Vec<&String> = values.filter(|(own, _)| own == name).map(|(_, value)| value).collect();
            if values.iter().all(|value| value.parse::<i64>().is_ok()) {
                Value::Whole(0)
            } else if values.iter().all(|value| value.parse::<f64>().is_ok()) {
                Value::Number(0.0)
            } else if values.iter().all(|value| value.parse::<bool>().is_ok()) {
                Value::Truth(true)
            } else {
                text()
            }
        });
        first.into_iter().chain(swept).chain(of_probe).chain(series).collect()
    }
}

fn swept(run: &Run) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in run.cells.iter().flat_map(|cell| &cell.swept) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
