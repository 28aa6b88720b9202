//! Draws a curve: its points are reduced to columns of dots.

use crate::monitor::{Bucket, Curve};

use super::Axis;
use super::canvas::{Canvas, Pen};

/// The part of a curve that one column of dots shows.
#[derive(Clone, Copy, Debug)]
struct Column {
    at: usize,
    first: f64,
    last: f64,
    min: f64,
    max: f64,
    gap_after: bool,
}

/// The steps that a chart shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The step at the left end.
    pub from: u64,
    /// The step at the right end.
    pub to: u64,
}

impl Window {
    /// Returns the distance between the two ends in steps, at least 1.
    #[must_use]
    pub fn width(self) -> u64 {
        self.to.saturating_sub(self.from).max(1)
    }

    /// Returns whether `step` is in the window.
    #[must_use]
    pub fn holds(self, step: u64) -> bool {
        (self.from..=self.to).contains(&step)
    }

    /// Returns the smallest and the largest value of a curve in the window.
    #[must_use]
    pub fn range(self, curve: &Curve) -> Option<(f64, f64)> {
        let ends = self.of(curve.buckets()).iter().map(|bucket| (bucket.min, bucket.max));
        ends.reduce(|(low, high), (min, max)| (low.min(min), high.max(max)))
    }

    /// Returns the buckets that overlap the window. `buckets` must be in the order of their steps.
    pub(super) fn of(self, buckets: &[Bucket]) -> &[Bucket] {
        let start = buckets.partition_point(|bucket| bucket.last_step < self.from);
        let end = buckets.partition_point(|bucket| bucket.first_step <= self.to);
        &buckets[start.min(end)..end]
    }

    /// Returns the column of dots that holds `step`. Steps before the window are in the first column.
    pub(super) fn column(self, step: u64, columns: usize) -> usize {
        let position = step.saturating_sub(self.from) as f64 / self.width() as f64;
        rounded(position * columns.saturating_sub(1) as f64)
    }
}

/// Returns the row, counted from the top, of a position from 0 (bottom) to 1 (top). `None` outside this range.
pub(super) fn row_of(position: f64, rows: usize) -> Option<usize> {
    (-0.001..=1.001)
        .contains(&position)
        .then(|| clamped_row(position, rows))
}

