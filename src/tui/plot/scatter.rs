//! A titled chart of points.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::canvas::Canvas;
use super::chart::{GUTTER, vertical_axis};
use super::{Axis, trace};
use crate::tui::theme::Theme;
use crate::tui::theme::panel;

/// Minimum number of columns between the labels of the horizontal axis.
const COLUMNS_PER_LABEL: usize = 6;

/// One point.
#[derive(Clone, Copy, Debug)]
pub struct Dot {
    /// Its value on the horizontal axis.
    pub x: f64,
    /// Its value on the vertical axis.
    pub y: f64,
    /// Its character.
    pub glyph: char,
    /// Its colour.
    pub style: Style,
}

/// A chart of points, ready to be drawn. Later points are drawn over earlier ones.
#[derive(Debug)]
pub struct Scatter<'a> {
    /// The title.
    pub title: Vec<Span<'a>>,
    /// The meaning of each glyph.
    pub legend: Vec<Vec<Span<'a>>>,
    /// The points.
    pub dots: Vec<Dot>,
    /// The horizontal axis.
    pub across: Axis,
    /// The name of the horizontal axis.
    pub across_name: &'a str,
    /// The vertical axis.
    pub up: Axis,
    /// The message if there is no point.
    pub empty: &'a str,
}

/// Returns the `rows` for [`Axis::new`] that give a horizontal axis as many labels as this width has room for.
pub fn rows_for_columns(width: u16) -> usize {
    usize::from(width.saturating_sub(GUTTER)) / COLUMNS_PER_LABEL
}

impl Scatter<'_> {
    /// Draws the chart.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        panel::rule(area, buffer, theme, &self.title, &self.legend);
        if area.height < 4 || area.width <= GUTTER + 4 {
            return;
        }
        let plot = Rect::new(area.x + GUTTER, area.y + 1, area.width - GUTTER, area.height - 2);
        let labelled = !self.dots.is_empty();
        vertical_axis(&self.up, plot, buffer, theme, labelled);
        let below = Rect::new(plot.x - 1, plot.bottom(), plot.width + 1, 1);
        horizontal_axis(&self.across, self.across_name, below, buffer, theme, labelled);
        let mut canvas = Canvas::new(plot, theme.glyphs);
        for dot in &self.dots {
            let place = |axis: &Axis, value| axis.position(value);
            if let (Some(across), Some(up)) = (place(&self.across, dot.x), place(&self.up, dot.y))
                && let Some(row) = trace::row_of(up, canvas.rows())
                && let Some(from_right) = trace::row_of(across, canvas.columns())
            {
                // `row_of` counts from the far end of an axis: the top, or the right.
                canvas.glyph(canvas.columns() - 1 - from_right, row, dot.glyph, dot.style);
            }
        }
        canvas.render(buffer);
        if !labelled {
            let middle = Rect::new(plot.x, plot.y + plot.height / 2, plot.width, 1);
            let words = Line::styled(theme.text(self.empty), theme.dim);
            words.centered().render(middle, buffer);
        }
    }
}

/// Draws a horizontal axis in a row that begins one column before the plot.
pub(super) fn horizontal_axis(
    across: &Axis,
    name: &str,
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
    labelled: bool,
) {
    for x in area.left()..area.right() {
        let corner = if x == area.x { '└' } else { '─' };
        buffer[(x, area.y)].set_char(corner).set_style(theme.dim);
    }
    let name = theme.text(name);
    let name_x = area.right().saturating_sub(panel::width(&name));
    buffer.set_string(name_x, area.y, &name, theme.dim);
    if !labelled {
        return;
    }
    let mut taken: Vec<(u16, u16)> = Vec::new();
    for major in [true, false] {
        for (position, label) in across.labels(major) {
            let columns = f64::from(area.width.saturating_sub(2));
            let column = (position.clamp(0.0, 1.0) * columns).round() as u16;
            let width = panel::width(label);
            let start = (area.x + 1 + column).saturating_sub(width / 2).max(area.x + 1);
            let end = start + width;
            if end < name_x && taken.iter().all(|&(from, to)| end < from || start > to) {
                buffer.set_string(start, area.y, label, theme.dim);
                taken.push((start, end));
            }
        }
    }
}
