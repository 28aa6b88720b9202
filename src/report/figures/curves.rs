//! Curves over the steps of training: λ_max on each probe with its thresholds, losses, accuracies.

use kuva::plot::legend::{LegendEntry, LegendShape};
use kuva::plot::line::LinePlot;
use kuva::render::figure::Figure as Grid;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::{Figure, Span, axes_key, colour, frame, label, lambda_label, probe_key};
use crate::event::Point;
use crate::quantity::{self, Format, Kept, LAMBDA_MAX, Line, Quantity, Subject};
use crate::report::run::{Cell, Run, Standing};

/// Most points that are drawn of a curve: the first, smallest, largest and last point of each column.
const MOST_POINTS: usize = 2000;

/// Most combinations that are drawn; more would make the page too long to read.
pub(in crate::report) const MOST_COMBINATIONS: usize = 24;

/// The content of one panel: a quantity, and the probe if the quantity belongs to probes.
#[derive(Clone, Copy)]
struct Panel {
    quantity: &'static Quantity,
    probe: usize,
}

impl Panel {
    /// Returns every panel.
    fn all(run: &Run) -> Vec<Self> {
        let shown = |quantity: &&Quantity| quantity.told.kept >= Kept::InCsv && quantity.line != Line::Limit;
        let probes = |quantity: &'static Quantity| {
            let probes = match quantity.subject {
                Subject::Cell => 1,
                Subject::Probe => run.probes.len(),
            };
            (0..probes).map(move |probe| Self { quantity, probe })
        };
        quantity::all().filter(shown).flat_map(probes).collect()
    }

    fn value(self, point: &Point) -> Option<f64> {
        let value = self.quantity.value(point)?;
        if self.quantity.subject == Subject::Probe && quantity::probe_of(point) != self.probe {
            return None;
        }
        let converged = self.quantity.outcome(point).is_none_or(|outcome| outcome.converged);
        // A value that is not finite interrupts the line. A finite value that did not converge is left out of the line.
        (converged || !value.is_finite()).then_some(match self.quantity.format {
            Format::Share => value * 100.0,
            Format::Number | Format::Seconds => value,
        })
    }

    fn words(self, run: &Run) -> String {
        let label = self.quantity.label;
        match (self.quantity.subject, self.quantity.format) {
            (Subject::Probe, _) if self.quantity.key == LAMBDA_MAX.key => lambda_label(run, self.probe),
            (Subject::Probe, Format::Seconds) if run.probes.len() > 1 => {
                format!("{label} / s ({})", run.probes[self.probe])
            }
            (Subject::Probe, _) if run.probes.len() > 1 => format!("{label} ({})", run.probes[self.probe]),
            (_, Format::Seconds) => format!("{label} / s"),
            (_, Format::Share) => format!("{label} / %"),
            (_, Format::Number) => label.to_owned(),
        }
    }

    /// Returns the limit of the quantity on the same chart, if the quantity is the main line.
    fn limit(self) -> Option<&'static Quantity> {
        let is_main = self.quantity.line == Line::Main;
        is_main.then(|| self.quantity.chart.line(Line::Limit)).flatten()
    }

    fn may_log(self) -> bool {
        self.quantity.format != Format::Share
    }
}

/// Number of dashes of a threshold across a panel.
const DASHES: usize = 40;

/// Number of dots across a panel, for the curve of a cell that is not compared.
const DOTS: usize = 120;

