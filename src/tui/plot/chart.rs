//! A titled chart of several curves over the steps of a cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::monitor::Curve;
use crate::tui::theme::Theme;
use crate::tui::theme::panel;
use crate::tui::words;

use super::axis::nice_at_least;
use super::canvas::{Canvas, Pattern, Pen};
use super::{Axis, Window, trace};

/// Columns for the labels of the vertical axis; the same in every chart, so that charts above each other line up.
pub(super) const GUTTER: u16 = 7;

/// From this width on, there is room for the number of epochs beside the number of steps.
const EPOCHS_FROM: u16 = 55;

/// Columns of dots that each value needs, so that its bar can be drawn.
const COLUMNS_PER_BAR: usize = 4;

/// One curve of a chart.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// The curve.
    pub curve: &'a Curve,
    /// The pen of the curve.
    pub pen: Pen,
    /// Which of its points get glyphs.
    pub marks: Marks,
    /// Whether the last value holds until the next measurement. It is then drawn to the right end of the chart.
    pub holds: bool,
}

/// The area between two curves.
#[derive(Clone, Copy, Debug)]
pub struct Area<'a> {
    /// The lower border.
    pub low: &'a Curve,
    /// The upper border, with the same places.
    pub high: &'a Curve,
    /// The pen of the area.
    pub pen: Pen,
}

/// Which points of a curve get glyphs of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// No points, because no value of the curve can be unconverged.
    None,
    /// Points that did not converge, in the colour of the curve.
    Unconverged,
    /// Points that did not converge, points that an audit corrected, points before a gap, and the last point.
    All,
}

/// A chart, ready to be drawn. Later series are drawn over earlier ones.
#[derive(Debug)]
pub struct Chart<'a> {
    /// The title, with current values.
    pub title: Vec<Span<'a>>,
    /// The entries of the legend.
    pub legend: Vec<Vec<Span<'a>>>,
    /// Areas, which are drawn behind all curves.
    pub areas: Vec<Area<'a>>,
    /// The curves.
    pub series: Vec<Series<'a>>,
    /// The vertical axis.
    pub axis: Axis,
    /// The range of the horizontal axis.
    pub window: Window,
    /// The place of the cursor.
    pub cursor: Option<u64>,
    /// Places at which the learning rate was changed by hand.
    pub changes: Vec<u64>,
    /// The unit of the horizontal axis.
    pub unit: Unit,
}

/// The unit of a horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Steps.
    Steps {
        /// The number of steps per epoch. If it is 1, epochs are not shown.
        per_epoch: u64,
    },
    /// Thousandths of epochs.
    Epochs,
    /// Thousandths of seconds.
    Seconds,
}

impl Unit {
    /// Returns the number of places on the horizontal axis per unit.
    fn places(self) -> f64 {
        match self {
            Self::Steps { .. } => 1.0,
            Self::Epochs | Self::Seconds => 1e3,
        }
    }

    /// Returns the label at the end of the axis.
    fn end(self, place: u64, width: u16) -> String {
        let value = place as f64 / self.places();
        match self {
            Self::Steps { per_epoch } if per_epoch > 1 && width >= EPOCHS_FROM => {
                let epochs = words::value(value / per_epoch as f64, 3);
                format!("{} steps = {epochs} epochs", words::short_count(place))
            }
            Self::Steps { .. } => format!("{} steps", words::short_count(place)),
            Self::Epochs => format!("{} epochs", short(value)),
            Self::Seconds => format!("{} s", short(value)),
        }
    }

    /// Returns the label of a place on the axis.
    fn tick(self, place: u64) -> String {
        match self {
            Self::Steps { .. } => words::short_count(place),
            Self::Epochs | Self::Seconds => short(place as f64 / self.places()),
        }
    }
}

/// Formats a number on an axis, without trailing zeros.
fn short(value: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A whole number of at most 19 digits.
    if value.fract() == 0.0 {
        words::short_count(value as u64)
    } else {
        words::value(value, 3)
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    }
}

