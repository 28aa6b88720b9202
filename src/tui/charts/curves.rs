//! A chart of measured curves of the chosen cell. The chart is plain data, so the same code draws all quantities.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::seeds::{Together, together};
use super::smooth::smoothed;
use crate::monitor::{Cell, Curve};
use crate::quantity::Quantity;
use crate::tui::plot::{Area, Axis, Chart, Marks, Pen, Scale, Series, Window};
use crate::tui::state::scene::Scene;
use crate::tui::theme::Theme;

/// On a linear axis the top is at most this many times the first value. Otherwise a curve that explodes would flatten
/// everything before it.
const MOST_STRETCH: f64 = 4.0;

/// One curve of the chosen cell.
pub(super) struct Line<'a> {
    /// Its name in the title.
    pub(super) label: &'a str,
    /// The curve, with its steps converted to places on the horizontal axis.
    pub(super) curve: Cow<'a, Curve>,
    /// Its last value, for the title.
    pub(super) latest: Option<f64>,
    pub(super) pen: Pen,
    pub(super) marks: Marks,
    /// Whether a level line continues the last value to the right end of the chart.
    pub(super) holds: bool,
    /// Whether the curve is smoothed when smoothing is on.
    pub(super) is_noisy: bool,
    /// The seeds whose mean the curve is, if it is not that of a single cell.
    pub(super) together: Option<Together>,
}

impl<'a> Line<'a> {
    /// Creates the line of a measured curve, without marks.
    pub(super) fn measured(label: &'a str, curve: Cow<'a, Curve>, latest: Option<f64>, pen: Pen) -> Self {
        Self {
            label,
            curve,
            latest,
            pen,
            marks: Marks::None,
            holds: false,
            is_noisy: true,
            together: None,
        }
    }

    /// Returns the line with the mean over the seeds of the chosen `cell`'s combination in place of the cell's own
    /// curve; unchanged if the charts show single cells.
    pub(super) fn with_seeds(self, quantity: &Quantity, scene: &Scene, cell: &Cell) -> Self {
        let Some((mean, together)) = together(quantity, scene, cell) else {
            return self;
        };
        Self {
            curve: Cow::Owned(mean),
            together: Some(together),
            ..self
        }
    }

    /// Returns the entry of the seeds in the legend, if they are shown together.
    pub(super) fn seeds_legend(&self, theme: &Theme) -> Option<Vec<Span<'static>>> {
        self.together.as_ref().map(|together| together.legend(theme))
    }

    /// Returns the area from the smallest to the largest value of the seeds.
    fn area(&self) -> Option<Area<'_>> {
        let together = self.together.as_ref()?;
        Some(Area {
            low: &together.low,
            high: &together.high,
            pen: self.pen.faint(),
        })
    }

    /// Returns the smallest and the largest value within `window`, of all seeds if they are shown together.
    pub(super) fn range(&self, window: Window) -> Option<(f64, f64)> {
        let borders = self
            .together
            .iter()
            .flat_map(|together| [&together.low, &together.high]);
        borders
            .chain([&*self.curve])
            .filter_map(|curve| window.range(curve))
            .reduce(union)
    }

    /// Returns the curve alone, or the curve in a faint pattern with its `smooth` version over it.
    fn series<'b>(&'b self, smooth: Option<&'b Curve>) -> impl Iterator<Item = Series<'b>> + use<'b> {
        let raw = Series {
            curve: &self.curve,
            pen: if smooth.is_some() { self.pen.faint() } else { self.pen },
            marks: self.marks,
            holds: self.holds,
        };
        let over = smooth.map(|curve| Series {
            curve,
            pen: self.pen,
            marks: Marks::None,
            holds: false,
        });
        std::iter::once(raw).chain(over)
    }
}

/// How values are spread over the height of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Spread {
    /// On this scale; a linear axis includes zero.
    From(Scale),
    /// On a linear axis from the smallest to the largest value.
    Any,
    /// Fractions from 0 to 1, shown in per cent up to 100.
    Shares,
}