/// Returns one figure per combination of all settings except the one that colours the curves, at most
/// [`MOST_COMBINATIONS`].
pub(super) fn figures(run: &Run) -> Vec<Figure> {
    let colouring = colouring(run);
    let mut groups: Vec<(Vec<usize>, Vec<&Cell>)> = Vec::new();
    for cell in run.cells.iter().filter(|cell| !cell.points.is_empty()) {
        let mut key = cell.levels.clone();
        if let Some(axis) = colouring {
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
        .filter_map(|(n, (key, cells))| figure(run, n, key, cells, colouring))
        .collect()
}

/// Returns the axis that colours the curves: the learning rate, because thresholds depend on it, else the first axis.
fn colouring(run: &Run) -> Option<usize> {
    let is_rate = |axis: &usize| run.axes[*axis].names.iter().any(|name| name == "learning_rate");
    (0..run.axes.len())
        .find(is_rate)
        .or((!run.axes.is_empty()).then_some(0))
}

fn figure(run: &Run, n: usize, key: &[usize], cells: &[&Cell], colouring: Option<usize>) -> Option<Figure> {
    let panels = Panel::all(run);
    let level = |cell: &Cell| colouring.map_or(0, |axis| cell.levels[axis]);
    let x = Span::of(
        cells
            .iter()
            .flat_map(|cell| cell.points.iter().map(|point| point.step as f64)),
        false,
    )?;
    let x = Span { low: 0.0, ..x };
    let drawn: Vec<(Vec<Plot>, Layout)> = panels
        .into_iter()
        .filter_map(|panel| draw(run, panel, cells, &level, x))
        .collect();
    let rows = drawn.len().div_ceil(2);
    let (mut plots, mut layouts): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
    if plots.is_empty() {
        return None;
    }
    let structure = (0..plots.len()).map(|cell| vec![cell]).collect();
    let mut grid = Grid::new(rows, 2)
        .with_structure(structure)
        .with_plots(std::mem::take(&mut plots))
        .with_layouts(std::mem::take(&mut layouts))
        .with_cell_size(470.0, 270.0);
    let entries = legend(run, cells, colouring);
    if !entries.is_empty() {
        grid = grid.with_shared_legend_bottom().with_shared_legend_entries(entries);
    }
    let at: Vec<String> = (0..run.axes.len())
        .filter(|axis| Some(*axis) != colouring)
        .map(|axis| run.axes[axis].at(key[axis]))
        .collect();
    let at = if at.is_empty() {
        String::new()
    } else {
        format!(" at {}", at.join(" and "))
    };
    let caption = format!(
        "Curves{at}: one line per cell. Dotted: cells that are not compared. Dashed: the stability threshold. \
         λ_max: {}.{}",
        probe_key(run),
        axes_key(run)
    );
    Some(Figure::new(format!("curves-{n}"), caption, grid.render()))
}

fn legend(run: &Run, cells: &[&Cell], colouring: Option<usize>) -> Vec<LegendEntry> {
    let Some(axis) = colouring else {
        return Vec::new();
    };
    let present = (0..run.axes[axis].len()).filter(|level| cells.iter().any(|cell| cell.levels[axis] == *level));
    present
        .map(|level| LegendEntry {
            label: run.axes[axis].at_label(level),
            color: colour(level).to_owned(),
            shape: LegendShape::Line,
            dasharray: None,
        })
        .collect()
}

/// Draws one panel; returns `None` if nothing was measured.
fn draw(
    run: &Run,
    panel: Panel,
    cells: &[&Cell],
    level: &dyn Fn(&Cell) -> usize,
    x: Span,
) -> Option<(Vec<Plot>, Layout)> {
    let of = |cell: &Cell| -> Vec<(f64, f64)> {
        let values = cell
            .points
            .iter()
            .filter_map(|point| Some((point.step as f64, panel.value(point)?)));
        values.collect()
    };
    let curves: Vec<(&Cell, Vec<(f64, f64)>)> = cells.iter().map(|cell| (*cell, of(cell))).collect();
    let thresholds = panel
        .limit()
        .map(|limit| thresholds(limit, cells, level))
        .unwrap_or_default();
    let measured = curves
        .iter()
        .flat_map(|(_, curve)| curve.iter().map(|(_, value)| *value));
    let highest = measured.clone().fold(f64::MIN, f64::max);
    // A threshold far above all values would make the curves flat.
    let near = |value: &f64| *value < 20.0 * highest;
    let levels = thresholds
        .iter()
        .flat_map(|(_, curve)| curve.iter().map(|(_, value)| *value))
        .filter(near);
    let y = Span::of(measured.chain(levels), panel.may_log())?;
    let mut plots = Vec::new();
    // A threshold that all levels share gets a neutral colour.
    let shared = thresholds.len() > 1
        && thresholds
            .iter()
            .all(|(_, curve)| curve.last().map(|last| last.1) == thresholds[0].1.last().map(|last| last.1));
    for (n, curve) in thresholds.iter().take(if shared { 1 } else { thresholds.len() }) {
        let colour = if shared { "#555555" } else { colour(*n) };
        if curve.iter().any(|(_, value)| near(value)) {
            let dashes = dashes(curve, x, DASHES);
            let drawn = dashes.iter().flat_map(|dash| lines(dash, y));
            plots.extend(drawn.map(|line| line.with_color(colour).with_stroke_width(1.0)));
        }
    }
    for (cell, curve) in &curves {
        let pieces = if cell.standing == Standing::Compared {
            vec![reduced(curve)]
        } else {
            dashes(&reduced(curve), x, DOTS)
        };
        let drawn = pieces.iter().flat_map(|piece| lines(piece, y));
        plots.extend(drawn.map(|line| line.with_color(colour(level(cell))).with_stroke_width(1.2)));
    }
    let plots = plots.into_iter().map(Plot::Line).collect();
    Some((plots, frame(x, y, "step", &label(&panel.words(run), y)).with_ticks(4)))
}

/// Returns the threshold of the first cell of each level. The other seeds have the same threshold, except where it
/// depends on the gradient (SAM).
fn thresholds(limit: &Quantity, cells: &[&Cell], level: &dyn Fn(&Cell) -> usize) -> Vec<(usize, Vec<(f64, f64)>)> {
    let mut found: Vec<(usize, Vec<(f64, f64)>)> = Vec::new();
    for cell in cells {
        let n = level(cell);
        if found.iter().any(|(own, _)| *own == n) {
            continue;
        }
        let curve = cell
            .points
            .iter()
            .filter_map(|point| Some((point.step as f64, limit.value(point)?)));
        let curve: Vec<(f64, f64)> = curve.filter(|(_, value)| value.is_finite()).collect();
        found.push((n, reduced(&curve)));
    }
    found
}

/// Splits a curve into dashes, `count` across the panel, each as long as the gap after it. Dashes are drawn as separate
/// lines because kuva's PNG draws every line solid.
fn dashes(curve: &[(f64, f64)], x: Span, count: usize) -> Vec<Vec<(f64, f64)>> {
    let width = (x.high - x.low) / count as f64;
    let at = |x: f64| {
        let [(x0, y0), (x1, y1)] = curve
            .windows(2)
            .map(|pair| [pair[0], pair[1]])
            .find(|[(x0, _), (x1, _)]| (*x0..=*x1).contains(&x))?;
        let share = if x1 > x0 { (x - x0) / (x1 - x0) } else { 0.0 };
        Some((x, y0 + share * (y1 - y0)))
    };
    let dash = |n: usize| -> Vec<(f64, f64)> {
        let from = x.low + n as f64 * width;
        let to = from + width / 2.0;
        let within = curve.iter().copied().filter(|(x, _)| *x > from && *x < to);
        at(from).into_iter().chain(within).chain(at(to)).collect()
    };
    (0..count).map(dash).filter(|dash| dash.len() > 1).collect()
}

/// Returns the pieces of a curve between values that cannot be drawn.
fn lines(curve: &[(f64, f64)], y: Span) -> Vec<LinePlot> {
    curve
        .split(|(_, value)| !y.shows(*value))
        .filter(|piece| !piece.is_empty())
        .map(|piece| LinePlot::new().with_data(piece.iter().map(|&(x, value)| (x, y.place(value)))))
        .collect()
}

/// Reduces a curve to at most [`MOST_POINTS`] points: the first, smallest, largest and last point of each column, so
/// that no spike is lost.
fn reduced(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if curve.len() <= MOST_POINTS {
        return curve.to_vec();
    }
    let column = curve.len().div_ceil(MOST_POINTS / 4);
    let mut kept = Vec::with_capacity(MOST_POINTS);
    for part in curve.chunks(column) {
        let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let mut of_part = [
            part.first(),
            part.iter().min_by(by_value),
            part.iter().max_by(by_value),
            part.last(),
        ];
        of_part.sort_by(|a, b| a.map_or(0.0, |a| a.0).total_cmp(&b.map_or(0.0, |b| b.0)));
        kept.extend(of_part.into_iter().flatten());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::Scale;
    use super::*;
    use crate::event::LambdaPoint;

    #[test]
    fn a_curve_in_dashes_is_half_of_the_curve() {
        let x = Span {
            low: 0.0,
            high: 10.0,
            scale: Scale::Linear,
        };
        let dashes = dashes(&[(0.0, 1.0), (4.5, 1.0), (9.0, 10.0)], x, 5);
        let starts: Vec<(f64, f64)> = dashes.iter().map(|dash| dash[0]).collect();
        assert_eq!(starts, [(0.0, 1.0), (2.0, 1.0), (4.0, 1.0), (6.0, 4.0), (8.0, 8.0)]);
        assert_eq!(dashes[2], [(4.0, 1.0), (4.5, 1.0), (5.0, 2.0)]);
        assert_eq!(dashes[4].last(), Some(&(9.0, 10.0)));
    }

    #[test]
    fn a_lambda_max_that_could_not_be_had_breaks_the_line_and_an_unconverged_one_is_left_out_of_it() {
        let panel = Panel {
            quantity: &LAMBDA_MAX,
            probe: 0,
        };
        let points = [(1.0, true), (2.0, false), (3.0, true), (f64::NAN, false), (4.0, true)];
        let curve: Vec<(f64, f64)> = points
            .into_iter()
            .zip(0..)
            .filter_map(|((lambda_max, lambda_converged), step)| {
                let lambda = LambdaPoint {
                    lambda_max,
                    lambda_converged,
                    ..LambdaPoint::default()
                };
                let point = Point {
                    lambda: Some(lambda),
                    ..Point::default()
                };
                Some((f64::from(step), panel.value(&point)?))
            })
            .collect();
        assert_eq!(
            curve.iter().map(|(step, _)| *step).collect::<Vec<_>>(),
            [0.0, 2.0, 3.0, 4.0]
        );
        let y = Span {
            low: 0.0,
            high: 5.0,
            scale: Scale::Linear,
        };
        assert_eq!(lines(&curve, y).len(), 2);
    }

    #[test]
    fn a_long_curve_keeps_its_spikes_and_its_ends() {
        let mut curve: Vec<(f64, f64)> = (0..100_000).map(|step| (f64::from(step), 1.0)).collect();
        (curve[777].1, curve[50_001].1) = (9.0, -3.0);
        let kept = reduced(&curve);
        assert!(kept.len() <= MOST_POINTS);
        assert!(kept.contains(&(777.0, 9.0)) && kept.contains(&(50_001.0, -3.0)));
        assert_eq!((kept.first(), kept.last()), (curve.first(), curve.last()));
        assert!(kept.is_sorted_by(|a, b| a.0 <= b.0));
    }
}
