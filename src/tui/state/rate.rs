//! The prompt for a new learning rate of the running cell: halved, doubled, the previous one, or typed.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::number;
use crate::event::CellIndex;
use crate::monitor::Cell;
use crate::quantity::LEARNING_RATE;
use crate::tui::keys::prompt::{self, Typed};

/// A rate above this multiple of the present rate needs a second Enter: the cell may well diverge.
const FAR: f64 = 100.0;

/// The state of the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatePrompt {
    /// The cell whose rate is changed.
    pub cell: CellIndex,
    typed: String,
    /// Whether Enter was pressed once at a rate far above the present one.
    doubted: bool,
}

/// The result of a key at the prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::tui) enum Answer {
    /// This learning rate was chosen.
    Rate(f64),
    /// No rate was chosen, and the prompt is closed.
    Never,
    /// The prompt stays open.
    Pending,
}

impl RatePrompt {
    pub(in crate::tui) fn new(cell: CellIndex) -> Self {
        Self {
            cell,
            typed: String::new(),
            doubted: false,
        }
    }

    /// Returns the typed text.
    pub(in crate::tui) fn typed(&self) -> &str {
        &self.typed
    }

    /// Returns whether Enter was pressed once at a rate far above the present one.
    pub(in crate::tui) fn is_doubted(&self) -> bool {
        self.doubted
    }

    /// Handles a key; `cell` is the state of the cell.
    pub(in crate::tui) fn key(&mut self, event: &KeyEvent, cell: &Cell) -> Answer {
        let now = cell.latest.first(&LEARNING_RATE);
        // Letters are commands only while nothing is typed; after that they are part of the line.
        let is_bare = event.kind != KeyEventKind::Release
            && !event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::CONTROL);
        let chosen = match event.code {
            KeyCode::Char('h') => now.map(|rate| rate / 2.0),
            KeyCode::Char('d') => now.map(|rate| rate * 2.0),
            KeyCode::Char('u') => last_change(cell),
            _ => None,
        };
        if let Some(rate) = chosen.filter(|_| is_bare && self.typed.is_empty()) {
            return Answer::Rate(rate);
        }
        let before = self.typed.clone();
        let typed = prompt::key(&mut self.typed, event);
        if typed == Typed::Tab {
            prompt::blank(&mut self.typed);
        }
        let doubted = self.doubted && self.typed == before;
        self.doubted = doubted;
        match (typed, self.value()) {
            (Typed::Never, _) => Answer::Never,
            (Typed::Done, Some(Ok(rate))) => {
                self.doubted = times(rate, now).is_some();
                if self.doubted && !doubted {
                    Answer::Pending
                } else {
                    Answer::Rate(rate)
                }
            }
            _ => Answer::Pending,
        }
    }

    /// Adds pasted text; its letters are never commands.
    pub(in crate::tui) fn paste(&mut self, text: &str) {
        prompt::paste(&mut self.typed, text);
        self.doubted = false;
    }

    /// Returns the typed learning rate, or why the text is not one; `None` while nothing is typed.
    pub(in crate::tui) fn value(&self) -> Option<Result<f64, String>> {
        if self.typed.trim().is_empty() {
            return None;
        }
        let above_zero = |value: f64| {
            if value > 0.0 {
                Ok(value)
            } else {
                Err("a learning rate has to be above 0".to_owned())
            }
        };
        let number = number::read(&self.typed).map_err(|why| why.to_string());
        Some(number.and_then(above_zero))
    }
}

/// Returns the ratio of this rate to the present one, if it is so large that a second Enter is needed.
pub(in crate::tui) fn times(rate: f64, now: Option<f64>) -> Option<f64> {
    now.map(|now| rate / now).filter(|times| *times > FAR)
}

/// Returns the learning rate before its last change by hand.
pub(in crate::tui) fn last_change(cell: &Cell) -> Option<f64> {
    cell.rate_changes.last().map(|(_, change)| change.from)
}