impl Spread {
    /// Returns the axis for the values of `lines` and of the curves `beside` them within `window`.
    pub(super) fn axis(self, lines: &[Line], beside: &[(Cow<Curve>, Pen)], window: Window, rows: usize) -> Axis {
        let of_lines = lines.iter().filter_map(|line| line.range(window));
        let beside = beside.iter().filter_map(|(curve, _)| window.range(curve));
        let range = of_lines.chain(beside).reduce(union);
        match self {
            Self::Shares => {
                let (low, _) = range.unwrap_or((0.0, 0.0));
                Axis::percentages(low.clamp(0.0, 0.99), rows)
            }
            Self::Any => {
                let (low, high) = range.unwrap_or((0.0, 1.0));
                Axis::new(Scale::Linear, low, high, rows)
            }
            Self::From(scale) => {
                let (low, high) = range.unwrap_or((0.0, 1.0));
                let first = lines
                    .iter()
                    .filter_map(|line| line.curve.buckets().first())
                    .map(|bucket| bucket.first)
                    .reduce(f64::max);
                match (scale, first.filter(|first| *first > 0.0)) {
                    (Scale::Linear, first) => {
                        let most = first.map_or(f64::INFINITY, |first| first * MOST_STRETCH);
                        Axis::new(scale, low.min(0.0), high.min(most), rows)
                    }
                    (Scale::Logarithmic, _) => Axis::new(scale, smallest_positive(low, high), high, rows),
                }
            }
        }
    }
}

/// Returns the smallest and the largest value of two ranges together.
pub(super) fn union(one: (f64, f64), other: (f64, f64)) -> (f64, f64) {
    (one.0.min(other.0), one.1.max(other.1))
}

/// Returns `low` if it is positive. Otherwise it has no logarithm, and the axis spans six decades below `high`.
fn smallest_positive(low: f64, high: f64) -> f64 {
    if low > 0.0 { low } else { high * 1e-6 }
}

/// A chart of the chosen cell, ready to be drawn.
pub(super) struct Curves<'a> {
    pub(super) title: Vec<Span<'a>>,
    pub(super) legend: Vec<Vec<Span<'a>>>,
    /// The lines, the most important one first: it is drawn on top, with the curves of the overlaid cells beneath it.
    pub(super) lines: Vec<Line<'a>>,
    /// Curves that are drawn behind all others.
    pub(super) behind: Vec<(Cow<'a, Curve>, Pen)>,
    /// The most important line of each overlaid cell.
    pub(super) overlaid: Vec<(Cow<'a, Curve>, Pen)>,
    pub(super) axis: Axis,
}

impl Curves<'_> {
    /// Draws the chart. `cell` is the chosen cell.
    pub(super) fn render(self, scene: &Scene, cell: &Cell, area: Rect, buffer: &mut Buffer) {
        let points = scene.view.smoothing.points();
        let smooth = |line: &Line| {
            let points = points.filter(|_| line.is_noisy)?;
            Some(smoothed(&line.curve, points))
        };
        let smooth: Vec<Option<Curve>> = self.lines.iter().map(smooth).collect();
        let mut series: Vec<Series> = Vec::new();
        series.extend(self.behind.iter().map(|(curve, pen)| Series {
            curve,
            pen: *pen,
            marks: Marks::Unconverged,
            holds: false,
        }));
        let lines: Vec<_> = self.lines.iter().zip(&smooth).collect();
        if let Some(((first, smooth), others)) = lines.split_first() {
            for (line, smooth) in others.iter().rev() {
                series.extend(line.series(smooth.as_ref()));
            }
            series.extend(self.overlaid.iter().map(|(curve, pen)| Series {
                curve,
                pen: *pen,
                marks: match first.marks {
                    Marks::None => Marks::None,
                    Marks::Unconverged | Marks::All => Marks::Unconverged,
                },
                holds: false,
            }));
            series.extend(first.series(smooth.as_ref()));
        }
        let is_one_cell = self.lines.iter().all(|line| line.together.is_none());
        let across = scene.view.across;
        let placed = |step: u64| across.place(cell, step);
        Chart {
            title: self.title,
            legend: self.legend,
            areas: self.lines.iter().rev().filter_map(Line::area).collect(),
            series,
            axis: self.axis,
            window: scene.window(),
            cursor: scene.view.cursor.map(placed),
            changes: cell.changes().into_iter().filter(|_| is_one_cell).map(placed).collect(),
            unit: across.unit(cell),
        }
        .render(area, buffer, scene.theme());
    }
}
