//! What is measured: one declaration a quantity, which record, tables, lines, screen, report and documentation read.
//!
//! To add a quantity, add its declaration to `quantity/declared.rs`, and set its value where it is measured
//! ([`Values::set`](crate::event::Values::set) with its key). Everything else finds it here.

mod declared;

use crate::event::{LambdaPoint, Point, Summary};

pub use declared::*;

/// Something that is measured while a cell trains.
#[derive(Debug)]
pub struct Quantity {
    /// Its name in `metrics.jsonl`, `summary.csv` and exports; lower case, with its unit where it has one.
    pub key: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// Its name at the head of a column, in ten characters at most.
    pub column: &'static str,
    /// What tells it from the others on its chart; empty where it is alone there.
    pub on_chart: &'static str,
    /// What else it may be called in a filter.
    pub names: &'static [&'static str],
    /// How its values are written.
    pub format: Format,
    /// What one value of it is about.
    pub subject: Subject,
    /// Where a point has it.
    pub source: Source,
    /// How far a value may be off, and where a point says so.
    pub uncertainty: Uncertainty,
    /// The chart it is drawn on.
    pub chart: &'static Chart,
    /// Which line of that chart it is.
    pub line: Line,
    /// Where it is told besides charts.
    pub told: Told,
    /// What it is, with formula and source, for the glossary and the documentation. `{loss}`, `{precision}`
    /// and `{probes}` stand for what the cell has.
    pub meaning: &'static str,
}

/// How the values of a quantity are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A number of any size.
    Number,
    /// A share from 0 to 1, for people in per cent.
    Share,
    /// A time in seconds, for people in the unit that fits.
    Seconds,
}

/// What one value of a quantity is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The cell: one value a point.
    Cell,
    /// One of the probes of the cell, the one that the point's λ_max is measured on.
    Probe,
}

/// Where a point has the value of a quantity.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// Under its key.
    Recorded,
    /// In what the point says of λ_max.
    Lambda(fn(&LambdaPoint) -> Option<f64>),
}

/// How far a value may be off.
#[derive(Clone, Copy, Debug)]
pub enum Uncertainty {
    /// It is exact up to rounding.
    None,
    /// An eigenvalue lies within the residual of it.
    Residual {
        /// The name of the residual on disk.
        key: &'static str,
        /// Where a point has it.
        source: Source,
    },
}

/// Which line of its chart a quantity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// The one that is looked at: solid.
    Main,
    /// The one to compare with: dashed.
    Second,
    /// The limit of the main one: dotted.
    Limit,
}

/// Where a quantity is told besides charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// What has its last value.
    pub kept: Kept,
    /// In which lines, where there is no screen.
    pub in_lines: Lines,
    /// Whether large values are looked for, so that tables sorted by it begin with the largest.
    pub largest_first: bool,
}

/// What has the last value of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Nothing but the charts.
    No,
    /// `summary.csv` and the curves of reports.
    InCsv,
    /// The tables of the screen and of reports, too.
    InTables,
}

/// In which lines a quantity is told where there is no screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lines {
    /// In none.
    None,
    /// In the one about the end of its cell.
    End,
    /// In every one about what was measured, too.
    All,
}

/// A chart of the screen and of reports.
#[derive(Debug, PartialEq, Eq)]
pub struct Chart {
    /// Its name in preferences.
    pub key: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What its axis spans.
    pub span: ChartSpan,
}

/// What the axis of a chart spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartSpan {
    /// The values, on a linear axis from zero on; by choice on a logarithmic one.
    Positive,
    /// What λ_max needs: its threshold, its doubts, and cells that ended earlier. The screen draws it by rules of its own.
    Lambda,
    /// Shares, up to one.
    Shares,
}

/// Keys are told apart.
impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Quantity {}

impl Quantity {
    /// Its value in a point; NaN where it was measured and is not finite.
    #[must_use]
    pub fn value(&self, point: &Point) -> Option<f64> {
        self.source.of(self.key, point)
    }

