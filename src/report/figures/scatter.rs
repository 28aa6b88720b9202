//! Test accuracy against λ_max: one point per cell.

use kuva::plot::legend::{LegendEntry, LegendShape};
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;

use super::{Figure, Span, axes_key, colour, frame, label, marker, of_level};
use crate::report::comparison::pairs;
use crate::report::run::{Cell, Run};

/// Returns one figure per setting, coloured by it. If there are exactly two settings, the markers show the other one.
pub(super) fn figures(run: &Run, probe: usize) -> Vec<Figure> {
    let all = pairs(run.compared(), probe);
    let lambda = Span::of(all.iter().map(|(lambda, _)| *lambda), true);
    let accuracy = Span::of(all.iter().map(|(_, accuracy)| *accuracy), false);
    let Some((lambda, accuracy)) = lambda.zip(accuracy) else {
        return Vec::new();
    };
    let words = run.lambda_words(probe);
    let layout = || {
        frame(lambda, accuracy, &label(&words, lambda), "test accuracy / %")
            .with_width(760.0)
            .with_height(440.0)
            .with_legend_box(false)
    };
    let name = |what: &str| match probe {
        0 => format!("scatter-{what}"),
        probe => format!("scatter-{what}-probe-{probe}"),
    };
    if run.axes.is_empty() {
        let points = points(run, probe, lambda, |_| true).with_color(colour(0));
        let scene = render_multiple(vec![Plot::Scatter(points)], layout());
        let caption = format!("Test accuracy against {words}; one point per cell.");
        return vec![Figure::new(name("cells"), caption, scene)];
    }
    (0..run.axes.len())
        .map(|axis| {
            let (plots, layout) = coloured(run, probe, axis, lambda, layout());
            let caption = format!(
                "Test accuracy against {words}, coloured by {}; one point per cell.{}",
                run.axes[axis].noun(),
                axes_key(run)
            );
            Figure::new(
                name(&run.axes[axis].file_name()),
                caption,
                render_multiple(plots, layout),
            )
        })
        .collect()
}

fn coloured(run: &Run, probe: usize, axis: usize, lambda: Span, layout: Layout) -> (Vec<Plot>, Layout) {
    let other = match run.axes.len() {
        2 => Some(1 - axis),
        _ => None,
    };
    let shapes = other.map_or(1, |other| run.axes[other].len());
    let mut plots = Vec::new();
    for level in 0..run.axes[axis].len() {
        for shape in 0..shapes {
            let here =
                |cell: &Cell| cell.levels[axis] == level && other.is_none_or(|other| cell.levels[other] == shape);
            let shape = marker(if other.is_some() { shape } else { level });
            let points = points(run, probe, lambda, here)
                .with_color(of_level(&run.axes[axis], level))
                .with_marker(shape);
            plots.push(Plot::Scatter(points));
        }
    }
    let entry = |label: String, color: String, shape: MarkerShape| LegendEntry {
        label,
        color,
        shape: LegendShape::Marker(shape),
        dasharray: None,
    };
    let present = |axis: usize| {
        let levels = 0..run.axes[axis].len();
        levels.filter(move |level| run.compared().any(|cell| cell.levels[axis] == *level))
    };
    let colours = present(axis).map(|level| {
        let shape = if other.is_some() {
            MarkerShape::Circle
        } else {
            marker(level)
        };
        let colour = of_level(&run.axes[axis], level);
        entry(run.axes[axis].level_label(level), colour, shape)
    });
    let mut layout = layout.with_legend_group(run.axes[axis].label(), colours.collect());
    if let Some(other) = other {
        let grey = || "#555555".to_owned();
        let markers = present(other).map(|level| entry(run.axes[other].level_label(level), grey(), marker(level)));
        layout = layout.with_legend_group(run.axes[other].label(), markers.collect());
    }
    (plots, layout)
}

fn points(run: &Run, probe: usize, x: Span, here: impl Fn(&Cell) -> bool) -> ScatterPlot {
    let shown = pairs(run.compared().filter(|cell| here(cell)), probe)
        .into_iter()
        .filter(|(lambda, _)| x.shows(*lambda))
        .map(|(lambda, accuracy)| (x.place(lambda), accuracy));
    ScatterPlot::new().with_data(shown).with_size(5.0)
}
