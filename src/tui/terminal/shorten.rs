//! Rewrites a frame in fewer bytes.

/// Returns a shorter frame with the same effect on a terminal as `frame`, which crossterm wrote. A move within a row
/// names only the column, and the background is named only when it changes.
///
/// Moves stay absolute, because each terminal decides how wide a character is.
pub(super) fn shortened(frame: &[u8]) -> Vec<u8> {
    let mut short = Vec::with_capacity(frame.len());
    // At the end of the last frame everything was reset.
    let mut background: &[u8] = b"49";
    let mut row: Option<&[u8]> = None;
    let mut rest = frame;
    while let Some(start) = rest.iter().position(|byte| *byte == 0x1b) {
        let (text, from) = rest.split_at(start);
        short.extend_from_slice(text);
        let Some((parameters, last, after)) = sequence(from) else {
            short.extend_from_slice(&from[..1]);
            rest = &from[1..];
            continue;
        };
        rest = after;
        match last {
            b'H' => {
                let at = parameters.iter().position(|byte| *byte == b';');
                let (line, column) =
                    at.map_or((parameters, &b"1"[..]), |at| (&parameters[..at], &parameters[at + 1..]));
                let is_within_row = row == Some(line);
                row = Some(line);
                say(
                    &mut short,
                    if is_within_row { column } else { parameters },
                    if is_within_row { b'G' } else { b'H' },
                );
            }
            // The next sequence resets everything anyway.
            b'm' if parameters != b"0" && rest.starts_with(b"\x1b[0m") => {}
            b'm' => {
                let colours = split_colours(parameters);
                match colours {
                    Some((foreground, behind)) if behind == background => say(&mut short, foreground, b'm'),
                    _ => say(&mut short, parameters, b'm'),
                }
                background = match colours {
                    Some((_, behind)) => behind,
                    None if parameters.is_empty() || parameters == b"0" => b"49",
                    None if parameters.starts_with(b"48") || parameters == b"49" => parameters,
                    None => background,
                };
            }
            _ => {
                row = None;
                say(&mut short, parameters, last);
            }
        }
    }
    short.extend_from_slice(rest);
    short
}

fn say(short: &mut Vec<u8>, parameters: &[u8], last: u8) {
    short.extend_from_slice(b"\x1b[");
    short.extend_from_slice(parameters);
    short.push(last);
}

/// Returns the parameters of a control sequence at the start of `bytes`, its last byte, and the bytes after it.
fn sequence(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let inner = bytes.strip_prefix(b"\x1b[")?;
    let end = inner.iter().position(|byte| (0x40..=0x7e).contains(byte))?;
    Some((&inner[..end], inner[end], &inner[end + 1..]))
}

/// Returns the foreground and the background of a sequence that sets both.
fn split_colours(parameters: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = parameters.split(|byte| *byte == b';');
    let length = match (fields.next()?, fields.next()) {
        (b"38", Some(b"5")) => 3,
        (b"38", Some(b"2")) => 5,
        (b"39", Some(_)) => 1,
        _ => return None,
    };
    let ends = parameters.iter().enumerate().filter(|(_, byte)| **byte == b';');
    let (end, _) = ends.take(length).nth(length - 1)?;
    let behind = &parameters[end + 1..];
    (behind.starts_with(b"48;") || behind == b"49").then_some((&parameters[..end], behind))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::{self, Write};
    use std::num::NonZeroU16;
    use std::rc::Rc;

    use ratatui::Terminal;
    use ratatui::backend::CrosstermBackend;
    use ratatui::layout::Rect;
    use ratatui::{TerminalOptions, Viewport};

    use super::*;
    use crate::tui::fixture::{Fixture, script};
    use crate::tui::state::scene::Scene;
    use crate::tui::theme::{Colours, Glyphs, Theme};
    use crate::tui::{Page, render};

    #[derive(Clone, Default)]
    struct Tape(Rc<RefCell<Vec<u8>>>);

    impl Write for Tape {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn emulator() -> vt100::Parser {
        let [rows, columns] = [40, 120].map(|size| NonZeroU16::new(size).unwrap());
        vt100::Parser::new(rows, columns, 0)
    }

    #[test]
    fn what_is_repeated_is_left_out() {
        let said = b"\x1b[2;10Ha\x1b[2;80H\x1b[38;5;244;49mb\x1b[3;1H\x1b[38;5;9;48;5;1mc\x1b[38;5;8;48;5;1md\x1b[39;49me\x1b[39m\x1b[49m\x1b[59m\x1b[0m\x1b[?25l";
        let short = b"\x1b[2;10Ha\x1b[80G\x1b[38;5;244mb\x1b[3;1H\x1b[38;5;9;48;5;1mc\x1b[38;5;8md\x1b[39;49me\x1b[39m\x1b[49m\x1b[0m\x1b[?25l";
        assert_eq!(
            String::from_utf8_lossy(&shortened(said)),
            String::from_utf8_lossy(short)
        );
        for cut in 0..said.len() {
            // No input may cause a panic.
            shortened(&said[..cut]);
        }
    }

    #[test]
    fn a_terminal_shows_the_same_in_every_colour_and_on_every_page() {
        for colours in [Colours::None, Colours::Basic, Colours::Indexed, Colours::True] {
            let mut fixture = Fixture::half_way();
            fixture.view.theme = Theme::new(colours, Glyphs::Unicode);
            let (mut said, mut short) = (0, 0);
            let mut screens = [emulator(), emulator()];
            let tape = Tape::default();
            let options = TerminalOptions {
                viewport: Viewport::Fixed(Rect::new(0, 0, 120, 40)),
            };
            let mut terminal = Terminal::with_options(CrosstermBackend::new(tape.clone()), options).unwrap();
            for step in (720..900).step_by(5) {
                for event in script::measured(2, step) {
                    fixture.monitor.apply(event, fixture.start);
                }
                fixture.view.page = Page::ALL[(step as usize / 30) % 4];
                let scene = Scene {
                    monitor: &fixture.monitor,
                    view: &fixture.view,
                    load: None,
                    now: fixture.start + std::time::Duration::from_secs(step),
                };
                terminal
                    .draw(|frame| render(&scene, frame.area(), frame.buffer_mut()))
                    .unwrap();
                let frame = tape.0.take();
                let shorter = shortened(&frame);
                screens[0].process(&frame);
                screens[1].process(&shorter);
                (said, short) = (said + frame.len(), short + shorter.len());
                let [one, other] = [&screens[0], &screens[1]].map(|parser| parser.screen().contents_formatted());
                assert_eq!(one, other, "{colours:?} at step {step}");
            }
            assert!(short < said);
        }
    }
}
