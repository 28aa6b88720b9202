//! The title of the table, and the message in the table if no cell matches the filter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::event::{CellIndex, cell_name};
use crate::tui::keys::prompt;
use crate::tui::state::filter;
use crate::tui::state::rows::Sort;
use crate::tui::state::scene::Scene;
use crate::tui::state::view::Overlay;
use crate::tui::theme::panel;

/// Draws the reason why there is no row, and what to do.
pub(super) fn nothing_shown(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let complaint = scene.view.rows.filter.complaint(scene.monitor);
    let complaint = complaint.unwrap_or_else(|| "no cell meets all of these conditions".to_owned());
    let columns = usize::from(area.width.saturating_sub(3));
    let why = panel::wrapped(&theme.text(complaint), columns)
        .into_iter()
        .map(|line| (line, theme.warning));
    let help = "/ changes the filter, Esc at its prompt undoes the change";
    let lines = why.chain([(theme.text(help).into_owned(), theme.dim)]);
    for ((line, style), y) in lines.zip(area.y + 2..area.bottom()) {
        buffer.set_stringn(area.x + 2, y, line, columns, style);
    }
}

/// Returns the filter and what is wrong with it. A long filter is shown by its end, where the text is typed.
fn filter_words(scene: &Scene, rows: usize, width: u16) -> Option<(String, Style)> {
    let (view, theme) = (scene.view, scene.theme());
    let room = usize::from(width / 3).max(20);
    let (typed, style) = match &view.overlay {
        Some(Overlay::Filter(typed, _)) => (prompt::shown(typed, room), theme.key),
        _ if view.rows.filter.is_empty() => return None,
        _ => (panel::cut(view.rows.filter.text(), room), theme.warning),
    };
    Some(match view.rows.filter.complaint(scene.monitor) {
        Some(complaint) if rows == 0 => (format!("· /{typed}: {complaint} "), theme.warning),
        Some(complaint) => (format!("· /{typed} {rows} shown: {complaint} "), theme.warning),
        None => (format!("· /{typed} {rows} shown "), style),
    })
}

/// Draws the title: the number of cells, the filter, the order, and the visible rows.
pub(super) fn render(scene: &Scene, rows: &[CellIndex], first: usize, visible: usize, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let view = scene.view;
    let cells = scene.monitor.cells.len();
    // Whether runs of another program have ended is not known.
    let done = match scene.monitor.foreign {
        Some(_) => format!(" {cells} "),
        None => format!(" {} of {cells} done ", scene.monitor.done()),
    };
    let mut title = vec![
        Span::raw(" "),
        Span::styled("cells", theme.strong),
        Span::styled(done, theme.dim),
    ];
    let mut say = |words: String, style| title.push(Span::styled(theme.text(words).into_owned(), style));
    if let Some((words, style)) = filter_words(scene, rows.len(), area.width) {
        say(words, style);
    }
    if view.rows.sort != Sort::Queue || view.rows.descending {
        let arrow = if view.rows.descending { '↓' } else { '↑' };
        say(
            format!("· by {} {arrow} ", view.rows.sort.name(scene.monitor)),
            theme.dim,
        );
    }
    if rows.len() > visible && visible > 0 {
        say(
            format!("· rows {} to {} ", first + 1, (first + visible).min(rows.len())),
            theme.dim,
        );
    }
    let turns = &scene.monitor.turns;
    let several = turns.running.len() > 1;
    let followed = turns.followed.filter(|_| several);
    let followed = followed.map_or_else(|| "the running one".to_owned(), cell_name);
    let note = match view.pinned {
        _ if matches!(view.overlay, Some(Overlay::Filter(..))) => {
            format!(
                " words, or < <= = != >= > of {} · Enter keeps it, Esc undoes it ",
                filter::NUMBERS
            )
        }
        Some(pinned) => format!(" looking at {} · Enter follows {followed} ", cell_name(pinned)),
        None if several => format!(" following {followed} "),
        None => " following the running cell ".to_owned(),
    };
    let note = if scene.monitor.is_over() && view.overlay.is_none() {
        vec![]
    } else {
        vec![vec![Span::styled(theme.text(note), theme.dim)]]
    };
    panel::rule(area, buffer, theme, &title, &note);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Filter;
    use crate::tui::fixture::Fixture;
    use crate::tui::panels::queue;

    #[test]
    fn a_filter_that_shows_nothing_says_why_in_the_title_and_in_the_table() {
        let mut fixture = Fixture::half_way();
        let typed = "nosuch>1";
        fixture.view.rows.filter = Filter::parse(typed);
        for (overlay, title) in [
            (
                Some(Overlay::Filter(typed.into(), Filter::default())),
                "· /nosuch>1_: there is no `nosuch`",
            ),
            (None, "· /nosuch>1: there is no `nosuch`"),
        ] {
            fixture.view.overlay = overlay;
            for size in [(60, 4), (80, 9), (160, 12)] {
                let drawn = fixture.drawn(queue::render, size);
                assert!(drawn.lines().next().unwrap().contains(title), "{drawn}");
                assert!(
                    drawn
                        .lines()
                        .nth(2)
                        .unwrap()
                        .contains("there is no `nosuch`; the names are lambda"),
                    "{drawn}"
                );
            }
            let drawn = fixture.drawn(queue::render, (80, 9));
            assert!(
                drawn.contains("every setting, like") && drawn.contains("Esc at its prompt"),
                "{drawn}"
            );
        }
        fixture.view.rows.filter = Filter::parse("queued lambda>30");
        assert!(
            fixture
                .drawn(queue::render, (80, 9))
                .contains("no cell meets all of these")
        );
        fixture.view.rows.filter = Filter::parse("lr!=0.5");
        let drawn = fixture.drawn(queue::render, (80, 9));
        assert!(drawn.contains("· /lr!=0.5 6 shown: no cell has lr 0.5"), "{drawn}");
    }

    #[test]
    fn of_a_long_filter_the_end_that_is_typed_is_seen() {
        let mut fixture = Fixture::half_way();
        let typed = format!("{}acc>0.3", "tanh ".repeat(30));
        fixture.view.rows.filter = Filter::parse(&typed);
        fixture.view.overlay = Some(Overlay::Filter(typed, Filter::default()));
        let drawn = fixture.drawn(queue::render, (80, 9));
        assert!(
            drawn.lines().next().unwrap().contains("tanh acc>0.3_ 2 shown"),
            "{drawn}"
        );
    }
}
