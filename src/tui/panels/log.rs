//! The log of the run, line by line: cells, changes by hand, warnings.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::event::{LogEntry, LogKind, cell_name};
use crate::tui::state::scene::Scene;
use crate::tui::theme::Theme;
use crate::tui::theme::panel;

/// Draws the end of the log, scrolled back by `View::log_back` lines.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let log = &scene.monitor.log;
    let rows = usize::from(area.height.saturating_sub(1));
    let back = scene.view.log_back.min(log.len().saturating_sub(rows));
    let end = log.len() - back;
    let first = end.saturating_sub(rows);
    let mut title = vec![Span::raw(" "), Span::styled("log", theme.strong)];
    let words = match log.len() {
        0 => "  nothing yet ".to_owned(),
        lines if lines <= rows => format!("  {lines} lines "),
        lines => format!("  lines {} to {end} of {lines} ", first + 1),
    };
    title.push(Span::styled(words, theme.dim));
    let follows = if back > 0 {
        "Enter goes to the end "
    } else {
        "times in UTC "
    };
    let legend = vec![vec![Span::styled(format!(" {follows}"), theme.dim)]];
    panel::rule(area, buffer, theme, &title, &legend);
    let mut day_before = first.checked_sub(1).map(|before| day(&log[before]));
    for (row, entry) in log.range(first..end).enumerate() {
        let y = area.y + 1 + u16::try_from(row).unwrap_or(0);
        let is_new_day = day_before != Some(day(entry));
        day_before = Some(day(entry));
        buffer.set_line(
            area.x,
            y,
            &line(entry, is_new_day, theme, usize::from(area.width)),
            area.width,
        );
    }
}

fn line(entry: &LogEntry, is_new_day: bool, theme: &Theme, width: usize) -> Line<'static> {
    let (glyph, style) = look(entry.kind, theme);
    let cell = entry.cell.map_or_else(String::new, cell_name);
    let date = if is_new_day { date(entry) } else { String::new() };
    let head = format!(" {date:<10} {} ", clock(entry));
    let glyph = theme.text(glyph.to_string()).into_owned();
    let cell = format!(" {cell:<10}");
    let room = width.saturating_sub(head.len() + 1 + cell.len());
    // Text from files and libraries may contain line breaks.
    let words: String = entry
        .words
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    Line::from(vec![
        Span::styled(head, theme.dim),
        Span::styled(glyph, style),
        Span::raw(cell),
        Span::styled(panel::cut(&theme.text(words), room), style),
    ])
}

fn look(kind: LogKind, theme: &Theme) -> (char, Style) {
    match kind {
        LogKind::Sweep => ('●', theme.strong),
        LogKind::Begun => ('▶', theme.good),
        LogKind::Ended => ('✓', Style::new()),
        LogKind::ByHand => ('■', theme.lambda),
        LogKind::Notice => ('·', theme.dim),
        LogKind::Warning => ('▲', theme.warning),
    }
}

const DAY: i64 = 86_400;

fn seconds(entry: &LogEntry) -> i64 {
    // A time that is NaN is shown as the first second of 1970.
    entry.at as i64
}

fn day(entry: &LogEntry) -> i64 {
    seconds(entry).div_euclid(DAY)
}

fn clock(entry: &LogEntry) -> String {
    let second = seconds(entry).rem_euclid(DAY);
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// Returns the date as year-month-day, by Howard Hinnant's `civil_from_days`.
fn date(entry: &LogEntry) -> String {
    let days = day(entry) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::tui::fixture::Fixture;

    fn with_log(lines: usize) -> Fixture {
        let mut fixture = Fixture::half_way();
        for index in 0..lines {
            let kinds = [
                LogKind::Sweep,
                LogKind::Begun,
                LogKind::ByHand,
                LogKind::Warning,
                LogKind::Ended,
                LogKind::Notice,
            ];
            let entry = LogEntry {
                at: 1_795_644_000.0 + 3_000.0 * index as f64,
                cell: (index % 6 != 0).then_some(index / 6),
                kind: kinds[index % 6],
                words: format!("line {index}\nof the log"),
            };
            fixture.monitor.apply(Event::Logged(entry), fixture.start);
        }
        fixture
    }

    #[test]
    fn on_a_small_screen() {
        insta::assert_snapshot!(with_log(9).drawn(render, (80, 12)));
    }

    #[test]
    fn the_end_is_shown_unless_it_is_scrolled_away() {
        let mut fixture = with_log(100);
        assert!(fixture.drawn(render, (80, 12)).contains("lines 90 to 100 of 100"));
        fixture.view.log_back = 7;
        assert!(fixture.drawn(render, (80, 12)).contains("lines 83 to 93 of 100"));
        fixture.view.log_back = 10_000;
        assert!(fixture.drawn(render, (80, 12)).contains("lines 1 to 11 of 100"));
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (at, expected) in [
            (0.0, "1970-01-01"),
            (951_782_400.0, "2000-02-29"),
            (1_795_651_199.0, "2026-11-25"),
            (1_795_651_200.0, "2026-11-26"),
            (4_107_542_400.0, "2100-03-01"),
        ] {
            let entry = LogEntry {
                at,
                cell: None,
                kind: LogKind::Notice,
                words: String::new(),
            };
            assert_eq!(date(&entry), expected);
        }
    }

    #[test]
    fn no_size_and_no_time_panics() {
        let mut fixture = with_log(3);
        for at in [f64::NAN, -1e300, 1e300] {
            let entry = LogEntry {
                at,
                cell: Some(usize::MAX - 1),
                kind: LogKind::Warning,
                words: "日本語".repeat(90),
            };
            fixture.monitor.apply(Event::Logged(entry), fixture.start);
        }
        for size in [(1, 1), (3, 20), (80, 2), (300, 90)] {
            assert!(!fixture.drawn(render, size).is_empty());
        }
    }
}
