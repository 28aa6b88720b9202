//! λ_max of every cell: one small panel per combination, all with the same axes.

use kuva::render::figure::Figure as Grid;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::curves::{self, DASHES, DOTS, Panel, dashes, lines, reduced};
use super::{Figure, Span, axes_key, frame, label, of_level, probe_key};
use crate::curve::Across;
use crate::report::comparison::combinations;
use crate::report::run::{Cell, Run, Standing};

/// Most panels of a figure, so that it fits on a sheet of paper.
const MOST_PANELS: usize = 30;

/// Most figures; more would be too long to read.
const MOST_FIGURES: usize = 4;

/// Most panels in a row.
const MOST_COLUMNS: usize = 5;

/// Width of all panels of a row together.
const WIDTH: f64 = 1040.0;

/// Most points of a curve: a panel is small.
const MOST_POINTS: usize = 320;

/// Returns the figures; none if the figures of curves show every cell by itself, or nothing was measured.
pub(super) fn figures(run: &Run, across: Across) -> Vec<Figure> {
    drawn(run, across).unwrap_or_default()
}

fn drawn(run: &Run, across: Across) -> Option<Vec<Figure>> {
    let panel = Panel::LAMBDA;
    let of_combination = |levels: &Vec<usize>| -> Vec<&Cell> {
        let cells = run.cells.iter().filter(|cell| cell.levels == *levels);
        cells
            .filter(|cell| !curves::curve(panel, cell, across).is_empty())
            .collect()
    };
    let all: Vec<(Vec<usize>, Vec<&Cell>)> = combinations(run, None)
        .into_iter()
        .map(|levels| (of_combination(&levels), levels))
        .filter(|(cells, _)| !cells.is_empty())
        .map(|(cells, levels)| (levels, cells))
        .collect();
    let has_seeds = all.iter().any(|(_, cells)| cells.len() > 1);
    if all.len() < 2 || !(has_seeds || all.len() > curves::MOST_BANDS) {
        return None;
    }
    let left_out = all.len().saturating_sub(MOST_PANELS * MOST_FIGURES);
    let shown = &all[..all.len() - left_out];
    let cells: Vec<&Cell> = shown.iter().flat_map(|(_, cells)| cells.iter().copied()).collect();
    let x = curves::horizontal(&cells, across)?;
    let values = cells
        .iter()
        .flat_map(|cell| curves::curve(panel, cell, across).into_iter().map(|(_, value)| value));
    let values: Vec<f64> = values.collect();
    let highest = values.iter().copied().fold(f64::MIN, f64::max);
    let thresholds = shown
        .iter()
        .flat_map(|(_, cells)| threshold(cells, across).into_iter().map(|(_, value)| value));
    let near = thresholds.filter(|value| *value < curves::FAR * highest);
    let y = Span::of(values.iter().copied().chain(near.collect::<Vec<_>>()), panel.may_log())?;
    let figures = shown.chunks(MOST_PANELS).enumerate().map(|(n, part)| {
        let more = if left_out > 0 {
            format!(" {left_out} more combinations are not shown.")
        } else {
            String::new()
        };
        let caption = format!(
            "λ_max of every cell: one panel per combination, one line per seed. Dotted: cells that are not compared. Dashed: \
             the stability threshold. λ_max: {}.{}{more}",
            probe_key(run),
            axes_key(run)
        );
        Figure::new(format!("cells-{n}"), caption, grid(run, part, across, (x, y)).render())
    });
    Some(figures.collect())
}

/// Returns the panels of some combinations.
fn grid(run: &Run, shown: &[(Vec<usize>, Vec<&Cell>)], across: Across, (x, y): (Span, Span)) -> Grid {
    let columns = columns(run, shown.len());
    let drawn = shown.iter().enumerate().map(|(n, (levels, cells))| {
        let (plots, layout) = draw(run, (levels, cells), across, (x, y));
        // All panels have the same axes: only those at the edges name them.
        let is_first = n.is_multiple_of(columns);
        let is_last = n + columns >= shown.len();
        let layout = layout.with_y_label(if is_first { label("λ_max", y) } else { String::new() });
        (plots, layout.with_x_label(if is_last { across.label() } else { "" }))
    });
    let (plots, layouts): (Vec<_>, Vec<_>) = drawn.unzip();
    let structure = (0..plots.len()).map(|panel| vec![panel]).collect();
    let width = WIDTH / columns as f64;
    Grid::new(plots.len().div_ceil(columns), columns)
        .with_structure(structure)
        .with_plots(plots)
        .with_layouts(layouts)
        .with_spacing(4.0)
        .with_cell_size(width, (width * 0.85).clamp(170.0, 260.0))
}

/// Returns the number of panels in a row: one per level of the last setting if they fit, so that a row is a level of
/// the others.
fn columns(run: &Run, panels: usize) -> usize {
    match run.axes.last().map(super::Axis::len) {
        Some(levels @ 3..=MOST_COLUMNS)
            if panels.is_multiple_of(levels) && panels <= 5 * levels && run.axes.len() > 1 =>
        {
            levels
        }
        _ => panels.min(MOST_COLUMNS),
    }
}

fn threshold(cells: &[&Cell], across: Across) -> Vec<(f64, f64)> {
    let limit = Panel::LAMBDA.limit();
    limit.map_or_else(Vec::new, |limit| curves::threshold(limit, cells, across))
}

fn draw(run: &Run, (levels, cells): (&[usize], &[&Cell]), across: Across, (x, y): (Span, Span)) -> (Vec<Plot>, Layout) {
    let colour = match run.main_axis() {
        Some(axis) => of_level(&run.axes[axis], levels[axis]),
        None => super::colour(0),
    };
    let mut plots = Vec::new();
    let curve = threshold(cells, across);
    if curve.iter().all(|(_, value)| (y.low..=y.high).contains(value)) {
        let dashes = dashes(&curve, x, DASHES);
        let drawn = dashes.iter().flat_map(|dash| lines(dash, y));
        plots.extend(drawn.map(|line| Plot::Line(line.with_color("#555555").with_stroke_width(0.8))));
    }
    for cell in cells {
        let curve = reduced(&curves::curve(Panel::LAMBDA, cell, across), MOST_POINTS);
        let pieces = if cell.standing == Standing::Compared {
            vec![curve]
        } else {
            dashes(&curve, x, DOTS)
        };
        let drawn = pieces.iter().flat_map(|piece| lines(piece, y));
        plots.extend(drawn.map(|line| Plot::Line(line.with_color(colour.clone()).with_stroke_width(0.9))));
    }
    let names: Vec<String> = (0..run.axes.len())
        .map(|axis| run.axes[axis].at_label(levels[axis]))
        .collect();
    let layout = frame(x, y, "", "")
        .with_title(names.join(", "))
        .with_title_size(11)
        .with_label_size(11)
        .with_tick_size(10)
        .with_title_wrap(26)
        .with_ticks(3);
    (plots, layout)
}
