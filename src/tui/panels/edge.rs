//! The column of the table that shows how close a cell is to the edge of stability: a small curve of
//! (λ_max + weight decay) / (threshold + weight decay), and its last value.
//!
//! ```text
//! edge of stability
//! ▁▂▃▅▆▇██████ 1.03
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::event::CellIndex;
use crate::monitor::{Cell, PARTS};
use crate::number::fixed;
use crate::tui::state::scene::Scene;
use crate::tui::theme::Glyphs;

/// Width of the last value, in columns of characters.
const VALUE: usize = 5;

/// Width of the whole column of the table, in columns of characters.
pub(super) const WIDTH: usize = PARTS + 1 + VALUE;

/// Bars from the lowest value upwards; the last one stands for the threshold and above.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['.', '.', ':', '-', '=', '+', '*', '#'];

/// Returns the last value and its style.
pub(super) fn value(scene: &Scene, index: CellIndex) -> (String, Style) {
    let theme = scene.theme();
    let edge = scene.monitor.cells.get(index).and_then(Cell::edge);
    match edge {
        None => (String::new(), theme.dim),
        Some(ratio) => (words(ratio), if ratio >= 1.0 { theme.threshold } else { Style::new() }),
    }
}

/// Formats the ratio with two decimals. A number that is too wide becomes `>99` or `<-9`.
fn words(ratio: f64) -> String {
    let text = fixed(ratio, 2);
    match ratio {
        _ if text.len() <= VALUE => text,
        _ if ratio > 0.0 => ">99".to_owned(),
        _ => "<-9".to_owned(),
    }
}

/// Draws the curve in row `y` of the table, from column `start` on.
pub(super) fn trend(scene: &Scene, index: CellIndex, area: Rect, y: u16, start: Option<u16>, buffer: &mut Buffer) {
    let theme = scene.theme();
    let (Some(start), Some(cell)) = (start, scene.monitor.cells.get(index)) else {
        return;
    };
    let bars = if theme.glyphs == Glyphs::Ascii { ASCII } else { BARS };
    for (x, ratio) in (area.x + start..area.right()).zip(cell.trend.parts()) {
        let Some(ratio) = ratio else { continue };
        let height = (ratio.clamp(0.0, 1.0) * 7.0).floor() as usize;
        let style = if ratio >= 1.0 { theme.threshold } else { theme.lambda };
        buffer[(x, area.y + y)].set_char(bars[height.min(7)]).set_style(style);
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::fixture::Fixture;

    #[test]
    fn the_curve_rises_to_the_edge_and_only_above_it_has_its_full_height() {
        let fixture = Fixture::half_way();
        let drawn = fixture.drawn(crate::tui::panels::queue::render, (120, 9));
        let running = drawn.lines().nth(4).unwrap();
        assert!(running.contains("▄▅▇"), "{running}");
        assert!(running.contains("█     0.98"), "{running}");
        let ascii = Fixture::ascii().drawn(crate::tui::panels::queue::render, (120, 9));
        assert!(ascii.contains("-=*######"), "{ascii}");
    }

    #[test]
    fn the_last_value_fits_its_column() {
        for (ratio, expected) in [
            (1.034, "1.03"),
            (99.994, "99.99"),
            (99.999, ">99"),
            (1e300, ">99"),
            (-0.001, "0.00"),
            (-9.99, "-9.99"),
            (-12.0, "<-9"),
        ] {
            assert_eq!(super::words(ratio), expected);
        }
    }

    #[test]
    fn a_cell_that_was_not_measured_has_no_curve() {
        let drawn = Fixture::half_way().drawn(crate::tui::panels::queue::render, (120, 9));
        let last = drawn.lines().nth(7).unwrap();
        assert!(last.contains("queued") && !last.contains('▁'), "{last}");
    }
}