impl Chart<'_> {
    /// Draws the chart.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        panel::rule(area, buffer, theme, &self.title, &self.legend);
        if area.height < 4 || area.width <= GUTTER + 4 {
            return;
        }
        let plot = Rect::new(area.x + GUTTER, area.y + 1, area.width - GUTTER, area.height - 2);
        let is_empty = self.series.iter().all(|series| series.curve.is_empty());
        vertical_axis(&self.axis, plot, buffer, theme, !is_empty);
        self.horizontal_axis(Rect::new(plot.x - 1, plot.bottom(), plot.width + 1, 1), buffer, theme);
        let mut canvas = Canvas::new(plot, theme.glyphs);
        let rule = Pen {
            style: theme.warning,
            pattern: Pattern::Solid,
            ascii: '|',
        };
        let (columns, rows) = (canvas.columns(), canvas.rows());
        for step in self.changes.iter().filter(|step| self.window.holds(**step)) {
            canvas.column(self.window.column(*step, columns), 0, rows - 1, &rule);
        }
        if let Some(cursor) = self.cursor.filter(|step| self.window.holds(*step)) {
            let column = self.window.column(cursor, columns);
            for row in (0..rows).step_by(2) {
                canvas.column(
                    column,
                    row,
                    row,
                    &Pen {
                        style: theme.key,
                        ..rule
                    },
                );
            }
        }
        for area in &self.areas {
            let (low, high) = (area.low.buckets(), area.high.buckets());
            trace::fill(&mut canvas, &self.axis, self.window, low, high, &area.pen);
        }
        for series in &self.series {
            trace::draw(
                &mut canvas,
                &self.axis,
                self.window,
                series.curve.buckets(),
                &series.pen,
            );
            if let Some(last) = series.curve.buckets().last().filter(|_| series.holds) {
                trace::hold(&mut canvas, &self.axis, self.window, last, &series.pen);
            }
            if series.marks == Marks::All {
                self.residuals(&mut canvas, series);
            }
            self.mark(&mut canvas, series, theme);
        }
        canvas.render(buffer);
        if is_empty {
            let middle = Rect::new(plot.x, plot.y + plot.height / 2, plot.width, 1);
            Line::styled(theme.text("nothing measured yet"), theme.dim)
                .centered()
                .render(middle, buffer);
        }
    }

    fn horizontal_axis(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        for x in area.left()..area.right() {
            buffer[(x, area.y)]
                .set_char(if x == area.x { '└' } else { '─' })
                .set_style(theme.dim);
        }
        let columns = usize::from(area.width) - 1;
        let places = self.unit.places();
        let least = self.window.width() as f64 / places / (f64::from(area.width) / 12.0).max(1.0);
        let step = (nice_at_least(least) * places).max(1.0);
        let last = self.unit.end(self.window.to, area.width);
        let last_x = area.right().saturating_sub(panel::width(&last));
        let mut free_from = area.x + 1;
        let mut tick = (self.window.from as f64 / step).ceil() * step;
        while tick < self.window.to as f64 {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Between 0 and the span.
            let at = tick as u64;
            let label = self.unit.tick(at);
            let column = u16::try_from(self.window.column(at, columns)).unwrap_or(0);
            let x = (area.x + 1 + column)
                .saturating_sub(panel::width(&label) / 2)
                .max(area.x + 1);
            let end = x + panel::width(&label);
            if x >= free_from && end < last_x {
                buffer.set_string(x, area.y, &label, theme.dim);
                free_from = end + 1;
            }
            tick += step;
        }
        buffer.set_string(last_x, area.y, last, theme.dim);
    }

    /// Draws the residuals as bars, if there is room for one bar per value.
    fn residuals(&self, canvas: &mut Canvas, series: &Series) {
        let columns = canvas.columns();
        let shown = self.window.of(series.curve.buckets());
        if shown.len() * COLUMNS_PER_BAR > columns {
            return;
        }
        let pen = Pen {
            pattern: Pattern::Solid,
            ascii: '|',
            ..series.pen
        };
        let rows = canvas.rows();
        for bucket in shown.iter().filter(|bucket| self.window.holds(bucket.last_step)) {
            let ends = [bucket.last - bucket.residual, bucket.last + bucket.residual];
            if let [Some(low), Some(high)] = ends.map(|end| self.axis.position(end))
                && low <= 1.0
                && high >= 0.0
                && let (Some(bottom), Some(top)) = (
                    trace::row_of(low.clamp(0.0, 1.0), rows),
                    trace::row_of(high.clamp(0.0, 1.0), rows),
                )
            {
                canvas.column(self.window.column(bucket.last_step, columns), top, bottom, &pen);
            }
        }
    }

    fn mark(&self, canvas: &mut Canvas, series: &Series, theme: &Theme) {
        let all = series.curve.buckets();
        let buckets = self.window.of(all);
        let (columns, rows) = (canvas.columns(), canvas.rows());
        for (index, bucket) in buckets.iter().enumerate() {
            let is_last = index + 1 == buckets.len()
                && buckets.last().map(|last| last.last_step) == all.last().map(|last| last.last_step);
            let (glyph, style) = match (series.marks, bucket.corrected, bucket.unconverged) {
                (Marks::All, _, _) if bucket.gap_after => ('×', theme.warning),
                (Marks::All, true, _) => ('▲', theme.warning),
                (Marks::All, false, true) => ('○', theme.warning),
                (Marks::All, false, false) if is_last => ('●', series.pen.style),
                (Marks::Unconverged, _, true) => ('○', series.pen.style),
                _ => continue,
            };
            // The point before a gap is often far above the axis. Its mark is then drawn at the end of the axis.
            let within = |position: f64| {
                if bucket.gap_after {
                    position.clamp(0.0, 1.0)
                } else {
                    position
                }
            };
            let position = self.axis.position(bucket.last).map(within);
            let row = position.and_then(|position| trace::row_of(position, rows));
            if let Some(row) = row.filter(|_| self.window.holds(bucket.last_step)) {
                canvas.glyph(self.window.column(bucket.last_step, columns), row, glyph, style);
            } else if let Some(position) = position.filter(|_| is_last && self.window.holds(bucket.last_step)) {
                // The last value is outside the axis: an arrow at the end of the axis shows the direction.
                let (glyph, row) = if position > 1.0 { ('↑', 0) } else { ('↓', rows - 1) };
                canvas.glyph(self.window.column(bucket.last_step, columns), row, glyph, style);
            }
        }
    }
}