    /// How far off the value of a point may be, if the point says so.
    #[must_use]
    pub fn uncertainty(&self, point: &Point) -> Option<f64> {
        match self.uncertainty {
            Uncertainty::None => None,
            Uncertainty::Residual { key, source } => source.of(key, point),
        }
    }

    /// Whether this is its name, or one of them.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.key == name || self.names.contains(&name)
    }
}

impl Source {
    fn of(self, key: &str, point: &Point) -> Option<f64> {
        match self {
            Self::Recorded => point.values.get(key),
            Self::Lambda(value) => value(point.lambda.as_ref()?),
        }
    }
}

impl Summary {
    /// The last value of a quantity, on the first probe where it is one of probes.
    #[must_use]
    pub fn last(&self, quantity: &Quantity) -> Option<f64> {
        self.values.get(quantity.key)
    }

    /// Takes over what a later point says; what belongs to probes, of the first one alone.
    pub fn take_in(&mut self, point: &Point) {
        (self.steps, self.epochs, self.seconds) = (point.step, point.epoch, point.seconds);
        self.changed_by_hand |= point.changed_by_hand.is_some();
        let probe = probe_of(point);
        for quantity in all().filter(|quantity| quantity.subject == Subject::Cell || probe == 0) {
            if let Some(value) = quantity.value(point) {
                self.values.set(quantity.key, value);
            }
            if let (Uncertainty::Residual { key, .. }, Some(value)) =
                (quantity.uncertainty, quantity.uncertainty(point))
            {
                self.values.set(key, value);
            }
        }
        if let Some(lambda) = point.lambda.as_ref().filter(|_| probe == 0) {
            self.lambda_converged = Some(lambda.lambda_converged);
            self.lambda_step = Some(point.step);
            self.lambda_on = Some(lambda.lambda_on.clone());
        }
    }
}

/// The probe that a point is about; the first where it is about none.
#[must_use]
pub fn probe_of(point: &Point) -> usize {
    point.lambda.as_ref().map_or(0, |lambda| lambda.lambda_probe)
}

/// Every quantity, in the order of tables.
pub fn all() -> impl Iterator<Item = &'static Quantity> {
    let more: Vec<&'static Quantity> = added();
    declared::ALL.iter().copied().chain(more)
}

/// What tables have.
pub fn in_tables() -> impl Iterator<Item = &'static Quantity> {
    all().filter(|quantity| quantity.told.kept == Kept::InTables)
}

/// What lines tell besides λ_max, which has words of its own, in their order: losses first, results last.
pub fn in_lines(least: Lines) -> impl Iterator<Item = &'static Quantity> {
    let told: Vec<&Quantity> = all()
        .filter(|quantity| quantity.told.in_lines >= least && quantity.key != LAMBDA_MAX.key)
        .collect();
    told.into_iter().rev()
}

/// The quantity of this key.
#[must_use]
pub fn of_key(key: &str) -> Option<&'static Quantity> {
    all().find(|quantity| quantity.key == key)
}

/// Every chart, in the order in which they are gone through.
#[must_use]
pub fn charts() -> Vec<&'static Chart> {
    let mut charts: Vec<&'static Chart> = Vec::new();
    for quantity in all() {
        if !charts.iter().any(|chart| chart.key == quantity.chart.key) {
            charts.push(quantity.chart);
        }
    }
    charts
}

/// The table of quantities as documentation shows it.
#[must_use]
pub fn markdown_table() -> String {
    let mut table = "| quantity | on disk | chart | what it is |\n|---|---|---|---|\n".to_owned();
    for quantity in all() {
        let meaning = quantity
            .meaning
            .replace(" ({loss})", "")
            .replace("{loss}", "loss")
            .replace("{precision}", "the cell's precision")
            .replace("{probes}", "each probe of the cell");
        let residual = match quantity.uncertainty {
            Uncertainty::None => String::new(),
            Uncertainty::Residual { key, .. } => format!(" ± `{key}`"),
        };
        let row = format!(
            "| {} | `{}`{residual} | `{}` | {meaning} |\n",
            quantity.label, quantity.key, quantity.chart.key
        );
        table.push_str(&row);
    }
    table
}

