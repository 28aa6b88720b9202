//! The measured quantities (metrics). Each has one declaration, which the run directory, tables, plain lines, screen,
//! report and documentation read.
//!
//! To add a quantity, add its declaration to `quantity/declared.rs`, and set its value where it is measured
//! ([`Values::set`](crate::event::Values::set) with its key). Everything else finds it here.

#[cfg(not(test))]
mod added;
mod declared;

use std::fmt;

use crate::event::{LambdaPoint, Point, PreconditionedPoint, Summary, Values};

pub use declared::*;

/// A quantity (metric) that is measured while a cell (run of the sweep) trains.
#[derive(Debug)]
pub struct Quantity {
    /// The name in `metrics.jsonl`, `summary.csv` and exports: lower case, with the unit if there is one.
    pub key: &'static str,
    /// The name shown to people.
    pub label: &'static str,
    /// The name at the head of a column, at most ten characters.
    pub column: &'static str,
    /// The name in the legend of its chart, which distinguishes it from the others; empty if the chart has no others.
    pub on_chart: &'static str,
    /// Other names that a filter accepts.
    pub names: &'static [&'static str],
    /// The format of its values.
    pub format: Format,
    /// Whether one value belongs to the cell or to a probe.
    pub subject: Subject,
    /// The place of the value in a point.
    pub source: Source,
    /// The possible error of a value, and its place in a point.
    pub uncertainty: Uncertainty,
    /// The chart it is drawn on.
    pub chart: &'static Chart,
    /// The line style on that chart.
    pub line: Line,
    /// The places other than charts that show it.
    pub told: Told,
    /// The explanation, with formula and source, for the glossary and the documentation. The cell's settings
    /// replace `{loss}`, `{precision}` and `{probes}`.
    pub meaning: &'static str,
}

/// The format of the values of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A number of any size.
    Number,
    /// A fraction from 0 to 1, shown to people in per cent.
    Share,
    /// A time in seconds, shown to people in a suitable unit.
    Seconds,
}

/// The object that one value of a quantity describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The cell: one value per point.
    Cell,
    /// A probe of the cell: the one on which the λ_max of the point was measured.
    Probe,
}

/// The place of a quantity's value in a point.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// In the point's values, under the key of the quantity or of its residual.
    Recorded,
    /// In the point's λ_max measurement.
    Lambda(fn(&LambdaPoint) -> Option<f64>),
    /// In the point's measurement of preconditioned sharpness.
    Preconditioned(fn(&PreconditionedPoint) -> Option<f64>),
}

/// The possible error of a value.
#[derive(Clone, Copy, Debug)]
pub enum Uncertainty {
    /// Rounding only.
    None,
    /// The residual: an eigenvalue lies within this distance of the value.
    Residual {
        /// The name of the residual on disk.
        key: &'static str,
        /// The place of the residual in a point.
        source: Source,
        /// The name on disk of whether the residual met the tolerance.
        converged: &'static str,
        /// Returns the outcome of the search for the value in a point, if the point has one.
        outcome: fn(&Point) -> Option<Outcome>,
    },
    /// The standard error of an estimate from samples.
    StandardError {
        /// The name of the standard error on disk.
        key: &'static str,
    },
}

/// The outcome of a search for an eigenvalue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the residual met the tolerance.
    pub converged: bool,
    /// Whether an audit corrected the value.
    pub corrected: bool,
}

/// The line of a quantity on its chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// The main line: solid.
    Main,
    /// A line to compare the main line with: dashed.
    Second,
    /// A further line beside the main line: in the faint pattern.
    Third,
    /// One of a family of lines of the same kind: solid, each in another colour.
    Family,
    /// The limit of the main line: dotted.
    Limit,
}

/// The places other than charts that show a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The places that show its last value.
    pub kept: Kept,
    /// The plain lines (output without a screen) that show it.
    pub in_lines: Lines,
    /// Whether tables sorted by it begin with the largest value.
    pub largest_first: bool,
}

/// The places that show the last value of a quantity. Each variant includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// The charts only.
    No,
    /// `summary.csv` and the curves of reports.
    InCsv,
    /// Also the tables of the screen and of reports.
    InTables,
}

/// The plain lines (output without a screen) that show a quantity. Each variant includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lines {
    /// No line.
    None,
    /// The line about the end of the cell.
    End,
    /// Also every line about a measurement.
    All,
}

/// A chart of the screen and of reports.
pub struct Chart {
    /// The name in preferences.
    pub key: &'static str,
    /// The title.
    pub title: &'static str,
    /// The range of the vertical axis.
    pub span: ChartSpan,
    /// The cells that have it.
    pub of: ChartOf,
    /// Quantities of other charts that the screen draws here, too, to compare with.
    pub also: &'static [&'static Quantity],
}

