//! The prompt for another learning rate of the running cell: halved, doubled, as it was, or typed.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::number;
use crate::event::CellIndex;
use crate::monitor::Cell;
use crate::quantity::LEARNING_RATE;
use crate::tui::keys::prompt::{self, Typed};

/// A rate that is more than so many times the present one is taken at the second Enter: it may well end the cell.
const FAR: f64 = 100.0;

/// What was typed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatePrompt {
    /// Which cell is meant.
    pub cell: CellIndex,
    typed: String,
    /// Enter was pressed at a rate that is far from the present one.
    doubted: bool,
}

/// What a key at the prompt leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::tui) enum Answer {
    /// This learning rate.
    Rate(f64),
    /// None: the prompt is closed.
    Never,
    /// Not known yet.
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

    /// What was typed.
    pub(in crate::tui) fn typed(&self) -> &str {
        &self.typed
    }

    /// Enter was pressed at a rate that is far from the present one.
    pub(in crate::tui) fn is_doubted(&self) -> bool {
        self.doubted
    }

    /// Takes in a key, where the cell is trained as `cell` says.
    pub(in crate::tui) fn key(&mut self, event: &KeyEvent, cell: &Cell) -> Answer {
        let now = cell.latest.first(&LEARNING_RATE);
        // Letters do something only as long as nothing is typed: in a line they are part of it.
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

    /// Takes in what was pasted; none of its letters does anything.
    pub(in crate::tui) fn paste(&mut self, text: &str) {
        prompt::paste(&mut self.typed, text);
        self.doubted = false;
    }

    /// The learning rate that is typed, or why it is none; nothing as long as nothing is typed.
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

/// How many times the present rate this one is, where that is far.
pub(in crate::tui) fn times(rate: f64, now: Option<f64>) -> Option<f64> {
    now.map(|now| rate / now).filter(|times| *times > FAR)
}

/// The learning rate before it was last changed by hand.
pub(in crate::tui) fn last_change(cell: &Cell) -> Option<f64> {
    cell.rate_changes.last().map(|(_, change)| change.from)
}
