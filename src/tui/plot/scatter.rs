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

/// Columns between the labels of the horizontal axis, at least.
const COLUMNS_PER_LABEL: usize = 6;

/// One point.
#[derive(Clone, Copy, Debug)]
pub struct Dot {
    /// Its place across.
    pub x: f64,
    /// Its height.
    pub y: f64,
    /// What it is drawn with.
    pub glyph: char,
    /// Its colour.
    pub style: Style,
}

/// A chart of points, ready to be drawn; later points lie over earlier ones.
#[derive(Debug)]
pub struct Scatter<'a> {
    /// What is shown.
    pub title: Vec<Span<'a>>,
    /// What each glyph is.
    pub legend: Vec<Vec<Span<'a>>>,
    /// The points.
    pub dots: Vec<Dot>,
    /// The horizontal axis.
    pub across: Axis,
    /// Its name.
    pub across_name: &'a str,
    /// The vertical axis.
    pub up: Axis,
    /// What is said where there is no point.
    pub empty: &'a str,
}

/// How many labels a horizontal axis in an area of this width has room for, as rows of a vertical one.
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
        self.horizontal_axis(below, buffer, theme, labelled);
        let mut canvas = Canvas::new(plot, theme.glyphs);
        for dot in &self.dots {
            let place = |axis: &Axis, value| axis.position(value);
            if let (Some(across), Some(up)) = (place(&self.across, dot.x), place(&self.up, dot.y))
                && let Some(row) = trace::row_of(up, canvas.rows())
                && let Some(from_right) = trace::row_of(across, canvas.columns())
            {
                // Rows are counted from the top, which is the far end of a horizontal axis.
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

    fn horizontal_axis(&self, area: Rect, buffer: &mut Buffer, theme: &Theme, labelled: bool) {
        for x in area.left()..area.right() {
            let corner = if x == area.x { '└' } else { '─' };
            buffer[(x, area.y)].set_char(corner).set_style(theme.dim);
        }
        let name = theme.text(self.across_name);
        let name_x = area.right().saturating_sub(panel::width(&name));
        buffer.set_string(name_x, area.y, &name, theme.dim);
        if !labelled {
            return;
        }
        let mut taken: Vec<(u16, u16)> = Vec::new();
        for major in [true, false] {
            for (position, label) in self.across.labels(major) {
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
}
