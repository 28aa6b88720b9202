//! The names that a filter can compare: measured numbers, settings, and the state.

use crate::event::CellIndex;
use crate::monitor::{Cell, Monitor};
use crate::quantity::{self, Format, Kept, Quantity};

/// Names of numbers that the filter prompt lists; settings can be compared, too.
pub(in crate::tui) const NUMBERS: &str = "lambda, edge, acc, loss, steps, seconds, cell";

/// Lists all names except settings, for the message about an unknown name.
pub(super) fn all_numbers() -> String {
    let kept = quantity::all().filter(|quantity| quantity.told.kept == Kept::InTables);
    let quantities = kept.map(|quantity| quantity.names.first().copied().unwrap_or(quantity.key));
    let own = NAMES.iter().map(|(names, _)| names[0]);
    quantities.chain(own).chain(["state"]).collect::<Vec<_>>().join(", ")
}

/// Names of the numbers that are not quantities, the usual name first.
const NAMES: [(&[&str], Number); 4] = [
    (&["edge"], Number::Edge),
    (&["steps", "step"], Number::Steps),
    (&["seconds", "time"], Number::Seconds),
    (&["cell", "#"], Number::Cell),
];

/// The field's symbols and abbreviations for settings, each with its setting.
const SYMBOLS: [(&str, &str); 7] = [
    ("lr", "learning_rate"),
    ("eta", "learning_rate"),
    ("η", "learning_rate"),
    ("beta", "momentum"),
    ("β", "momentum"),
    ("ρ", "rho"),
    ("wd", "weight_decay"),
];

/// The meaning of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Number(Number),
    /// A setting, swept or the same in every cell.
    Setting(String),
    State,
}

/// A number that a cell has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Measured(&'static Quantity),
    Edge,
    Steps,
    Seconds,
    Cell,
}

impl Name {
    /// Resolves a name, in lower case, in this sweep. `to_number` tells whether it is compared to a number, not a word.
    pub(super) fn of(name: &str, to_number: bool, monitor: &Monitor) -> Option<Self> {
        let setting = SYMBOLS
            .iter()
            .find(|(symbol, _)| *symbol == name)
            .map_or(name, |(_, setting)| setting);
        let is_setting = || monitor.cells.iter().any(|cell| cell.plan.setting(setting).is_some());
        let number = Number::named(name);
        // Some settings share their name with a number. If `steps` is swept, the name means the planned steps.
        // `loss=SquaredError` means the kind of loss.
        let is_swept = || monitor.swept.iter().any(|swept| swept.name == setting);
        let is_meant = |number: &Number| match number {
            Number::Steps => !is_swept(),
            // If a setting has the same name, a comparison to a number means the quantity. But the key of a quantity,
            // like `learning_rate`, always means the setting.
            Number::Measured(quantity) => (to_number && quantity.key != name) || !is_setting(),
            _ => true,
        };
        match number.filter(is_meant) {
            Some(number) => Some(Self::Number(number)),
            None if name == "state" => Some(Self::State),
            None => is_setting().then(|| Self::Setting(setting.to_owned())),
        }
    }

    /// Returns whether the name is a share of examples, which may be typed in per cent.
    pub(super) fn is_accuracy(name: &str) -> bool {
        Number::named(name).is_some_and(Number::is_share)
    }

    /// Returns every known name, for suggestions.
    pub(super) fn all(monitor: &Monitor) -> Vec<&str> {
        let quantities =
            quantity::all().flat_map(|quantity| [quantity.key].into_iter().chain(quantity.names.iter().copied()));
        let numbers = quantities.chain(NAMES.iter().flat_map(|(names, _)| names.iter().copied()));
        let settings = monitor.cells.first().into_iter().flat_map(|cell| &cell.plan.settings);
        numbers
            .chain(["state"])
            .chain(settings.map(|(name, _)| name.as_str()))
            .collect()
    }
}

impl Number {
    pub(super) fn named(name: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(names, _)| names.contains(&name));
        let quantity = || quantity::all().find(|quantity| quantity.is_called(name));
        known
            .map(|(_, number)| *number)
            .or_else(|| quantity().map(Self::Measured))
    }

    pub(super) fn is_share(self) -> bool {
        matches!(self, Self::Measured(quantity) if quantity.format == Format::Share)
    }

    /// Returns the number of this cell, if it is known yet.
    pub(super) fn of(self, index: CellIndex, cell: &Cell) -> Option<f64> {
        match self {
            Self::Measured(quantity) => cell.latest.first(quantity),
            Self::Edge => cell.edge(),
            Self::Steps => Some(cell.progress.step as f64),
            Self::Seconds => Some(cell.progress.seconds),
            Self::Cell => Some(index as f64),
        }
    }
}
