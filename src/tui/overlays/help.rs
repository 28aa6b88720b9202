//! The help: the keys (from the table that input is matched against), the meaning of the marks, and the last notices.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::keys;
use crate::tui::panels::footer;
use crate::tui::state::scene::Scene;
use crate::tui::theme::panel;

/// Gap between the two columns of keys, in characters.
const GAP: usize = 3;

/// Maximum number of notices below the keys.
const MOST_NOTICES: usize = 5;

/// Draws the help over the screen.
pub(in crate::tui) fn render(scene: &Scene, screen: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let bindings = || {
        keys::BINDINGS
            .iter()
            .filter(|binding| binding.action.is_for(scene.view.page))
    };
    let width = bindings()
        .map(|binding| panel::width(&theme.text(scene.view.keys.names(binding.action))))
        .max()
        .unwrap_or(0);
    let width = usize::from(width);
    let mut lines: Vec<Line> = Vec::new();
    let mut group = None;
    for binding in keys::BINDINGS {
        let begins = keys::GROUPS.iter().find(|(first, _)| *first == binding.action);
        group = begins.map(|(_, name)| *name).or(group);
        if !binding.action.is_for(scene.view.page) {
            continue;
        }
        // A heading is shown only if one of its rows is shown.
        if let Some(name) = group.take() {
            lines.push(Line::styled(name, theme.strong));
        }
        let names = theme.text(scene.view.keys.names(binding.action)).into_owned();
        let help = theme.text(binding.help).into_owned();
        lines.push(Line::from(vec![
            Span::styled(format!("{names:<width$}"), theme.key),
            Span::raw(format!("  {help}")),
        ]));
    }
    let mut lines = beside(lines, screen);
    // On a small screen the charts have no room for this legend.
    let marks = "marks: ○ ? not converged · × before a gap · * older · ▲ corrected · ● latest · │ by hand";
    lines.push(Line::styled(theme.text(marks), theme.dim));
    let room = usize::from(screen.height)
        .saturating_sub(lines.len() + 3)
        .min(MOST_NOTICES);
    let notices = footer::recent(scene, room, usize::from(screen.width.saturating_sub(8)).min(72));
    if !notices.is_empty() {
        lines.push(Line::default());
        lines.extend(notices);
    }
    let room = usize::from(screen.height.saturating_sub(2));
    let lines = panel::scrolled(lines, room, scene.view.scrolled, theme);
    let title = format!("keys of page {}", scene.view.page.name());
    panel::overlay(screen, buffer, theme, &title, lines);
}

/// Returns the lines in two columns if one column is higher than the screen and two columns fit its width.
fn beside(mut lines: Vec<Line<'static>>, screen: Rect) -> Vec<Line<'static>> {
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    // Subtract the frame, its margins and one more line.
    let (columns, rows) = (
        usize::from(screen.width).saturating_sub(6),
        usize::from(screen.height).saturating_sub(3),
    );
    if lines.len() <= rows || 2 * widest + GAP > columns {
        return lines;
    }
    let right = lines.split_off(lines.len().div_ceil(2));
    for (row, right) in right.into_iter().enumerate() {
        let left = &mut lines[row];
        let pad = widest + GAP - left.width();
        left.push_span(Span::styled(" ".repeat(pad), Style::reset()));
        let style = right.style;
        left.spans
            .extend(right.spans.into_iter().map(|span| span.patch_style(style)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;

    #[test]
    fn on_a_small_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (80, 24)));
    }

    #[test]
    fn on_a_larger_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (120, 40)));
    }
}
