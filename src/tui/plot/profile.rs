//! A titled chart of a function over a numeric horizontal axis, with upright lines at some values.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::canvas::{Canvas, Pen};
use super::chart::{GUTTER, vertical_axis};
use super::scatter::horizontal_axis;
use super::{Axis, trace};
use crate::tui::theme::Theme;
use crate::tui::theme::panel;

/// A chart of a function, ready to be drawn.
pub struct Profile<'a> {
    /// The title.
    pub title: Vec<Span<'a>>,
    /// The entries of the legend.
    pub legend: Vec<Vec<Span<'a>>>,
    /// The range of the horizontal axis.
    pub across: (f64, f64),
    /// The labels of the horizontal axis.
    pub labels: Axis,
    /// The name of the horizontal axis.
    pub across_name: &'a str,
    /// The vertical axis.
    pub up: Axis,
    /// The function. It is drawn as an area above the lower end of the vertical axis.
    pub value: &'a dyn Fn(f64) -> f64,
    /// The pen of the function.
    pub pen: Pen,
    /// Upright lines at values of the horizontal axis.
    pub rules: Vec<(f64, Pen)>,
    /// The message instead of the function, if there is none.
    pub empty: Option<&'a str>,
}

/// Returns the part of a chart of this size in which the function is drawn; `None` if it is too small.
fn plot_of(area: Rect) -> Option<Rect> {
    (area.height >= 4 && area.width > GUTTER + 4)
        .then(|| Rect::new(area.x + GUTTER, area.y + 1, area.width - GUTTER, area.height - 2))
}

impl Profile<'_> {
    /// Draws the chart.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        panel::rule(area, buffer, theme, &self.title, &self.legend);
        let Some(plot) = plot_of(area) else { return };
        let labelled = self.empty.is_none();
        vertical_axis(&self.up, plot, buffer, theme, labelled);
        let below = Rect::new(plot.x - 1, plot.bottom(), plot.width + 1, 1);
        horizontal_axis(&self.labels, self.across_name, below, buffer, theme, labelled);
        if let Some(words) = self.empty {
            let middle = Rect::new(plot.x, plot.y + plot.height / 2, plot.width, 1);
            let words = Line::styled(theme.text(words), theme.dim);
            words.centered().render(middle, buffer);
            return;
        }
        let mut canvas = Canvas::new(plot, theme.glyphs);
        let (columns, rows) = (canvas.columns(), canvas.rows());
        let (left, right) = self.across;
        for column in 0..columns {
            let x = left + (right - left) * column as f64 / columns.saturating_sub(1).max(1) as f64;
            let position = self.up.position((self.value)(x)).filter(|position| *position >= 0.0);
            if let Some(row) = position.and_then(|position| trace::row_of(position.min(1.0), rows)) {
                canvas.column(column, row, rows - 1, &self.pen);
            }
        }
        for (x, pen) in &self.rules {
            let share = (x - left) / (right - left);
            if let Some(from_right) = trace::row_of(share, columns) {
                for row in (0..rows).step_by(2) {
                    canvas.column(columns - 1 - from_right, row, row, pen);
                }
            }
        }
        canvas.render(buffer);
    }
}
