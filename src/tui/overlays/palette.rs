//! The palette: the actions that match the typed words, each with its keys and its help.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::keys::prompt;
use crate::tui::state::palette::Palette;
use crate::tui::state::scene::Scene;
use crate::tui::theme::panel;

/// Maximum number of listed actions.
const MOST: usize = 12;

/// Draws the palette over the screen.
pub(in crate::tui) fn render(scene: &Scene, palette: &Palette, screen: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let text = |words: &str| theme.text(words).into_owned();
    let columns = usize::from(screen.width.saturating_sub(8)).min(86);
    let mut lines = vec![Line::from(vec![
        Span::styled(": ", theme.key),
        Span::styled(prompt::shown(palette.typed(), columns.saturating_sub(2)), theme.strong),
    ])];
    let found = palette.matches();
    let room = usize::from(screen.height.saturating_sub(6)).clamp(1, MOST);
    let first = (palette.chosen() + 1).saturating_sub(room);
    for (index, binding) in found.iter().enumerate().skip(first).take(room) {
        let is_chosen = index == palette.chosen();
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
    // The box keeps its size while the user types.
    lines.resize(room + 1, Line::default());
    let hidden = found.len().saturating_sub(first + room);
    let more = match (found.len(), hidden) {
        _ if let Some(count) = palette.runners() => format!("Enter sets the number of runners to {count}, Esc closes"),
        (0, _) => "no action matches; Esc closes".to_owned(),
        (_, 0) => "Enter runs it, Esc closes".to_owned(),
        _ => format!("Enter runs it, Esc closes; {hidden} more below"),
    };
    lines.push(Line::styled(format!("{:<columns$}", text(&more)), theme.dim));
    panel::overlay(screen, buffer, theme, "find an action", lines);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;
    use crate::tui::state::view::Overlay;

    #[test]
    fn it_lists_what_matches() {
        let mut fixture = Fixture::half_way();
        let mut palette = Palette::default();
        palette.paste("rate");
        fixture.view.overlay = Some(Overlay::Palette(palette));
        insta::assert_snapshot!(fixture.drawn(crate::tui::screen::render, (80, 24)));
    }
}