fn clamped_row(position: f64, rows: usize) -> usize {
    rounded((1.0 - position.clamp(0.0, 1.0)) * rows.saturating_sub(1) as f64)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A column or row of a screen.
fn rounded(position: f64) -> usize {
    position.max(0.0).round() as usize
}

/// Draws a curve: in each column a line from the smallest to the largest value, and lines that connect the columns.
pub(super) fn draw(canvas: &mut Canvas, axis: &Axis, window: Window, buckets: &[Bucket], pen: &Pen) {
    let mut earlier: Option<Column> = None;
    for column in reduce(buckets, window, canvas.columns()) {
        if let Some(earlier) = earlier.filter(|earlier| !earlier.gap_after) {
            connect(canvas, axis, &earlier, &column, pen);
        }
        stroke(canvas, axis, column.at, column.min, column.max, pen);
        earlier = Some(column);
    }
}

/// Draws a level line from the last value to the end of the chart.
pub(super) fn hold(canvas: &mut Canvas, axis: &Axis, window: Window, last: &Bucket, pen: &Pen) {
    for column in window.column(last.last_step, canvas.columns())..canvas.columns() {
        stroke(canvas, axis, column, last.last, last.last, pen);
    }
}

/// Fills the area between two curves with the same places: one dot in four, and both borders.
pub(super) fn fill(canvas: &mut Canvas, axis: &Axis, window: Window, low: &[Bucket], high: &[Bucket], pen: &Pen) {
    let columns = canvas.columns();
    let mut earlier: Option<(usize, f64, f64)> = None;
    for (low, high) in window.of(low).iter().zip(window.of(high)) {
        let at = window.column(low.first_step, columns);
        // On a logarithmic axis the smallest value may not be positive. It lies below the axis.
        let bottom = axis.position(low.last).unwrap_or(0.0);
        let Some(top) = axis.position(high.last) else {
            earlier = None;
            continue;
        };
        let (from, start_bottom, start_top) = earlier.unwrap_or((at, bottom, top));
        for column in from..=at {
            let share = if at > from {
                (column - from) as f64 / (at - from) as f64
            } else {
                1.0
            };
            let between = |start: f64, end: f64| start + share * (end - start);
            stipple(
                canvas,
                column,
                between(start_bottom, bottom),
                between(start_top, top),
                pen,
            );
        }
        earlier = (!low.gap_after).then_some((at, bottom, top));
    }
}

/// Draws one column of an area.
fn stipple(canvas: &mut Canvas, column: usize, bottom: f64, top: f64, pen: &Pen) {
    if top < -0.001 || bottom > 1.001 {
        return;
    }
    let rows = canvas.rows();
    let (highest, lowest) = (clamped_row(top, rows), clamped_row(bottom, rows));
    let inside = (highest..=lowest).filter(|row| row % 2 == 0);
    for row in inside.chain([highest, lowest]) {
        canvas.column(column, row, row, pen);
    }
}

fn reduce(buckets: &[Bucket], window: Window, columns: usize) -> Vec<Column> {
    let mut reduced: Vec<Column> = Vec::with_capacity(columns.min(buckets.len()));
    for bucket in window.of(buckets) {
        let column = window.column(bucket.first_step, columns);
        match reduced.last_mut().filter(|open| open.at == column && !open.gap_after) {
            Some(open) => {
                open.last = bucket.last;
                open.min = open.min.min(bucket.min);
                open.max = open.max.max(bucket.max);
                open.gap_after = bucket.gap_after;
            }
            None => reduced.push(Column {
                at: column,
                first: bucket.first,
                last: bucket.last,
                min: bucket.min,
                max: bucket.max,
                gap_after: bucket.gap_after,
            }),
        }
    }
    reduced
}

fn connect(canvas: &mut Canvas, axis: &Axis, from: &Column, to: &Column, pen: &Pen) {
    let (Some(start), Some(end)) = (axis.position(from.last), axis.position(to.first)) else {
        return;
    };
    let width = to.at.saturating_sub(from.at).max(1) as f64;
    for column in from.at..=to.at {
        // Each column covers the line from half a column before it to half a column after it: steep lines have no
        // holes.
        let middle = (column - from.at) as f64;
        let at = |offset: f64| start + (end - start) * ((middle + offset) / width).clamp(0.0, 1.0);
        stroke_positions(canvas, column, at(-0.5), at(0.5), pen);
    }
}

fn stroke(canvas: &mut Canvas, axis: &Axis, column: usize, low: f64, high: f64, pen: &Pen) {
    match (axis.position(low), axis.position(high)) {
        (Some(low), Some(high)) => stroke_positions(canvas, column, low, high, pen),
        // On a logarithmic axis the lower end may not be positive.
        (None, Some(high)) => stroke_positions(canvas, column, high, high, pen),
        _ => {}
    }
}

fn stroke_positions(canvas: &mut Canvas, column: usize, one: f64, other: f64, pen: &Pen) {
    let (low, high) = (one.min(other), one.max(other));
    if high < -0.001 || low > 1.001 {
        return;
    }
    let rows = canvas.rows();
    canvas.column(column, clamped_row(high, rows), clamped_row(low, rows), pen);
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;
    use crate::tui::plot::{Pattern, Scale};
    use crate::tui::theme::Glyphs;

    fn drawn(values: impl IntoIterator<Item = f64>, span: u64) -> Vec<String> {
        let mut curve = Curve::default();
        for (step, value) in values.into_iter().enumerate() {
            curve.push(step as u64, value);
        }
        let area = Rect::new(0, 0, 10, 2);
        let mut canvas = Canvas::new(area, Glyphs::Unicode);
        let pen = Pen {
            style: Style::new(),
            pattern: Pattern::Solid,
            ascii: '*',
        };
        let axis = Axis::new(Scale::Linear, 0.0, 10.0, 2);
        draw(&mut canvas, &axis, Window { from: 0, to: span }, curve.buckets(), &pen);
        let mut buffer = Buffer::empty(area);
        canvas.render(&mut buffer);
        area.rows()
            .map(|row| {
                row.positions()
                    .map(|position| buffer[position].symbol().to_owned())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn a_spike_of_one_point_in_ten_thousand_is_drawn_to_its_top() {
        let spiky = drawn((0..10_000).map(|step| if step == 5_000 { 10.0 } else { 0.0 }), 9_999);
        assert!(spiky[0].contains(['⡇', '⢸']), "{spiky:?}");
    }

    #[test]
    fn not_a_number_is_a_gap_and_not_a_spike() {
        let values = [0.0, 0.0, 0.0, f64::NAN, f64::NAN, f64::INFINITY, 0.0, 0.0, 0.0, 0.0];
        let [above, below] = <[String; 2]>::try_from(drawn(values, 9)).unwrap();
        assert_eq!(above, "          ");
        assert_eq!(below.chars().filter(|dot| *dot == ' ').count(), 3, "{below}");
    }

    #[test]
    fn a_steep_line_has_no_holes() {
        let [above, below] = <[String; 2]>::try_from(drawn([0.0, 10.0], 19)).unwrap();
        assert_eq!((above.trim_end(), below.trim_end()), ("⢸", "⡏"));
    }

    #[test]
    fn what_lies_beyond_the_axis_is_cut_off() {
        let [above, below] = <[String; 2]>::try_from(drawn([50.0; 10], 9)).unwrap();
        assert_eq!((above.trim_end(), below.trim_end()), ("", ""));
    }

    #[test]
    fn a_window_shows_what_lies_in_it_and_its_range_alone() {
        let mut curve = Curve::default();
        for step in 0..100 {
            curve.push(step, if step == 50 { 9.0 } else { 1.0 });
        }
        let window = |from, to| Window { from, to };
        assert_eq!(window(0, 49).range(&curve), Some((1.0, 1.0)));
        assert_eq!(window(50, 60).range(&curve), Some((1.0, 9.0)));
        assert_eq!(window(200, 300).range(&curve), None);
        let columns = reduce(curve.buckets(), window(40, 60), 21);
        assert_eq!((columns[0].at, columns.len()), (0, 21));
        assert!((columns[10].max - 9.0).abs() < 1e-12);
    }
}
