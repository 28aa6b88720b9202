//! What can be compared: numbers that are measured, settings, and the state.

use crate::event::CellIndex;
use crate::monitor::{Cell, Monitor};

/// Numbers that can be compared, as the prompt lists them beside the settings.
pub(in crate::tui) const NUMBERS: &str = "lambda, edge, acc, loss, steps, seconds, cell";

/// All of them, where a name is not known.
pub(super) const ALL: &str = "lambda, edge, acc, train_acc, loss, train_loss, steps, seconds, cell, state";

/// The names of each number, the usual one first.
const NAMES: [(&[&str], Number); 9] = [
    (&["lambda", "lambda_max", "λ_max", "λ", "sharpness"], Number::Lambda),
    (&["edge"], Number::Edge),
    (&["acc", "accuracy", "test_acc", "test_accuracy"], Number::TestAccuracy),
    (&["train_acc", "train_accuracy"], Number::TrainAccuracy),
    (&["loss", "test_loss"], Number::TestLoss),
    (&["train_loss"], Number::TrainLoss),
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
    Lambda,
    Edge,
    TestAccuracy,
    TrainAccuracy,
    TestLoss,
    TrainLoss,
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
            Number::TestLoss => to_number || !is_setting(),
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
        let numbers = NAMES.iter().flat_map(|(names, _)| names.iter().copied());
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
        known.map(|(_, number)| *number)
    }

    pub(super) fn is_share(self) -> bool {
        matches!(self, Self::TestAccuracy | Self::TrainAccuracy)
    }

    /// It in this cell, once it is known.
    pub(super) fn of(self, index: CellIndex, cell: &Cell) -> Option<f64> {
        let latest = &cell.latest;
        match self {
            Self::Lambda => latest.lambda.first()?.as_ref().map(|lambda| lambda.lambda_max),
            Self::Edge => cell.edge(),
            Self::TestAccuracy => latest.test_accuracy,
            Self::TrainAccuracy => latest.train_accuracy,
            Self::TestLoss => latest.test_loss,
            Self::TrainLoss => latest.train_loss,
            Self::Steps => Some(cell.progress.step as f64),
            Self::Seconds => Some(cell.progress.seconds),
            Self::Cell => Some(index as f64),
        }
    }
}