/// Draws a vertical axis to the left of `plot`.
pub(super) fn vertical_axis(axis: &Axis, plot: Rect, buffer: &mut Buffer, theme: &Theme, labelled: bool) {
    let x = plot.x - 1;
    for y in plot.top()..plot.bottom() {
        buffer[(x, y)].set_char('│').set_style(theme.dim);
    }
    if !labelled {
        return;
    }
    let mut taken: Vec<u16> = Vec::new();
    for (major, apart) in [(true, 1), (false, 2)] {
        for (position, label) in axis.labels(major) {
            // The row is computed from dots, so that a label is beside the dots of its value.
            const DOTS: usize = 4;
            let Some(row) = trace::row_of(position, usize::from(plot.height) * DOTS) else {
                continue;
            };
            let y = plot.y + u16::try_from(row / DOTS).unwrap_or(0);
            if taken.iter().any(|other| other.abs_diff(y) < apart) {
                continue;
            }
            taken.push(y);
            buffer[(x, y)].set_char('┤');
            let width = usize::from(GUTTER - 2);
            buffer.set_string(x + 1 - GUTTER, y, format!("{label:>width$}"), theme.dim);
        }
    }
}

/// Returns a piece of a line and its name, for a title or a legend.
#[must_use]
pub(in crate::tui) fn legend<'a>(pen: Pen, name: &str, theme: &Theme) -> Vec<Span<'a>> {
    vec![
        Span::styled(format!(" {}", pen.sample(theme.glyphs)), pen.style),
        Span::styled(theme.text(format!(" {name} ")).into_owned(), theme.dim),
    ]
}

/// Returns a piece of a line, its name and a current value, in the colour of the line, for a title.
#[must_use]
pub(in crate::tui) fn current<'a>(pen: Pen, name: &str, value: &str, theme: &Theme) -> Span<'a> {
    let gap = if name.is_empty() { "" } else { " " };
    let words = theme.text(format!("{name}{gap}{value}")).into_owned();
    Span::styled(format!(" {} {words}", pen.sample(theme.glyphs)), pen.style)
}

/// Returns a mark and its meaning, for a legend.
#[must_use]
pub(in crate::tui) fn mark_legend<'a>(glyph: char, name: &str, theme: &Theme) -> Vec<Span<'a>> {
    vec![
        Span::styled(theme.text(format!(" {glyph}")).into_owned(), theme.warning),
        Span::styled(theme.text(format!(" {name} ")).into_owned(), theme.dim),
    ]
}

/// Returns the place at the column `x` of the screen, for a chart in `area` that shows the window `shown`. `None`
/// outside the plot.
pub(in crate::tui) fn place_at(shown: Window, area: Rect, x: u16) -> Option<u64> {
    let column = u64::from(x.checked_sub(area.x + GUTTER)?);
    let columns = u64::from(area.width.saturating_sub(GUTTER)).max(1);
    // The middle of the column.
    let place = u128::from(shown.width()) * u128::from(2 * column + 1) / u128::from(2 * columns);
    (column < columns).then(|| shown.from.saturating_add(u64::try_from(place).unwrap_or(u64::MAX)))
}

/// Returns the number of steps on the horizontal axis for a cell that is at `step` of at most `planned`. Earlier cells
/// took up to `earlier` steps.
///
/// If the axis changed with every frame, the whole chart would be sent again each time (6 kB instead of 170 bytes). So
/// the axis spans all planned steps as soon as this is not absurdly wide. Before that, it grows in jumps.
#[must_use]
pub fn step_span(step: u64, planned: u64, earlier: u64) -> u64 {
    /// The plan is absurdly wide if it has more than this many times the steps that were reached. A cell with a
    /// stopping rule may plan far more steps than it takes.
    const ABSURD: u64 = 8;
    let reached = step.max(earlier);
    if reached.saturating_mul(ABSURD) >= planned {
        return planned.max(step).max(1);
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A positive number of steps.
    let jump = nice_at_least(reached.max(20) as f64) as u64;
    jump.min(planned.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_span_is_the_plan_except_while_that_would_be_absurdly_wide() {
        assert_eq!(step_span(0, 1_000, 0), 20);
        assert_eq!(step_span(60, 1_000, 0), 100);
        assert_eq!(step_span(125, 1_000, 0), 1_000);
        assert_eq!(step_span(3, 1_000, 1_000), 1_000);
        assert_eq!(step_span(1_700, 1_000_000, 0), 2_000);
        assert_eq!(step_span(5, 3, 0), 5);
        assert_eq!(step_span(0, 0, 0), 1);
    }

    #[test]
    fn the_span_moves_only_a_few_times_in_a_whole_run() {
        let mut spans: Vec<u64> = (0..=1_000_000).map(|step| step_span(step, 1_000_000, 0)).collect();
        spans.dedup();
        assert!(spans.len() <= 15, "{spans:?}");
    }
}