impl Chart {
    /// The quantities that are drawn on it.
    pub fn quantities(&self) -> impl Iterator<Item = &'static Quantity> {
        let key = self.key;
        all().filter(move |quantity| quantity.chart.key == key)
    }

    /// The first quantity of it that is this line.
    #[must_use]
    pub fn line(&self, line: Line) -> Option<&'static Quantity> {
        self.quantities().find(|quantity| quantity.line == line)
    }
}

#[cfg(not(test))]
fn added() -> Vec<&'static Quantity> {
    Vec::new()
}

#[cfg(test)]
pub(crate) use tests::{add, added};

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::event::RateChange;

    thread_local! {
        static ADDED: RefCell<Vec<&'static Quantity>> = const { RefCell::new(Vec::new()) };
    }

    /// Quantities that tests add.
    pub(crate) fn added() -> Vec<&'static Quantity> {
        ADDED.with_borrow(Clone::clone)
    }

    /// One quantity more, for this thread.
    pub(crate) fn add(quantity: &'static Quantity) {
        ADDED.with_borrow_mut(|added| added.push(quantity));
    }

    #[test]
    fn a_summary_takes_the_first_probe_of_what_belongs_to_probes_and_the_last_of_everything_else() {
        let point = |step, probe, lambda_max, train_loss| Point {
            step,
            seconds: step as f64,
            lambda: Some(LambdaPoint {
                lambda_max,
                lambda_residual: lambda_max / 100.0,
                lambda_probe: probe,
                lambda_converged: probe == 0,
                lambda_on: format!("probe {probe}"),
                ..LambdaPoint::default()
            }),
            ..Point::default().with("train_loss", train_loss)
        };
        let mut changed = point(10, 0, 30.0, 0.5);
        changed.changed_by_hand = Some(RateChange { from: 0.1, to: 0.2 });
        let mut summary = Summary::default();
        let without = Point {
            step: 30,
            ..Point::default().with("test_loss", 0.75)
        };
        for point in [
            &changed,
            &point(20, 0, 40.0, 0.25),
            &point(20, 1, 50.0, 0.125),
            &without,
        ] {
            summary.take_in(point);
        }
        let keys = ["lambda_max", "lambda_residual", "train_loss", "test_loss"];
        let last = keys.map(|key| summary.values.get(key));
        assert_eq!(last, [Some(40.0), Some(0.4), Some(0.125), Some(0.75)]);
        assert_eq!((summary.steps, summary.lambda_step), (30, Some(20)));
        assert_eq!(
            (summary.lambda_converged, summary.lambda_on.as_deref()),
            (Some(true), Some("probe 0"))
        );
        assert!(summary.changed_by_hand);
        assert_eq!([probe_of(&without), probe_of(&point(1, 1, 1.0, 1.0))], [0, 1]);
    }

    #[test]
    fn every_quantity_is_found_by_its_key_and_on_its_chart() {
        for quantity in all() {
            assert_eq!(of_key(quantity.key).map(|found| found.key), Some(quantity.key));
            let drawn: Vec<_> = quantity
                .chart
                .quantities()
                .map(|drawn| (drawn.key, drawn.chart.key))
                .collect();
            assert!(drawn.contains(&(quantity.key, quantity.chart.key)), "{drawn:?}");
            assert!(drawn.iter().all(|(_, chart)| *chart == quantity.chart.key), "{drawn:?}");
            let first = drawn.iter().find(|(key, _)| of_key(key).unwrap().line == quantity.line);
            let line = quantity.chart.line(quantity.line).map(|found| found.key);
            assert_eq!(line, first.map(|(key, _)| *key));
        }
        assert!(of_key("step").is_none());
    }

    #[test]
    fn keys_and_names_are_told_apart() {
        let mut names: Vec<&str> = Vec::new();
        for quantity in all() {
            names.push(quantity.key);
            names.extend(quantity.names);
            if let Uncertainty::Residual { key, .. } = quantity.uncertainty {
                names.push(key);
            }
            assert!(quantity.column.chars().count() <= 10, "{}", quantity.column);
        }
        let mut once = names.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), names.len(), "{names:?}");
    }
}