/// The cells that have a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartOf {
    /// Every cell.
    All,
    /// The cells in which one of its quantities was measured.
    Measured,
    /// The same; its quantities are measured because a configuration asks for them, so the screen shows it at first.
    Gauged,
}

/// The range of the vertical axis of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartSpan {
    /// The values, on a linear axis that begins at zero, or on a logarithmic axis if the user chooses it.
    Positive,
    /// λ_max with its threshold, marks for uncertain values, and cells that ended earlier. The screen has separate
    /// drawing rules for this chart.
    Lambda,
    /// Other eigenvalues: as [`Positive`](Self::Positive), with the axis that the user chooses for λ_max.
    Eigenvalues,
    /// Values of any sign, on a linear axis that need not begin at zero.
    Any,
    /// Fractions, up to one.
    Shares,
    /// No quantity over steps, but the spectral density at one of them.
    Spectrum,
    /// No quantity over steps, but λ_max of each layer at one of them.
    Layers,
}

/// Two quantities are equal if their keys are equal.
impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Quantity {}

impl Quantity {
    /// Returns the value in a point, if the point has one; NaN means a measurement whose result is not finite.
    #[must_use]
    pub fn value(&self, point: &Point) -> Option<f64> {
        self.source.of(self.key, point)
    }

    /// Returns the possible error of the value in a point, if the point has one.
    #[must_use]
    pub fn uncertainty(&self, point: &Point) -> Option<f64> {
        match self.uncertainty {
            Uncertainty::None => None,
            Uncertainty::Residual { key, source, .. } => source.of(key, point),
            Uncertainty::StandardError { key } => point.values.get(key),
        }
    }

    /// Returns the outcome of the search for the value in a point, if there was one.
    #[must_use]
    pub fn outcome(&self, point: &Point) -> Option<Outcome> {
        match self.uncertainty {
            Uncertainty::None | Uncertainty::StandardError { .. } => None,
            Uncertainty::Residual { outcome, .. } => outcome(point),
        }
    }

    /// Returns the name of the possible error on disk, if the quantity has one.
    #[must_use]
    pub fn error_key(&self) -> Option<&'static str> {
        match self.uncertainty {
            Uncertainty::None => None,
            Uncertainty::Residual { key, .. } | Uncertainty::StandardError { key } => Some(key),
        }
    }

    /// Returns the name on disk of whether the search for the value converged, if there is a search.
    #[must_use]
    pub fn converged_key(&self) -> Option<&'static str> {
        match self.uncertainty {
            Uncertainty::Residual { converged, .. } => Some(converged),
            Uncertainty::None | Uncertainty::StandardError { .. } => None,
        }
    }

    /// Sets the value of a search, its residual, and whether it converged, for a quantity that is recorded among values.
    pub fn set_found(&self, values: &mut Values, value: f64, residual: f64, converged: bool) {
        values.set(self.key, value);
        if let Uncertainty::Residual {
            key, converged: told, ..
        } = self.uncertainty
        {
            values.set(key, residual);
            values.set(told, f64::from(u8::from(converged)));
        }
    }

    /// Returns whether `name` is the key or one of the other names.
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
            Self::Preconditioned(value) => value(point.preconditioned.as_ref()?),
        }
    }
}

impl Summary {
    /// Returns the last value of a quantity. For a quantity of probes, this is the value on the first probe.
    #[must_use]
    pub fn last(&self, quantity: &Quantity) -> Option<f64> {
        self.values.get(quantity.key)
    }

    /// Returns whether the search for the last value of a quantity converged, if there was one.
    #[must_use]
    pub fn converged(&self, quantity: &Quantity) -> Option<bool> {
        match quantity.key {
            key if key == LAMBDA_MAX.key => self.lambda_converged,
            key if key == PRECONDITIONED_SHARPNESS.key => self.preconditioned_converged,
            _ => Some(self.values.get(quantity.converged_key()?)? != 0.0),
        }
    }

