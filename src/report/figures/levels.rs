//! A measure against a setting: means with their 95 % intervals, a line for every combination of the other settings.

use kuva::plot::line::LinePlot;
use kuva::plot::scatter::ScatterPlot;
use kuva::render::figure::Figure as Grid;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::{Figure, Span, colour, frame, label, marker};
use crate::report::comparison::{Comparison, Stratum};
use crate::report::run::{Measure, Run};

/// How far lines lie apart, so that bars do not cover each other; levels are 1 apart.
const APART: f64 = 0.06;

/// Every measure against one setting; none where there is nothing to draw.
pub(super) fn figure(run: &Run, axis: usize, comparisons: &[Comparison]) -> Option<Figure> {
    let own = comparisons.iter().filter(|comparison| comparison.axis == axis);
    let panels: Vec<(Vec<Plot>, Layout)> = own.filter_map(|comparison| panel(run, comparison)).collect();
    if panels.is_empty() {
        return None;
    }
    let columns = panels.len();
    let (plots, layouts): (Vec<_>, Vec<_>) = panels.into_iter().unzip();
    let mut grid = Grid::new(1, columns)
        .with_plots(plots)
        .with_layouts(layouts)
        .with_cell_size(420.0, 360.0);
    if run.axes.len() > 1 {
        grid = grid.with_shared_legend_bottom();
    }
    let caption = format!(
        "Mean over seeds with its 95 % interval against {}{}. A mean without a bar has no interval.",
        run.axes[axis].noun(),
        if run.axes.len() > 1 {
            ", a line for every combination of the other settings"
        } else {
            ""
        }
    );
    let name = format!("levels-{}", run.axes[axis].names.join("-"));
    Some(Figure::new(name, caption, grid.render()))
}

fn panel(run: &Run, comparison: &Comparison) -> Option<(Vec<Plot>, Layout)> {
    let axis = &run.axes[comparison.axis];
    let ends = comparison
        .strata
        .iter()
        .flat_map(|stratum| &stratum.groups)
        .flat_map(|group| {
            let interval = group.mean.interval;
            let (low, high) = interval.map_or((group.mean.value, group.mean.value), |interval| {
                (interval.low, interval.high)
            });
            [low, group.mean.value, high]
        });
    let is_lambda = comparison.measure != Measure::TestAccuracy;
    // An interval may reach below zero, where a logarithm cannot follow.
    let may_log = is_lambda && ends.clone().all(|value| value > 0.0);
    let y = Span::of(ends, may_log)?;
    let x = Span {
        low: 0.5,
        high: axis.len() as f64 + 0.5,
        log: false,
    };
    let words = match comparison.measure {
        Measure::Lambda(probe) => run.lambda_words(probe),
        Measure::TestAccuracy => "test accuracy / %".to_owned(),
    };
    let names: Vec<String> = (0..axis.len()).map(|level| axis.level(level)).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut layout = frame(x, y, &axis.noun(), &label(&words, y)).with_x_categories(names);
    if longest * axis.len() > 40 {
        layout = layout.with_x_tick_rotate(-35.0);
    }
    let drawn: Vec<(usize, &Stratum)> = comparison
        .strata
        .iter()
        .enumerate()
        .filter(|(_, stratum)| !stratum.groups.is_empty())
        .collect();
    let middle = (drawn.len() as f64 - 1.0) / 2.0;
    let plots = drawn.iter().enumerate().flat_map(|(place, (n, stratum))| {
        let offset = APART * (place as f64 - middle);
        line(run, comparison, stratum, *n, offset)
    });
    Some((plots.collect(), layout))
}

/// The means joined by a line, and their intervals.
fn line(run: &Run, comparison: &Comparison, stratum: &Stratum, n: usize, offset: f64) -> Vec<Plot> {
    let x = |level: usize| level as f64 + 1.0 + offset;
    let means: Vec<(f64, f64)> = stratum
        .groups
        .iter()
        .map(|group| (x(group.level), group.mean.value))
        .collect();
    let half = stratum.groups.iter().map(|group| {
        group
            .mean
            .interval
            .map_or(0.0, |interval| (interval.high - interval.low) / 2.0)
    });
    let others = (0..run.axes.len()).filter(|&other| other != comparison.axis);
    let words: Vec<String> = others.map(|other| run.axes[other].at(stratum.others[other])).collect();
    let line = LinePlot::new()
        .with_data(means.clone())
        .with_color(colour(n))
        .with_stroke_width(1.5);
    let mut points = ScatterPlot::new()
        .with_data(means)
        .with_y_err(half)
        .with_color(colour(n))
        .with_marker(marker(n))
        .with_size(5.0);
    if !words.is_empty() {
        points = points.with_legend(words.join(", "));
    }
    vec![Plot::Line(line), Plot::Scatter(points)]
}
