//! Curves over training: λ_max on each probe with its thresholds, losses, accuracies.

mod lines;
mod panel;
mod together;

use kuva::plot::legend::{LegendEntry, LegendShape};
use kuva::render::figure::Figure as Grid;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::{Figure, Span, axes_key, frame, label, of_level, probe_key, tint};
use crate::curve::Across;
use crate::quantity::Quantity;
use crate::report::run::{Cell, Run, Standing};
pub(super) use lines::{dashes, lines, reduced};
pub(super) use panel::Panel;
use together::Together;

/// A threshold above all values times this factor is not drawn: it would make the curves flat.
pub(super) const FAR: f64 = 20.0;

/// Most points that are drawn of a curve: the first, smallest, largest and last point of each column.
const MOST_POINTS: usize = 800;

/// Most figures; more would make the page too long to read.
pub(in crate::report) const MOST_COMBINATIONS: usize = 24;

/// Most lines of a figure that have bands, and single cells behind them. Of more lines, bands would hide one another.
pub(super) const MOST_BANDS: usize = 8;

/// Most single cells behind the means.
const MOST_BEHIND: usize = 24;

/// Most entries of a legend; of more levels, evenly chosen ones are listed.
const MOST_ENTRIES: usize = 9;

/// Number of dashes of a threshold across a panel.
pub(super) const DASHES: usize = 40;

/// Number of dots across a panel, for the curve of a cell that is not compared.
pub(super) const DOTS: usize = 120;

/// The points of a line.
type Line = Vec<(f64, f64)>;

/// The cells of a figure, and how they are drawn.
struct Drawing<'a> {
    run: &'a Run,
    across: Across,
    /// The cells of each level of the main setting.
    levels: Vec<(usize, Vec<&'a Cell>)>,
    /// Whether some combination has several seeds, so that their means are drawn.
    has_means: bool,
    x: Span,
}

/// Returns one figure per combination of all settings except the main one, which colours the curves, at most
/// [`MOST_COMBINATIONS`].
pub(super) fn figures(run: &Run, across: Across) -> Vec<Figure> {
    let main = run.main_axis();
    let mut groups: Vec<(Vec<usize>, Vec<&Cell>)> = Vec::new();
    for cell in run.cells.iter().filter(|cell| !cell.points.is_empty()) {
        let mut key = cell.levels.clone();
        if let Some(axis) = main {
            key[axis] = 0;
        }
        match groups.iter_mut().find(|(own, _)| *own == key) {
            Some((_, cells)) => cells.push(cell),
            None => groups.push((key, vec![cell])),
        }
    }
    groups.sort_by(|(a, _), (b, _)| a.cmp(b));
    let drawn = groups.iter().enumerate().take(MOST_COMBINATIONS);
    drawn
        .filter_map(|(n, (key, cells))| figure(run, n, key, cells, across))
        .collect()
}

fn figure(run: &Run, n: usize, key: &[usize], cells: &[&Cell], across: Across) -> Option<Figure> {
    let main = run.main_axis();
    let mut levels: Vec<(usize, Vec<&Cell>)> = Vec::new();
    for cell in cells {
        let level = main.map_or(0, |axis| cell.levels[axis]);
        match levels.iter_mut().find(|(own, _)| *own == level) {
            Some((_, cells)) => cells.push(cell),
            None => levels.push((level, vec![cell])),
        }
    }
    levels.sort_by_key(|(level, _)| *level);
    let drawing = Drawing {
        run,
        across,
        has_means: levels.iter().any(|(_, cells)| cells.len() > 1),
        x: horizontal(cells, across)?,
        levels,
    };
    let (plots, layouts): (Vec<_>, Vec<_>) = Panel::all(run)
        .into_iter()
        .filter_map(|panel| drawing.panel(panel))
        .unzip();
    if plots.is_empty() {
        return None;
    }
    let structure = (0..plots.len()).map(|panel| vec![panel]).collect();
    let mut grid = Grid::new(plots.len().div_ceil(2), 2)
        .with_structure(structure)
        .with_plots(plots)
        .with_layouts(layouts)
        .with_cell_size(470.0, 270.0);
    let entries = drawing.legend();
    if !entries.is_empty() {
        grid = grid.with_shared_legend_bottom().with_shared_legend_entries(entries);
    }
    let at: Vec<String> = (0..run.axes.len())
        .filter(|axis| Some(*axis) != main)
        .map(|axis| run.axes[axis].at(key[axis]))
        .collect();
    let at = if at.is_empty() {
        String::new()
    } else {
        format!(" at {}", at.join(" and "))
    };
    let caption = format!(
        "Curves{at}: {} {} λ_max: {}.{}",
        drawing.words(),
        if drawing.levels.len() > MOST_BANDS {
            "Single cells has the stability thresholds."
        } else {
            "Dashed: the stability threshold."
        },
        probe_key(run),
        axes_key(run)
    );
    Some(Figure::new(format!("curves-{n}"), caption, grid.render()))
}

