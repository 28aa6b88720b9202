//! The editing of a line that is typed or pasted. Characters that are replaced or cut off leave a visible mark.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::text::Span;

/// Maximum length of a line, in characters.
const LONGEST: usize = 200;

/// Last character of a line that was cut off. No number and no name contains it, so a part is never read as the whole.
pub(in crate::tui) const CUT: char = '…';

/// Replaces a control character that was pasted.
const CONTROL: char = '\u{fffd}';

/// The result of a key at a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Typed {
    /// The prompt stays open; the line may have changed.
    More,
    /// The line is accepted.
    Done,
    /// The line is discarded.
    Never,
    /// Another row is chosen: one up (`true`) or one down (`false`).
    Row(bool),
    /// The Tab key. It chooses the next row if the prompt has rows; otherwise it is a blank, see [`blank`].
    Tab,
}

/// Handles a key.
pub(in crate::tui) fn key(line: &mut String, event: &KeyEvent) -> Typed {
    if event.kind == KeyEventKind::Release {
        return Typed::More;
    }
    if event.modifiers.contains(KeyModifiers::ALT) {
        // Alt with a letter may be an escape character in a paste. Without a mark in its place, the letters around it
        // would form another word.
        if let KeyCode::Char(letter) = event.code {
            push(line, CONTROL);
            push(line, letter);
        }
        return Typed::More;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    match event.code {
        KeyCode::Esc => return Typed::Never,
        KeyCode::Char('c') if control => return Typed::Never,
        KeyCode::Enter => return Typed::Done,
        KeyCode::Up => return Typed::Row(true),
        KeyCode::Down => return Typed::Row(false),
        KeyCode::Tab => return Typed::Tab,
        KeyCode::Backspace => drop(line.pop()),
        // Ctrl-U and Ctrl-W work as in a shell.
        KeyCode::Char('u') if control => line.clear(),
        KeyCode::Char('w') if control => {
            let kept = line.trim_end().rfind(' ').map_or(0, |at| at + 1);
            line.truncate(kept);
        }
        KeyCode::Char(letter) if !control => push(line, letter),
        _ => {}
    }
    Typed::More
}

/// Adds a blank, for Tab at a prompt without rows.
pub(in crate::tui) fn blank(line: &mut String) {
    push(line, ' ');
}

/// Adds pasted text. Line ends inside the text become blanks and do not end the prompt. Control characters at its end
/// are dropped, and so is white space at the start of an empty line.
pub(in crate::tui) fn paste(line: &mut String, text: &str) {
    let text = text.trim_end_matches(char::is_control);
    let text = if line.is_empty() { text.trim_start() } else { text };
    // A paste may have megabytes: read no more than could fill the line.
    let mut letters = text.chars().take(2 * LONGEST).peekable();
    while let Some(letter) = letters.next() {
        if letter == '\r' && letters.peek() == Some(&'\n') {
            continue;
        }
        push(
            line,
            if matches!(letter, '\n' | '\r' | '\t') {
                ' '
            } else {
                letter
            },
        );
    }
}

fn push(line: &mut String, letter: char) {
    if line.chars().count() < LONGEST {
        line.push(if letter.is_control() { CONTROL } else { letter });
    } else if !line.ends_with(CUT) {
        line.push(CUT);
    }
}

/// Returns the line with its cursor in at most `columns` columns. Of a longer line it returns the end.
pub(in crate::tui) fn shown(line: &str, columns: usize) -> String {
    let columns = columns.saturating_sub(1);
    if Span::raw(line).width() <= columns {
        return format!("{line}_");
    }
    let mut from = line.len();
    for (at, _) in line.char_indices().rev() {
        if Span::raw(&line[at..]).width() + 1 > columns {
            break;
        }
        from = at;
    }
    format!("…{}_", &line[from..])
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
        assert_eq!(line, "acc > ");
        // An escape character in a paste arrives as Alt. It leaves a mark, so the line is not read as a number.
        press(&mut line, KeyCode::Char('x'), KeyModifiers::ALT);
        assert_eq!(line, "acc > \u{fffd}x");
        press(&mut line, KeyCode::Char('w'), KeyModifiers::CONTROL);
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
        assert_eq!(line.chars().count(), LONGEST + 1);
        assert!(line.ends_with(CUT), "a part is not taken for the whole");
        key(&mut line, &KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
        assert!(!line.ends_with(CUT));
    }

    #[test]
    fn what_is_pasted_is_all_there_on_one_line() {
        for (before, pasted, after) in [
            ("", " 0.05\r\n", "0.05"),
            ("", "0.05\r\n0.1\n", "0.05 0.1"),
            ("1", " 000", "1 000"),
            ("1", "\t000", "1 000"),
            ("", "5\u{1b}[D6\0", "5\u{fffd}[D6"),
            ("acc>", "0.3", "acc>0.3"),
            ("", "\n\n", ""),
        ] {
            let mut line = before.to_owned();
            paste(&mut line, pasted);
            assert_eq!(line, after, "{pasted:?}");
        }
        let mut line = String::new();
        paste(&mut line, &"9".repeat(1_000_000));
        assert_eq!((line.chars().count(), line.ends_with(CUT)), (LONGEST + 1, true));
    }

    #[test]
    fn of_a_line_that_is_too_long_to_be_shown_its_end_is() {
        assert_eq!(shown("0.05", 5), "0.05_");
        assert_eq!(shown("0.0512", 5), "…512_");
        assert_eq!(shown("日本語", 5), "…語_");
        assert_eq!(shown("日本語", 0), "…_");
    }
}
