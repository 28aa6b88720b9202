//! Every action by its name: what is typed is looked for in the words of the key table.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::keys::prompt::{self, Typed};
use crate::tui::keys::{self, Action, Binding};
use crate::tui::state::scene::Scene;
use crate::tui::theme::panel;

/// Actions listed at most.
const MOST: usize = 12;

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

/// Draws the palette over the screen.
pub(in crate::tui) fn render(scene: &Scene, palette: &Palette, screen: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let text = |words: &str| theme.text(words).into_owned();
    let columns = usize::from(screen.width.saturating_sub(8)).min(86);
    let mut lines = vec![Line::from(vec![
        Span::styled(": ", theme.key),
        Span::styled(prompt::shown(&palette.typed, columns.saturating_sub(2)), theme.strong),
    ])];
    let found = matches(&palette.typed);
    let room = usize::from(screen.height.saturating_sub(6)).clamp(1, MOST);
    let first = (palette.chosen + 1).saturating_sub(room);
    for (index, binding) in found.iter().enumerate().skip(first).take(room) {
        let is_chosen = index == palette.chosen;
        let mark = if is_chosen { text("› ") } else { "  ".to_owned() };
        let name = format!("{mark}{:<16}", binding.action.name());
        let keys = format!("{:<9}", text(&scene.view.keys.names(binding.action)));
        let words = panel::cut(&text(binding.help), columns.saturating_sub(name.len() + keys.len()));
        let style = if is_chosen { theme.chosen } else { theme.dim };
        lines.push(Line::from(vec![
            Span::styled(
                name,
                if is_chosen {
                    theme.strong
                } else {
                    ratatui::style::Style::new()
                },
            ),
            Span::styled(keys, theme.key),
            Span::styled(words, style),
        ]));
    }
    // The box keeps its size while one types.
    lines.resize(room + 1, Line::default());
    let hidden = found.len().saturating_sub(first + room);
    let more = match (found.len(), hidden) {
        (0, _) => "no action has these words; Esc closes".to_owned(),
        (_, 0) => "Enter does it, Esc closes".to_owned(),
        _ => format!("Enter does it, Esc closes; {hidden} more below"),
    };
    lines.push(Line::styled(format!("{:<columns$}", text(&more)), theme.dim));
    panel::overlay(screen, buffer, theme, "find an action", lines);
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};

    use super::*;
    use crate::tui::fixture::Fixture;

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

    #[test]
    fn it_lists_what_matches() {
        let mut fixture = Fixture::half_way();
        fixture.view.overlay = Some(crate::tui::Overlay::Palette(typed("rate")));
        insta::assert_snapshot!(fixture.drawn(crate::tui::screen::render, (80, 24)));
    }
}
