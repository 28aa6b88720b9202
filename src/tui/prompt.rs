//! A line that is typed.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The longest line that is taken.
const LONGEST: usize = 200;

/// What a key at a prompt leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// The line has changed, or not.
    More,
    /// It is taken as it is.
    Done,
    /// It is thrown away.
    Never,
    /// Another row is chosen: one up (true) or one down.
    Row(bool),
}

/// Takes in a key.
pub(super) fn key(line: &mut String, event: &KeyEvent) -> Typed {
    if event.kind == KeyEventKind::Release || event.modifiers.contains(KeyModifiers::ALT) {
        return Typed::More;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    match event.code {
        KeyCode::Esc => return Typed::Never,
        KeyCode::Char('c') if control => return Typed::Never,
        KeyCode::Enter => return Typed::Done,
        KeyCode::Up => return Typed::Row(true),
        KeyCode::Down | KeyCode::Tab => return Typed::Row(false),
        KeyCode::Backspace => drop(line.pop()),
        // The keys of a shell's line.
        KeyCode::Char('u') if control => line.clear(),
        KeyCode::Char('w') if control => {
            let kept = line.trim_end().rfind(' ').map_or(0, |at| at + 1);
            line.truncate(kept);
        }
        KeyCode::Char(letter) if !control && !letter.is_control() && line.chars().count() < LONGEST => {
            line.push(letter);
        }
        _ => {}
    }
    Typed::More
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_typed_and_corrected_and_nothing_else_gets_into_it() {
        let mut line = String::new();
        let press = |line: &mut String, code, modifiers| key(line, &KeyEvent::new(code, modifiers));
        for letter in "acc > λ".chars() {
            assert_eq!(press(&mut line, KeyCode::Char(letter), KeyModifiers::NONE), Typed::More);
        }
        assert_eq!(line, "acc > λ");
        press(&mut line, KeyCode::Backspace, KeyModifiers::NONE);
        press(&mut line, KeyCode::Char('x'), KeyModifiers::CONTROL);
        press(&mut line, KeyCode::Char('x'), KeyModifiers::ALT);
        assert_eq!(line, "acc > ");
        press(&mut line, KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(line, "acc ");
        press(&mut line, KeyCode::Char('u'), KeyModifiers::CONTROL);
        assert_eq!(line, "");
        assert_eq!(press(&mut line, KeyCode::Backspace, KeyModifiers::NONE), Typed::More);
        assert_eq!(press(&mut line, KeyCode::Enter, KeyModifiers::NONE), Typed::Done);
        assert_eq!(press(&mut line, KeyCode::Esc, KeyModifiers::NONE), Typed::Never);
    }

    #[test]
    fn a_line_is_not_longer_than_it_may_be() {
        let mut line = String::new();
        for _ in 0..3 * LONGEST {
            key(&mut line, &KeyEvent::new(KeyCode::Char('日'), KeyModifiers::NONE));
        }
        assert_eq!(line.chars().count(), LONGEST);
    }
}
