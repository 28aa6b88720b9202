//! What can be compared: numbers that are measured, settings, and the state.

use crate::event::CellIndex;
use crate::monitor::{Cell, Monitor};
use crate::quantity::{self, Format, Kept, Quantity};

/// Numbers that can be compared, as the prompt lists them beside the settings.
pub(in crate::tui) const NUMBERS: &str = "lambda, edge, acc, loss, steps, seconds, cell";

/// All of them, where a name is not known.
pub(super) fn all_numbers() -> String {
    let kept = quantity::all().filter(|quantity| quantity.told.kept == Kept::InTables);
    let quantities = kept.map(|quantity| quantity.names.first().copied().unwrap_or(quantity.key));
    let own = NAMES.iter().map(|(names, _)| names[0]);
    quantities.chain(own).chain(["state"]).collect::<Vec<_>>().join(", ")
}

/// The names of each number that no quantity is, the usual one first.
const NAMES: [(&[&str], Number); 4] = [
    (&["edge"], Number::Edge),
    (&["steps", "step"], Number::Steps),
    (&["seconds", "time"], Number::Seconds),
    (&["cell", "#"], Number::Cell),
];

/// Settings by the symbols and abbreviations that the field has for them.
const SYMBOLS: [(&str, &str); 7] = [
    ("lr", "learning_rate"),
    ("eta", "learning_rate"),
    ("η", "learning_rate"),
    ("beta", "momentum"),
    ("β", "momentum"),
    ("ρ", "rho"),
    ("wd", "weight_decay"),
];

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Number(Number),
    /// A setting, swept or the same in every cell.
    Setting(String),
    State,
}

/// A number that a cell has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Measured(&'static Quantity),
    Edge,
    Steps,
    Seconds,
    Cell,
}

impl Name {
    /// What a name, in small letters, stands for in this sweep, compared to a number or to a word.
    pub(super) fn of(name: &str, to_number: bool, monitor: &Monitor) -> Option<Self> {
        let setting = SYMBOLS
            .iter()
            .find(|(symbol, _)| *symbol == name)
            .map_or(name, |(_, setting)| setting);
        let is_setting = || monitor.cells.iter().any(|cell| cell.plan.setting(setting).is_some());
        let number = Number::named(name);
        // Some settings are called like what they decide. `steps` where they are swept are those that were planned, and
        // `loss=SquaredError` is about which loss it is.
        let is_swept = || monitor.swept.iter().any(|swept| swept.name == setting);
        let is_meant = |number: &Number| match number {
            Number::Steps => !is_swept(),
            // A quantity that is called like a setting has another name, too; what has not is meant as the setting.
            Number::Measured(quantity) => (to_number && quantity.key != name) || !is_setting(),
            _ => true,
        };
        match number.filter(is_meant) {
            Some(number) => Some(Self::Number(number)),
            None if name == "state" => Some(Self::State),
            None => is_setting().then(|| Self::Setting(setting.to_owned())),
        }
    }

    /// Whether it is a share of examples, which may be said in per cent.
    pub(super) fn is_accuracy(name: &str) -> bool {
        Number::named(name).is_some_and(Number::is_share)
    }

    /// Every name that somebody may have meant.
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

    /// It in this cell, once it is known.
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
