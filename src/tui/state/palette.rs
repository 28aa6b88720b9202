//! Every action by its name: what is typed is looked for in the words of the key table.

use crossterm::event::KeyEvent;

use crate::tui::keys::prompt::{self, Typed};
use crate::tui::keys::{self, Action, Binding};

/// What was typed, and which of the actions that match is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    typed: String,
    chosen: usize,
}

/// What a key in the palette leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Found {
    /// This is to be done.
    Action(Action),
    /// Nothing is: the palette is closed.
    Nothing,
    /// Not known yet.
    Pending,
}

impl Palette {
    /// What was typed.
    pub(in crate::tui) fn typed(&self) -> &str {
        &self.typed
    }

    /// Which of the actions that match is chosen.
    pub(in crate::tui) fn chosen(&self) -> usize {
        self.chosen
    }

    /// The actions that match.
    pub(in crate::tui) fn matches(&self) -> Vec<&'static Binding> {
        matches(&self.typed)
    }

    /// Takes in a key.
    pub(in crate::tui) fn key(&mut self, event: &KeyEvent) -> Found {
        let before = self.typed.clone();
        match prompt::key(&mut self.typed, event) {
            Typed::Never => return Found::Nothing,
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

    /// Takes in what was pasted.
    pub(in crate::tui) fn paste(&mut self, text: &str) {
        prompt::paste(&mut self.typed, text);
        self.chosen = 0;
    }
}

/// The actions whose name or words have every typed word; those that begin with it first.
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
    fn the_arrows_choose_and_typing_begins_at_the_first_again() {
        let mut palette = typed("cell");
        palette.key(&KeyEvent::new(KeyCode::Down, KeyModifiers::NONE));
        assert_eq!(palette.chosen, 1);
        for _ in 0..99 {
            palette.key(&KeyEvent::new(KeyCode::Down, KeyModifiers::NONE));
        }
        assert!(
            matches!(enter(palette.clone()), Found::Action(_)),
            "the last one is one"
        );
        palette.key(&KeyEvent::new(KeyCode::Char('s'), KeyModifiers::NONE));
        assert_eq!(palette.chosen, 0);
    }
}
