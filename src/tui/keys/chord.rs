//! A key with its modifiers, and its name.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key, with or without Ctrl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    control: bool,
}

pub(super) const fn key(code: KeyCode) -> Chord {
    Chord { code, control: false }
}

pub(super) const fn letter(letter: char) -> Chord {
    key(KeyCode::Char(letter))
}

pub(super) const fn control(letter: char) -> Chord {
    Chord {
        code: KeyCode::Char(letter),
        control: true,
    }
}

impl Chord {
    pub(in crate::tui) fn matches(self, event: &KeyEvent) -> bool {
        // The letter already includes Shift. Alt means something different on every terminal.
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        event.code == self.code && control == self.control && !event.modifiers.contains(KeyModifiers::ALT)
    }

    /// Returns the key of this name, or `None` if there is no such key.
    pub(in crate::tui) fn named(name: &str) -> Option<Self> {
        let single = |text: &str| {
            let mut letters = text.chars();
            letters
                .next()
                .filter(|letter| letters.next().is_none() && !letter.is_control())
        };
        if let Some(rest) = name.strip_prefix("Ctrl-") {
            return single(rest).map(|letter| control(letter.to_ascii_lowercase()));
        }
        if let Some(number) = name.strip_prefix('F').and_then(|number| number.parse().ok()) {
            return (1..=12).contains(&number).then(|| key(KeyCode::F(number)));
        }
        let code = match name {
            "space" => KeyCode::Char(' '),
            "↑" | "Up" => KeyCode::Up,
            "↓" | "Down" => KeyCode::Down,
            "←" | "Left" => KeyCode::Left,
            "→" | "Right" => KeyCode::Right,
            "Enter" => KeyCode::Enter,
            "Tab" => KeyCode::Tab,
            "Esc" => KeyCode::Esc,
            "PgUp" => KeyCode::PageUp,
            "PgDn" => KeyCode::PageDown,
            "Home" => KeyCode::Home,
            "End" => KeyCode::End,
            "Insert" => KeyCode::Insert,
            "Delete" => KeyCode::Delete,
            "Backspace" => KeyCode::Backspace,
            other => KeyCode::Char(single(other)?),
        };
        Some(key(code))
    }

    /// Returns the name of the key: "q", "space", "PgUp", "Ctrl-C".
    #[must_use]
    pub fn name(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(letter) if self.control => return format!("Ctrl-{}", letter.to_ascii_uppercase()),
            KeyCode::Char(letter) => letter.to_string(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::Enter => "Enter".to_owned(),
            KeyCode::Tab => "Tab".to_owned(),
            KeyCode::Esc => "Esc".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            other => format!("{other}"),
        };
        debug_assert!(!self.control, "only letters are combined with Ctrl");
        name
    }
}
