//! Parts that the panels share: a titled rule, a box over the screen, and text that is cut to fit.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Widget};

use super::{Glyphs, Theme};

/// Returns the number of columns that `text` takes.
pub(in crate::tui) fn width(text: &str) -> u16 {
    u16::try_from(Span::raw(text).width()).unwrap_or(u16::MAX)
}

/// Returns the number of columns that `spans` take.
fn spans_width(spans: &[Span]) -> u16 {
    spans
        .iter()
        .map(|span| width(&span.content))
        .fold(0, u16::saturating_add)
}

/// Draws a rule across the top of `area`, with a title on the left and as many legend entries as fit on the right.
pub(in crate::tui) fn rule(area: Rect, buffer: &mut Buffer, theme: &Theme, title: &[Span], legend: &[Vec<Span>]) {
    let line = Rect { height: 1, ..area };
    Line::styled("─".repeat(usize::from(line.width)), theme.dim).render(line, buffer);
    let start = Rect {
        x: line.x + 1.min(line.width),
        width: line.width.saturating_sub(1),
        ..line
    };
    let title_width = spans_width(title);
    // Without colours the rule is dim. Without this reset its title would be dim, too.
    buffer.set_style(
        Rect {
            width: title_width.min(start.width),
            ..start
        },
        Style::reset(),
    );
    buffer.set_line(start.x, start.y, &Line::from(title.to_vec()), start.width);
    // If words are cut off, an ellipsis shows it. A blank that is cut off needs none.
    if start.width > 0 && title_width > start.width + 1 {
        buffer[(start.right() - 1, start.y)].set_char('…').set_style(theme.dim);
    }
    let mut room = start.width.saturating_sub(title_width + 3);
    let fits = legend.iter().take_while(|entry| {
        let left = room.checked_sub(spans_width(entry));
        room = left.unwrap_or(room);
        left.is_some()
    });
    let shown: Vec<Span> = fits.flatten().cloned().collect();
    let width = spans_width(&shown);
    buffer.set_line(
        start.right().saturating_sub(width + 1),
        start.y,
        &Line::from(shown),
        width,
    );
}

/// Returns `text` in at most `columns` columns. If it is longer, an ellipsis replaces its end.
pub(in crate::tui) fn cut(text: &str, columns: usize) -> String {
    if Span::raw(text).width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if Span::raw(&kept).width() + 1 > columns {
            kept.pop();
            break;
        }
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// Returns `text` in lines of at most `columns` columns, broken after a comma or a blank if there is one.
pub(in crate::tui) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while Span::raw(rest).width() > columns.max(1) {
        let mut fits = 0;
        for (at, character) in rest.char_indices() {
            let end = at + character.len_utf8();
            if Span::raw(&rest[..end]).width() > columns.max(1) {
                break;
            }
            fits = end;
        }
        // A character that is wider than the line is put there all the same; otherwise the loop would not end.
        let fits = fits.max(rest.chars().next().map_or(0, char::len_utf8));
        let broken = rest[..fits].rfind([',', ' ']).map_or(fits, |at| at + 1);
        lines.push(rest[..broken].trim_end().to_owned());
        rest = rest[broken..].trim_start();
    }
    if lines.is_empty() || !rest.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

/// Returns as many lines as there is room for, without the first `hidden` ones. If lines are left out, the last line
/// says so.
pub(in crate::tui) fn scrolled<'a>(
    mut lines: Vec<Line<'a>>,
    room: usize,
    hidden: usize,
    theme: &Theme,
) -> Vec<Line<'a>> {
    if lines.len() <= room {
        return lines;
    }
    let room = room.saturating_sub(1);
    let hidden = hidden.min(lines.len() - room);
    lines.drain(..hidden);
    let below = lines.len() - room;
    lines.truncate(room);
    let keys = if below > 0 {
        format!("… {below} more: J scrolls down")
    } else {
        "the end: K scrolls up".to_owned()
    };
    lines.push(Line::styled(theme.text(keys).into_owned(), theme.dim));
    lines
}

/// Draws a box with `lines` in the middle of `screen`.
pub(in crate::tui) fn overlay(screen: Rect, buffer: &mut Buffer, theme: &Theme, title: &str, lines: Vec<Line>) {
    let inner = lines
        .iter()
        .map(Line::width)
        .chain([usize::from(width(title))])
        .max()
        .unwrap_or(0);
    let columns = u16::try_from(inner + 6).unwrap_or(u16::MAX).min(screen.width);
    let rows = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(screen.height);
    let area = screen.centered(Constraint::Length(columns), Constraint::Length(rows));
    Clear.render(area, buffer);
    frame(area, buffer, theme);
    let title = theme.text(format!(" {title} ")).into_owned();
    buffer.set_stringn(
        area.x + 2,
        area.y,
        title,
        usize::from(area.width.saturating_sub(4)),
        theme.strong,
    );
    let text = Rect::new(
        area.x + 3,
        area.y + 1,
        area.width.saturating_sub(6),
        area.height.saturating_sub(2),
    );
    Paragraph::new(lines).render(text, buffer);
}

fn frame(area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let [across, down, corners @ ..] = match theme.glyphs {
        Glyphs::Unicode => ['─', '│', '╭', '╮', '╰', '╯'],
        Glyphs::Ascii => ['-', '|', '+', '+', '+', '+'],
    };
    let (right, bottom) = (area.right().saturating_sub(1), area.bottom().saturating_sub(1));
    for position in area.positions() {
        let (at_side, at_end) = (
            position.x == area.x || position.x == right,
            position.y == area.y || position.y == bottom,
        );
        let symbol = match (at_side, at_end) {
            (true, true) => corners[usize::from(position.x == right) + 2 * usize::from(position.y == bottom)],
            (true, false) => down,
            (false, true) => across,
            (false, false) => continue,
        };
        buffer[position].set_char(symbol).set_style(theme.dim);
    }
}

/// Replaces every character that is not ASCII, also in text from outside, for a terminal that takes only ASCII.
pub(in crate::tui) fn keep_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let spelled = cell.symbol().chars().next().map(super::ascii).unwrap_or_default();
            cell.set_char(spelled.chars().next().unwrap_or('?'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_too_long_is_cut_with_an_ellipsis() {
        assert_eq!(cut("held-out", 8), "held-out");
        assert_eq!(cut("held-out", 6), "held-…");
        assert_eq!(cut("held-out", 0), "");
        assert_eq!(cut("日本語", 4), "日…");
    }

    #[test]
    fn text_that_is_too_long_for_a_line_is_broken_where_it_reads_well() {
        assert_eq!(wrapped("held-out", 8), ["held-out"]);
        assert_eq!(wrapped("one,two, three", 9), ["one,two,", "three"]);
        assert_eq!(wrapped("abcdefg", 3), ["abc", "def", "g"]);
        assert_eq!(wrapped("日本語", 1), ["日", "本", "語"]);
        assert_eq!(wrapped("", 0), [""]);
    }
}