    /// Updates the summary from a later point. Values of probes are taken from the first probe only.
    pub fn take_in(&mut self, point: &Point) {
        (self.steps, self.epochs, self.seconds) = (point.step, point.epoch, point.seconds);
        self.changed_by_hand |= point.changed_by_hand.is_some();
        let probe = probe_of(point);
        for quantity in all().filter(|quantity| quantity.subject == Subject::Cell || probe == 0) {
            if let Some(value) = quantity.value(point) {
                self.values.set(quantity.key, value);
            }
            if let Some((key, value)) = quantity.error_key().zip(quantity.uncertainty(point)) {
                self.values.set(key, value);
            }
            if let (Source::Recorded, Some(key)) = (quantity.source, quantity.converged_key())
                && let Some(outcome) = quantity.outcome(point)
            {
                self.values.set(key, f64::from(u8::from(outcome.converged)));
            }
        }
        if let Some(lambda) = point.lambda.as_ref().filter(|_| probe == 0) {
            self.lambda_converged = Some(lambda.lambda_converged);
            self.lambda_step = Some(point.step);
            self.lambda_on = Some(lambda.lambda_on.clone());
        }
        if let Some(found) = point.preconditioned.as_ref().filter(|_| probe == 0) {
            self.preconditioned_converged = Some(found.preconditioned_converged);
        }
    }
}

/// Returns the outcome of a search that a point has among its values, as 1 or 0 under this key.
fn recorded(point: &Point, converged: &str) -> Option<Outcome> {
    Some(Outcome {
        converged: point.values.get(converged)? != 0.0,
        corrected: false,
    })
}

/// Returns the index of the probe whose λ_max the point has; 0 if the point has no λ_max.
#[must_use]
pub fn probe_of(point: &Point) -> usize {
    point.lambda.as_ref().map_or(0, |lambda| lambda.lambda_probe)
}

/// Returns every quantity, in the order of tables.
pub fn all() -> impl Iterator<Item = &'static Quantity> {
    declared().chain(added())
}

/// Returns the quantities that this program measures: all except those that were added.
pub fn declared() -> impl Iterator<Item = &'static Quantity> {
    declared::ALL.iter().copied().chain(&declared::EIGENVALUES)
}

/// Returns the quantities that tables show.
pub fn in_tables() -> impl Iterator<Item = &'static Quantity> {
    all().filter(|quantity| quantity.told.kept == Kept::InTables)
}

/// Returns the quantities that plain lines show, in their order: losses first, results last. λ_max is not among them,
/// because it has its own text.
pub fn in_lines(least: Lines) -> impl Iterator<Item = &'static Quantity> {
    let told: Vec<&Quantity> = all()
        .filter(|quantity| quantity.told.in_lines >= least && quantity.key != LAMBDA_MAX.key)
        .collect();
    told.into_iter().rev()
}

/// Returns the quantity with this key.
#[must_use]
pub fn of_key(key: &str) -> Option<&'static Quantity> {
    all().find(|quantity| quantity.key == key)
}

/// Returns every chart, in the order in which the screen steps through them.
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

/// Returns the reference of all quantities for the documentation, as Markdown.
#[must_use]
pub fn markdown_reference() -> String {
    let mut reference = String::new();
    for quantity in all() {
        let meaning = quantity
            .meaning
            .replace(" ({loss})", "")
            .replace("{loss}", "loss")
            .replace("{precision}", "the cell's precision")
            .replace("{probes}", "each probe of the cell");
        let residual = match quantity.uncertainty {
            Uncertainty::None => String::new(),
            Uncertainty::Residual { key, .. } => format!(", with the residual in `{key}`"),
            Uncertainty::StandardError { key } => format!(", with the standard error in `{key}`"),
        };
        let (label, key, chart) = (quantity.label, quantity.key, quantity.chart.key);
        let mut letters = meaning.chars();
        // A symbol such as η stays as it is.
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let meaning: String = first.into_iter().chain(letters).collect();
        let section =
            format!("### {label}\n\n{meaning}\n\n- **On disk:** `{key}`{residual}\n- **Chart:** `{chart}`\n\n");
        reference.push_str(&section);
    }
    reference.truncate(reference.trim_end().len() + 1);
    reference
}

/// Prints the key only: a chart and its quantities refer to one another.
impl fmt::Debug for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chart").field(&self.key).finish()
    }
}

/// Two charts are equal if their keys are equal.
impl PartialEq for Chart {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Chart {}

impl Chart {
    /// Returns the quantities that are drawn on this chart.
    pub fn quantities(&self) -> impl Iterator<Item = &'static Quantity> {
        let key = self.key;
        all().filter(move |quantity| quantity.chart.key == key)
    }

    /// Returns the first quantity of this chart with this line.
    #[must_use]
    pub fn line(&self, line: Line) -> Option<&'static Quantity> {
        self.quantities().find(|quantity| quantity.line == line)
    }
}

#[cfg(not(test))]
pub(crate) use added::{add, added};

#[cfg(test)]
pub(crate) use tests::{add, added};

#[cfg(test)]
mod tests;
