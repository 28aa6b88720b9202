//! λ_max of each layer's block of the Hessian of the chosen cell, as bars: the last measurement, or the one at the cursor.
//!
//! ```text
//! ── λ_max of layers  step 4000 ─────────────────────
//!  conv1   12.3 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━
//!  conv2   4.06 ━━━━━━━━
//!  fc1    ?0.95 ━━
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::event::LayerPoint;
use crate::quantity::LAYERS;
use crate::tui::state::scene::Scene;
use crate::tui::theme::Glyphs;
use crate::tui::theme::panel;
use crate::tui::words;

/// Draws the chart.
pub(super) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let Some(cell) = scene.cell() else { return };
    let theme = scene.theme();
    let mut title = vec![
        Span::raw(" "),
        Span::styled(theme.text(LAYERS.title).into_owned(), theme.strong),
    ];
    let found = cell.layers.at(scene.view.cursor);
    if let Some((step, _)) = found {
        title.push(Span::raw(format!("  step {} ", words::count(step))));
    }
    panel::rule(area, buffer, theme, &title, &[]);
    let rows = Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(1));
    let Some((_, layers)) = found else {
        let middle = Rect::new(rows.x, rows.y + rows.height / 2, rows.width, rows.height.min(1));
        Line::styled(theme.text("nothing measured yet"), theme.dim)
            .centered()
            .render(middle, buffer);
        return;
    };
    let largest = layers.iter().map(|layer| layer.lambda_max).fold(0.0, f64::max);
    let names = layers.iter().map(|layer| layer.name.chars().count()).max().unwrap_or(0);
    let shown = usize::from(rows.height);
    // If there is not room for all, the last row says how many are missing.
    let (listed, missing) = if layers.len() > shown {
        (shown.saturating_sub(1), layers.len() - shown.saturating_sub(1))
    } else {
        (layers.len(), 0)
    };
    let bar = match theme.glyphs {
        Glyphs::Unicode => "━",
        Glyphs::Ascii => "=",
    };
    for (layer, y) in layers.iter().take(listed).zip(rows.y..) {
        let name = format!(" {:<names$} {:>7} ", layer.name, value(layer));
        let room = usize::from(rows.width).saturating_sub(name.chars().count() + 1);
        let share = if largest > 0.0 {
            (layer.lambda_max / largest).clamp(0.0, 1.0)
        } else {
            0.0
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Between 0 and the width of the screen.
        let length = (share * room as f64).round() as usize;
        let line = Line::from(vec![Span::raw(name), Span::styled(bar.repeat(length), theme.lambda)]);
        buffer.set_line(rows.x, y, &line, rows.width);
    }
    if missing > 0 {
        let words = format!(" … {missing} more");
        let y = rows.bottom().saturating_sub(1);
        buffer.set_string(rows.x, y, theme.text(words), theme.dim);
    }
}

/// Returns λ_max of a layer; with a question mark if it did not converge.
fn value(layer: &LayerPoint) -> String {
    let doubt = if layer.converged { "" } else { "?" };
    format!("{doubt}{}", words::value(layer.lambda_max, 3))
}