/// Returns the horizontal axis for these cells.
pub(super) fn horizontal(cells: &[&Cell], across: Across) -> Option<Span> {
    let places = cells
        .iter()
        .flat_map(|cell| cell.points.iter().filter_map(|point| across.of(point)));
    let x = Span::of(places, false)?;
    Some(Span { low: 0.0, ..x })
}

/// Returns the curve of a cell in a panel.
pub(super) fn curve(panel: Panel, cell: &Cell, across: Across) -> Vec<(f64, f64)> {
    let points = cell.points.iter();
    points
        .filter_map(|point| Some((across.of(point)?, panel.value(point)?)))
        .collect()
}

/// Returns the curve of a threshold of the first of these cells. The other seeds have the same threshold, except where
/// it depends on the gradient (SAM).
pub(super) fn threshold(limit: &Quantity, cells: &[&Cell], across: Across) -> Vec<(f64, f64)> {
    let points = cells.first().into_iter().flat_map(|cell| &cell.points);
    let curve = points.filter_map(|point| Some((across.of(point)?, limit.value(point)?)));
    let curve: Vec<(f64, f64)> = curve.filter(|(_, value)| value.is_finite()).collect();
    reduced(&curve, MOST_POINTS)
}

impl Drawing<'_> {
    fn has_bands(&self) -> bool {
        self.has_means && self.levels.len() <= MOST_BANDS
    }

    /// Returns whether single cells are drawn: alone, or behind the means.
    fn has_cells(&self) -> bool {
        let cells = self.levels.iter().map(|(_, cells)| cells.len()).sum::<usize>();
        !self.has_means || (self.has_bands() && cells <= MOST_BEHIND)
    }

    fn colour(&self, level: usize) -> String {
        match self.run.main_axis() {
            Some(axis) => of_level(&self.run.axes[axis], level),
            None => super::colour(level),
        }
    }

    /// Returns what the lines are.
    fn words(&self) -> String {
        if !self.has_means {
            return "one line per cell. Dotted: cells that are not compared.".to_owned();
        }
        let of = match self.run.main_axis() {
            Some(axis) => format!(" of each {}", self.run.axes[axis].noun()),
            None => String::new(),
        };
        let mut words = format!("the mean over the seeds{of}");
        words.push_str(if self.has_bands() {
            ", with the band from the smallest to the largest value."
        } else {
            ". There are too many lines for bands."
        });
        if self.has_cells() {
            words.push_str(" Pale: single cells; dotted: cells that are not compared.");
        }
        words.push_str(
            " A cell that has finished keeps its last value; the mean ends where a cell that has not finished ends, so that it \
             is always over the same cells.",
        );
        let cells = || self.levels.iter().flat_map(|(_, cells)| cells);
        let left_out: Vec<String> = cells()
            .filter(|cell| !cell.is_of_combination)
            .map(|cell| format!("{:03}", cell.index))
            .collect();
        if !left_out.is_empty() {
            words.push_str(" Not in the mean, because changed or to be run again: ");
            words.push_str(&left_out.join(", "));
            words.push('.');
        }
        words
    }

    fn legend(&self) -> Vec<LegendEntry> {
        let Some(axis) = self.run.main_axis() else {
            return Vec::new();
        };
        let last = self.levels.len().saturating_sub(1);
        let chosen = last.min(MOST_ENTRIES - 1);
        let entries = (0..=chosen).map(|n| self.levels[n * last / chosen.max(1)].0);
        entries
            .map(|level| LegendEntry {
                label: self.run.axes[axis].at_label(level),
                color: self.colour(level),
                shape: LegendShape::Line,
                dasharray: None,
            })
            .collect()
    }

    /// Draws one panel; returns `None` if nothing was measured.
    fn panel(&self, panel: Panel) -> Option<(Vec<Plot>, Layout)> {
        let curves: Vec<(usize, &Cell, Line)> = self
            .levels
            .iter()
            .flat_map(|(level, cells)| cells.iter().map(|cell| (*level, *cell)))
            .map(|(level, cell)| (level, cell, curve(panel, cell, self.across)))
            .collect();
        let thresholds: Vec<(usize, Line)> = self.limit(panel).map_or_else(Vec::new, |limit| {
            let of_level = |(level, cells): &(usize, Vec<&Cell>)| (*level, threshold(limit, cells, self.across));
            self.levels.iter().map(of_level).collect()
        });
        let measured = curves
            .iter()
            .flat_map(|(_, _, curve)| curve.iter().map(|(_, value)| *value));
        let highest = measured.clone().fold(f64::MIN, f64::max);
        let near = |value: &f64| *value < FAR * highest;
        let levels = thresholds
            .iter()
            .flat_map(|(_, curve)| curve.iter().map(|(_, value)| *value))
            .filter(near);
        let y = Span::of(measured.chain(levels), panel.may_log())?;
        let mut plots = Vec::new();
        let together: Vec<(usize, Together)> = self
            .levels
            .iter()
            .filter(|_| self.has_means)
            .map(|(level, cells)| (*level, Together::of(panel, cells, self.across)))
            .collect();
        for (level, together) in together.iter().filter(|_| self.has_bands()) {
            let areas = together.areas(y, &self.colour(*level));
            plots.extend(areas.into_iter().map(Plot::Band));
        }
        plots.extend(self.thresholds(&thresholds, near, y));
        for (level, cell, curve) in curves.iter().filter(|_| self.has_cells()) {
            let curve = reduced(curve, MOST_POINTS);
            let pieces = if cell.standing == Standing::Compared {
                vec![curve]
            } else {
                dashes(&curve, self.x, DOTS)
            };
            let (colour, width) = if self.has_means {
                (tint(&self.colour(*level)), 0.7)
            } else {
                (self.colour(*level), self.width())
            };
            let drawn = pieces.iter().flat_map(|piece| lines(piece, y));
            plots.extend(drawn.map(|line| Plot::Line(line.with_color(colour.clone()).with_stroke_width(width))));
        }
        for (level, together) in &together {
            let drawn = lines(&reduced(&together.mean, MOST_POINTS), y);
            let (colour, width) = (self.colour(*level), self.width());
            plots.extend(
                drawn
                    .into_iter()
                    .map(|line| Plot::Line(line.with_color(colour.clone()).with_stroke_width(width))),
            );
        }
        let words = label(&panel.words(self.run), y);
        Some((plots, frame(self.x, y, self.across.label(), &words).with_ticks(4)))
    }

    /// Returns the threshold of a panel. As many thresholds as lines would hide them, so the small panels have them.
    fn limit(&self, panel: Panel) -> Option<&'static Quantity> {
        panel.limit().filter(|_| self.levels.len() <= MOST_BANDS)
    }

    /// Returns the width of a line.
    fn width(&self) -> f64 {
        if self.levels.len() > MOST_BANDS { 1.0 } else { 1.4 }
    }

    fn thresholds(&self, thresholds: &[(usize, Line)], near: impl Fn(&f64) -> bool, y: Span) -> Vec<Plot> {
        let last = |curve: &[(f64, f64)]| curve.last().map(|last| last.1);
        // A threshold that all levels share gets a neutral colour.
        let shared = thresholds.len() > 1
            && thresholds
                .iter()
                .all(|(_, curve)| last(curve) == last(&thresholds[0].1));
        let mut plots = Vec::new();
        for (level, curve) in thresholds.iter().take(if shared { 1 } else { thresholds.len() }) {
            let colour = if shared {
                "#555555".to_owned()
            } else {
                self.colour(*level)
            };
            if curve.iter().any(|(_, value)| near(value)) {
                let dashes = dashes(curve, self.x, DASHES);
                let drawn = dashes.iter().flat_map(|dash| lines(dash, y));
                plots.extend(drawn.map(|line| Plot::Line(line.with_color(colour.clone()).with_stroke_width(1.0))));
            }
        }
        plots
    }
}
