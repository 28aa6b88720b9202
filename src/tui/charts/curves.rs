//! A chart of curves that were measured in the chosen cell. What it shows is data, so that every quantity is drawn alike.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::overlaid;
use super::smooth::smoothed;
use crate::monitor::{Cell, Curve};
use crate::tui::plot::{self, Axis, Chart, Marks, Pattern, Pen, Scale, Series, Window};
use crate::tui::state::scene::Scene;
use crate::tui::theme::Theme;

/// A curve that explodes would flatten all that went before: on a linear axis the top is at most this many times the first
/// value.
const MOST_STRETCH: f64 = 4.0;

/// One curve of the chosen cell.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// Its name in the title.
    pub(super) label: &'a str,
    pub(super) curve: &'a Curve,
    /// Its last value, for the title.
    pub(super) latest: Option<f64>,
    pub(super) pen: Pen,
    pub(super) marks: Marks,
    /// Whether its last value holds to the right end of the chart.
    pub(super) holds: bool,
    /// Whether it is smoothed where the person watching wants that.
    pub(super) is_noisy: bool,
}

impl<'a> Line<'a> {
    /// A measured curve, without marks.
    pub(super) fn measured(label: &'a str, curve: &'a Curve, latest: Option<f64>, pen: Pen) -> Self {
        Self {
            label,
            curve,
            latest,
            pen,
            marks: Marks::None,
            holds: false,
            is_noisy: true,
        }
    }

    /// The curve alone, or faint with its `smooth` one over it.
    fn series(&self, smooth: Option<&'a Curve>) -> impl Iterator<Item = Series<'a>> + use<'a> {
        let raw = Series {
            curve: self.curve,
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
    /// On this scale; a linear one has its zero.
    From(Scale),
    /// Shares of a whole: in per cent, up to 100.
    Shares,
}

impl Spread {
    /// The axis for what these lines, and the curves `beside` them, have within `window`.
    pub(super) fn axis(self, lines: &[Line], beside: &[(&Curve, Pen)], window: Window, rows: usize) -> Axis {
        let curves = lines.iter().map(|line| line.curve);
        let range = curves
            .chain(beside.iter().map(|(curve, _)| *curve))
            .filter_map(|curve| window.range(curve))
            .reduce(union);
        match self {
            Self::Shares => {
                let (low, _) = range.unwrap_or((0.0, 0.0));
                Axis::percentages(low.clamp(0.0, 0.99), rows)
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

/// The smallest and the largest value of two ranges together.
pub(super) fn union(one: (f64, f64), other: (f64, f64)) -> (f64, f64) {
    (one.0.min(other.0), one.1.max(other.1))
}

/// A value of exactly zero has no logarithm; the axis then spans six decades.
fn smallest_positive(low: f64, high: f64) -> f64 {
    if low > 0.0 { low } else { high * 1e-6 }
}

/// A chart of the chosen cell, ready to be drawn.
pub(super) struct Curves<'a> {
    pub(super) title: Vec<Span<'a>>,
    pub(super) legend: Vec<Vec<Span<'a>>>,
    /// The most important one first: it lies on top, and beneath it those of the overlaid cells.
    pub(super) lines: Vec<Line<'a>>,
    /// Curves that lie behind all others.
    pub(super) behind: Vec<Series<'a>>,
    /// What the overlaid cells have of the most important line.
    pub(super) overlaid: Vec<(&'a Curve, Pen)>,
    pub(super) axis: Axis,
    /// Steps across.
    pub(super) window: Window,
}

impl Curves<'_> {
    /// Draws the chart of `cell`, which is the chosen one.
    pub(super) fn render(self, scene: &Scene, cell: &Cell, area: Rect, buffer: &mut Buffer) {
        let points = scene.view.smoothing.points();
        let smooth = |line: &Line| {
            let points = points.filter(|_| line.is_noisy)?;
            Some(smoothed(line.curve, points))
        };
        let smooth: Vec<Option<Curve>> = self.lines.iter().map(smooth).collect();
        let mut series = self.behind;
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
        Chart {
            title: self.title,
            legend: self.legend,
            series,
            axis: self.axis,
            window: self.window,
            cursor: scene.view.cursor,
            changes: cell.changes(),
            steps_per_epoch: cell.plan.steps_per_epoch,
        }
        .render(area, buffer, scene.theme());
    }
}

/// A quantity whose chart needs nothing but its curves.
pub(super) struct Quantity<'a> {
    pub(super) name: &'a str,
    /// A value in words.
    pub(super) say: fn(f64) -> String,
    pub(super) lines: Vec<Line<'a>>,
    /// The curve of another cell that can be compared to the first line.
    pub(super) compared: fn(&Cell) -> Option<&Curve>,
    pub(super) spread: Spread,
    /// What stands on the right of the title. Where there is room for one only, it is the first.
    pub(super) notes: Vec<String>,
}

impl Quantity<'_> {
    /// Draws the chart of `cell`, which is the chosen one.
    pub(super) fn render(self, scene: &Scene, cell: &Cell, area: Rect, buffer: &mut Buffer) {
        let theme = scene.theme();
        let mut title = vec![
            Span::raw(" "),
            Span::styled(theme.text(self.name).into_owned(), theme.strong),
        ];
        title.extend(self.lines.iter().map(|line| {
            let value = scene.at_cursor(line.curve, self.say, line.latest);
            plot::current(line.pen, line.label, &value, theme)
        }));
        title.push(Span::raw(" "));
        let notes = self.notes.into_iter();
        let legend = notes.map(|words| vec![Span::styled(theme.text(words).into_owned(), theme.dim)]);
        let overlaid: Vec<(&Curve, Pen)> = overlaid::cells(scene)
            .into_iter()
            .filter_map(|(_, cell, pen)| Some(((self.compared)(cell)?, pen)))
            .collect();
        let rows = usize::from(area.height.saturating_sub(2));
        let window = scene.view.window(scene.monitor);
        Curves {
            title,
            legend: legend.collect(),
            axis: self.spread.axis(&self.lines, &overlaid, window, rows),
            lines: self.lines,
            behind: Vec::new(),
            overlaid,
            window,
        }
        .render(scene, cell, area, buffer);
    }
}

/// The pen of the test set, the same in every chart.
pub(super) fn test_pen(theme: &Theme) -> Pen {
    Pen {
        style: theme.test,
        pattern: Pattern::Solid,
        ascii: '*',
    }
}

/// The pen of the training set, the same in every chart.
pub(super) fn train_pen(theme: &Theme) -> Pen {
    Pen {
        style: theme.train,
        pattern: Pattern::Dashed,
        ascii: '+',
    }
}
