//! The palette of actions: the typed words are searched in the key table.

use crossterm::event::KeyEvent;

use crate::tui::keys::prompt::{self, Typed};
use crate::tui::keys::{self, Action, Binding};

/// The typed words, and the index of the chosen action among the matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    typed: String,
    chosen: usize,
}

/// The result of a key in the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Found {
    /// This action was chosen.
    Action(Action),
    /// This number of runners was typed.
    Runners(usize),
    /// No action was chosen, and the palette is closed.
    Nothing,
    /// The palette stays open.
    Pending,
}

impl Palette {
    /// Returns the typed words.
    pub(in crate::tui) fn typed(&self) -> &str {
        &self.typed
    }

    /// Returns the index of the chosen action among the matches.
    pub(in crate::tui) fn chosen(&self) -> usize {
        self.chosen
    }

    /// Returns the actions that match.
    pub(in crate::tui) fn matches(&self) -> Vec<&'static Binding> {
        matches(&self.typed)
    }

    /// Returns the number of runners, if "runners 4" was typed.
    pub(in crate::tui) fn runners(&self) -> Option<usize> {
        let (name, count) = self.typed.trim().split_once(' ')?;
        let count = count.trim().parse().ok()?;
        ("runners".starts_with(&name.to_lowercase()) && name.len() > 2 && count > 0).then_some(count)
    }

    /// Handles a key.
    pub(in crate::tui) fn key(&mut self, event: &KeyEvent) -> Found {
        let before = self.typed.clone();
        match prompt::key(&mut self.typed, event) {
            Typed::Never => return Found::Nothing,
            Typed::Done if let Some(count) = self.runners() => return Found::Runners(count),
            Typed::Done => {
                let matches = matches(&self.typed);
                return matches
                    .get(self.chosen)
                    .map_or(Found::Pending, |binding| Found::Action(binding.action));
            }
            Typed::Row(true) => self.chosen = self.chosen.saturating_sub(1),
            Typed::Row(false) | Typed::Tab => {
                let last = matches(&self.typed).len().saturating_sub(1);
                self.chosen = (self.chosen + 1).min(last);
            }
            Typed::More => {}
        }
        if self.typed != before {
            self.chosen = 0;
        }
        Found::Pending
    }

    /// Adds pasted text.
    pub(in crate::tui) fn paste(&mut self, text: &str) {
        prompt::paste(&mut self.typed, text);
        self.chosen = 0;
    }
}

/// Returns the actions whose name or help contains every typed word. Actions whose name begins with the first word come
/// first.
fn matches(typed: &str) -> Vec<&'static Binding> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let lowered = |binding: &Binding| format!("{} {}", binding.action.name(), binding.help).to_lowercase();
    let mut found: Vec<&Binding> = keys::BINDINGS
        .iter()
        .filter(|binding| binding.action != Action::Palette)
        .filter(|binding| {
            let text = lowered(binding);
            words.iter().all(|word| text.contains(word.as_str()))
        })
        .collect();
    found.sort_by_key(|binding| {
        !words
            .first()
            .is_some_and(|word| binding.action.name().starts_with(word.as_str()))
    });
    found
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    fn typed(text: &str) -> Palette {
        let mut palette = Palette::default();
        for letter in text.chars() {
            let found = palette.key(&KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
            assert_eq!(found, Found::Pending);
        }
        palette
    }

    fn enter(mut palette: Palette) -> Found {
        palette.key(&KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE))
    }

    #[test]
    fn every_action_is_found_by_its_name() {
        for binding in keys::BINDINGS
            .iter()
            .filter(|binding| binding.action != Action::Palette)
        {
            assert_eq!(enter(typed(&binding.action.name())), Found::Action(binding.action));
        }
    }

    #[test]
    fn an_action_is_found_by_words_of_its_explanation() {
        assert_eq!(enter(typed("cold start")), Found::Action(Action::Audit));
        assert_eq!(enter(typed("no such thing")), Found::Pending);
    }

    #[test]
    fn a_number_of_runners_is_typed_after_their_name() {
        assert_eq!(enter(typed("runners 4")), Found::Runners(4));
        assert_eq!(enter(typed("Run  12 ")), Found::Runners(12));
        for other in ["runners 0", "runners -1", "runners 4 5", "rx 4"] {
            assert_eq!(enter(typed(other)), Found::Pending, "{other}");
        }
    }

    #[test]
    fn the_arrows_choose_and_typing_begins_at_the_first_again() {
        let mut palette = typed("cell");
        palette.key(&KeyEvent::new(KeyCode::Down, KeyModifiers::NONE));
        assert_eq!(palette.chosen, 1);
        for _ in 0..99 {
            palette.key(&KeyEvent::new(KeyCode::Down, KeyModifiers::NONE));
        }
        assert!(
            matches!(enter(palette.clone()), Found::Action(_)),
            "the last row is an action"
        );
        palette.key(&KeyEvent::new(KeyCode::Char('s'), KeyModifiers::NONE));
        assert_eq!(palette.chosen, 0);
    }
}
