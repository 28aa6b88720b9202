//! The keys, from the same table that they are matched against, what the marks mean, and the last notices.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::scene::Scene;
use super::{footer, keys, panel};

/// Notices listed below the keys.
const MOST_NOTICES: usize = 5;

/// Draws the help over the screen.
pub(super) fn render(scene: &Scene, screen: Rect, buffer: &mut Buffer) {
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
    let mut lines: Vec<Line> = bindings()
        .map(|binding| {
            let names = theme.text(scene.view.keys.names(binding.action)).into_owned();
            let help = theme.text(binding.help).into_owned();
            Line::from(vec![
                Span::styled(format!("{names:<width$}"), theme.key),
                Span::raw(format!("  {help}")),
            ])
        })
        .collect();
    // On a small screen the charts have no room for it.
    let marks = "marks: ○ ? not converged · × then a gap · * older · ▲ corrected · ● now · │ by hand";
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

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn on_a_small_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (80, 24)));
    }

    #[test]
    fn on_a_larger_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (120, 40)));
    }
}
