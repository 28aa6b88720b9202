//! Input at questions and prompts: typed keys, pasted text and answers.

use crossterm::event::{KeyCode, KeyEvent};

use crate::characters::capitalized;
use crate::event::{CellIndex, cell_name};
use crate::monitor::Monitor;
use crate::tui::keys::prompt;
use crate::tui::keys::{self, Action};
use crate::tui::state::filter::Filter;
use crate::tui::state::rate::Answer;

use super::{Effect, Overlay, View};

impl View {
    /// Shows that a question about a cell was withdrawn.
    pub(super) fn withdraw(&mut self, cell: CellIndex, outcome: &str) {
        let name = capitalized(&cell_name(cell));
        let words = format!("{name} {outcome}: it is too late.");
        self.overlay = Some(Overlay::Withdrawn(words));
    }

    /// Returns whether a key leaves or redraws the screen, or goes to an open box.
    pub(in crate::tui) fn leaves(&self, event: &KeyEvent) -> bool {
        let leaving = [
            Action::Quit,
            Action::Interrupt,
            Action::Detach,
            Action::Suspend,
            Action::Redraw,
        ];
        self.overlay.is_some() || self.keys.action(event).is_some_and(|action| leaving.contains(&action))
    }

    pub(super) fn key_at_withdrawn(&mut self, event: &KeyEvent, monitor: &Monitor) -> Option<Effect> {
        if self.keys.action(event) == Some(Action::Interrupt) {
            return self.quit(monitor);
        }
        if matches!(event.code, KeyCode::Esc | KeyCode::Enter) || keys::answer(event).is_some() {
            self.overlay = None;
        }
        None
    }

    /// Adds pasted text to an open prompt, and ignores it elsewhere. Pasted letters never act as keys.
    pub fn paste(&mut self, text: &str) {
        match &mut self.overlay {
            Some(Overlay::Rate(prompt)) => prompt.paste(text),
            Some(Overlay::Palette(palette)) => palette.paste(text),
            Some(Overlay::Filter(typed, _)) => {
                prompt::paste(typed, text);
                self.rows.filter = Filter::parse(typed);
            }
            _ => {}
        }
    }

    pub(super) fn key_at_prompt(&mut self, event: &KeyEvent, monitor: &Monitor) -> Option<Effect> {
        if self.keys.action(event) == Some(Action::Interrupt) {
            return self.quit(monitor);
        }
        let Some(Overlay::Rate(prompt)) = &mut self.overlay else {
            return None;
        };
        let cell = prompt.cell;
        match prompt.key(event, monitor.cells.get(cell)?) {
            Answer::Pending => None,
            Answer::Never => {
                self.overlay = None;
                None
            }
            Answer::Rate(learning_rate) => {
                self.overlay = None;
                Some(self.set_rate(cell, learning_rate, monitor))
            }
        }
    }
}
