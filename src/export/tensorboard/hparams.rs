//! The sweep for TensorBoard's HPARAMS tab: the swept settings of each cell, with its last test accuracy and λ_max.

use super::super::run::{Cell, Run};
use super::tags::Tags;
use crate::event::CellEnding;
use crate::event_files::{self, Message};

/// Fields of `HParamsPluginData`.
const EXPERIMENT: u64 = 2;
const SESSION_START: u64 = 3;
const SESSION_END: u64 = 4;

/// `DataType` of the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Text = 1,
    Truth = 2,
    Number = 3,
}

/// The settings of all cells.
pub(super) struct Settings(Vec<(String, Type)>);

impl Settings {
    /// Returns the swept settings, or all settings if nothing is swept.
    pub(super) fn of(run: &Run) -> Self {
        let mut names: Vec<String> = Vec::new();
        let swept = run.cells.iter().flat_map(|cell| &cell.swept).map(|(name, _)| name);
        let all = run.cells.iter().take(1).flat_map(|cell| &cell.settings);
        let all = all.map(|(name, _)| (*name).to_owned());
        for name in swept {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        if names.is_empty() {
            names.extend(all);
        }
        let typed = names.into_iter().map(|name| {
            let values: Vec<&str> = run.cells.iter().filter_map(|cell| value(cell, &name)).collect();
            let kind = if values.iter().all(|text| number(text).is_some()) {
                Type::Number
            } else if values.iter().all(|text| ["true", "false"].contains(text)) {
                Type::Truth
            } else {
                Type::Text
            };
            (name, kind)
        });
        Self(typed.collect())
    }

    /// Returns the description of the sweep, which belongs into the top folder.
    pub(super) fn experiment(&self, run: &Run, tags: &Tags) -> Message {
        let mut experiment = Message::default().text(6, &run.sweep);
        for (name, kind) in &self.0 {
            let info = Message::default().text(1, name).varint(4, *kind as u64);
            experiment = experiment.message(4, &info);
        }
        for (tag, shown, description) in tags.results() {
            let name = Message::default().text(2, &tag);
            let metric = Message::default()
                .message(1, &name)
                .text(3, &shown)
                .text(4, description);
            experiment = experiment.message(5, &metric);
        }
        event_files::hparams("_hparams_/experiment", (EXPERIMENT, &experiment))
    }

    /// Returns the settings of a cell that began at this time of day.
    pub(super) fn start(&self, cell: &Cell, name: &str, began: f64) -> Message {
        let mut start = Message::default();
        for (setting, kind) in &self.0 {
            let Some(text) = value(cell, setting) else { continue };
            let value = Message::default();
            let value = match (kind, number(text)) {
                (Type::Number, Some(number)) => value.double(2, number),
                (Type::Truth, _) => value.varint(4, u64::from(text == "true")),
                _ => value.text(3, text),
            };
            let entry = Message::default().text(1, setting).message(2, &value);
            start = start.message(1, &entry);
        }
        let start = start.text(4, name).double(5, began);
        event_files::hparams("_hparams_/session_start_info", (SESSION_START, &start))
    }
}

/// Returns the state of a cell that has ended at this time of day.
pub(super) fn end(ending: &CellEnding, ended: f64) -> Message {
    const SUCCESS: u64 = 1;
    const FAILURE: u64 = 2;
    let status = match ending {
        CellEnding::Finished(_) => SUCCESS,
        CellEnding::Diverged | CellEnding::Aborted | CellEnding::Interrupted | CellEnding::Failed(_) => FAILURE,
    };
    let end = Message::default().varint(1, status).double(2, ended);
    event_files::hparams("_hparams_/session_end_info", (SESSION_END, &end))
}

fn value<'a>(cell: &'a Cell, name: &str) -> Option<&'a str> {
    let swept = cell.swept.iter().find(|(swept, _)| swept == name);
    let set = || cell.settings.iter().find(|(set, _)| *set == name);
    let text = swept.map(|(_, value)| value).or_else(|| set().map(|(_, value)| value));
    text.map(String::as_str)
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}
