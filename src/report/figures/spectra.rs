//! Spectral densities: the first and the last one of a cell of each combination.

use kuva::plot::legend::{LegendEntry, LegendShape};
use kuva::plot::line::LinePlot;
use kuva::render::figure::Figure as Grid;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::{Figure, Span, colour, frame, label};
use crate::event::{Point, SpectrumPoint};
use crate::quantity::THRESHOLD;
use crate::report::comparison::combinations;
use crate::report::run::{Cell, Run};

/// Most panels; more would make the page too long.
const MOST_PANELS: usize = 12;

/// Number of points of a curve.
const POINTS: usize = 600;

/// A density is drawn down to this fraction of its largest value.
const LEAST: f64 = 1e-8;

/// Returns the figure; `None` if no spectrum was measured.
pub(super) fn figure(run: &Run) -> Option<Figure> {
    let of_combination = |levels: Vec<usize>| {
        let cells = run.cells.iter().filter(move |cell| cell.levels == levels);
        cells
            .filter(|cell| measured(cell).next().is_some())
            .min_by_key(|cell| cell.seed)
    };
    let cells: Vec<&Cell> = combinations(run, None).into_iter().filter_map(of_combination).collect();
    let left_out = cells.len().saturating_sub(MOST_PANELS);
    let panels: Vec<(Vec<Plot>, Layout)> = cells
        .iter()
        .take(MOST_PANELS)
        .filter_map(|cell| panel(run, cell))
        .collect();
    if panels.is_empty() {
        return None;
    }
    let columns = panels.len().min(2);
    let structure = (0..panels.len()).map(|panel| vec![panel]).collect();
    let (plots, layouts): (Vec<_>, Vec<_>) = panels.into_iter().unzip();
    let entry = |label: &str, n: usize| LegendEntry {
        label: label.to_owned(),
        color: colour(n),
        shape: LegendShape::Line,
        dasharray: None,
    };
    let grid = Grid::new(plots.len().div_ceil(columns), columns)
        .with_structure(structure)
        .with_plots(plots)
        .with_layouts(layouts)
        .with_cell_size(470.0, 270.0)
        .with_shared_legend_bottom()
        .with_shared_legend_entries(vec![entry("last", 0), entry("first", 1), entry("threshold", 2)]);
    let more = if left_out > 0 {
        format!(" {left_out} more combinations are not shown.")
    } else {
        String::new()
    };
    let caption = format!(
        "Density of the eigenvalues of the Hessian on the first probe, by stochastic Lanczos quadrature, at the first and the \
         last measurement of the cell with the smallest seed of each combination, smoothed by a hundredth of the \
         spectrum's width.{more}"
    );
    Some(Figure::new("spectra".to_owned(), caption, grid.render()))
}

/// Returns the usable spectra of a cell, with their points.
fn measured(cell: &Cell) -> impl DoubleEndedIterator<Item = (&Point, &SpectrumPoint)> {
    let all = cell
        .points
        .iter()
        .filter_map(|point| Some((point, point.spectrum.as_deref()?)));
    all.filter(|(_, spectrum)| spectrum.ends().is_some())
}

fn panel(run: &Run, cell: &Cell) -> Option<(Vec<Plot>, Layout)> {
    let (last_point, last) = measured(cell).next_back()?;
    let (first_point, first) = measured(cell).next()?;
    let mut drawn = vec![(curve(last), 0)];
    if first_point.step < last_point.step {
        drawn.push((curve(first), 1));
    }
    let threshold = cell
        .points
        .iter()
        .filter_map(|point| THRESHOLD.value(point))
        .next_back();
    let ends = drawn.iter().flat_map(|(curve, _)| curve.iter().map(|(x, _)| *x));
    let right = ends.clone().fold(f64::MIN, f64::max);
    let left = ends.clone().fold(f64::MAX, f64::min);
    // A threshold far away would make the spectrum narrow.
    let threshold = threshold.filter(|x| (left..right + (right - left)).contains(x));
    let x = Span::of(ends.chain(threshold), false)?;
    let heights = drawn
        .iter()
        .flat_map(|(curve, _)| curve.iter().map(|(_, height)| *height));
    let y = Span::of(heights, true)?;
    let mut plots = Vec::new();
    if let Some(threshold) = threshold {
        let (low, high) = y.ends();
        let line = LinePlot::new()
            .with_data(vec![(threshold, low), (threshold, high)])
            .with_color(colour(2))
            .with_stroke_width(1.0);
        plots.push(Plot::Line(line));
    }
    for (curve, n) in drawn.iter().rev() {
        let data: Vec<(f64, f64)> = curve
            .iter()
            .filter(|(_, height)| y.shows(*height))
            .map(|(x, height)| (*x, y.place(*height)))
            .collect();
        plots.push(Plot::Line(
            LinePlot::new()
                .with_data(data)
                .with_color(colour(*n))
                .with_stroke_width(1.2),
        ));
    }
    let at: Vec<String> = (0..run.axes.len())
        .map(|axis| run.axes[axis].at_label(cell.levels[axis]))
        .collect();
    let at = if at.is_empty() {
        "eigenvalue".to_owned()
    } else {
        format!("eigenvalue ({})", at.join(", "))
    };
    Some((plots, frame(x, y, &at, &label("density", y)).with_ticks(4)))
}

/// Returns the smoothed density on a grid.
fn curve(spectrum: &SpectrumPoint) -> Vec<(f64, f64)> {
    let (low, high) = spectrum.ends().unwrap_or((0.0, 1.0));
    let width = spectrum.smoothing();
    let (low, high) = (low - 3.0 * width, high + 3.0 * width);
    let at = |n: usize| low + (high - low) * n as f64 / (POINTS - 1) as f64;
    let points: Vec<(f64, f64)> = (0..POINTS).map(|n| (at(n), spectrum.density(at(n), width))).collect();
    let top = points.iter().map(|(_, height)| *height).fold(0.0, f64::max);
    let floor = LEAST * top;
    points.into_iter().map(|(x, height)| (x, height.max(floor))).collect()
}
