//! The rank correlation of every quantity with test accuracy: a dot and its interval, one row per quantity.

use kuva::plot::legend::{LegendEntry, LegendShape};
use kuva::plot::line::LinePlot;
use kuva::plot::scatter::ScatterPlot;
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;

use super::{Figure, Scale, Span, axes_key, frame, marker, of_level, probe_key};
use crate::characters::capitalized;
use crate::report::correlation::{AtEnd, Place};
use crate::report::run::Run;
use crate::statistics::Kendall;

/// Height of one dot with its interval, in pixels.
const DOT: f64 = 13.0;

/// Distance between rows, in pixels.
const GAP: f64 = 15.0;

/// Height of everything but the rows, in pixels.
const AROUND: f64 = 90.0;

/// Colour of all cells; levels have the colours of the other figures.
const ALL: &str = "#444444";

/// Returns the figure; `None` if no quantity has a rank correlation.
pub(super) fn figure(run: &Run) -> Option<Figure> {
    let places = Place::shown(run);
    let mut rows: Vec<(AtEnd, Vec<Option<Kendall>>)> = AtEnd::all(run)
        .into_iter()
        .map(|own| (own, places.iter().map(|&place| own.correlation(run, place)).collect()))
        .collect();
    rows.retain(|(_, found)| found.iter().any(Option::is_some));
    if rows.is_empty() {
        return None;
    }
    // The vertical axis goes up, and the first row is at the top.
    rows.reverse();
    let (count, dots) = (rows.len() as f64, places.len() as f64);
    let height = count * (dots * DOT + GAP);
    let apart = DOT / (dots * DOT + GAP);
    let mut plots: Vec<Plot> = [-0.5, 0.0, 0.5]
        .map(|tau| line(tau, count, if tau == 0.0 { "#888888" } else { "#dddddd" }))
        .into();
    for (n, &place) in places.iter().enumerate() {
        let middle = (dots - 1.0) / 2.0;
        let dots = rows
            .iter()
            .zip(1..)
            .filter_map(|((_, found), row)| Some((found[n]?, f64::from(row) + apart * (middle - n as f64))));
        plots.extend(points(run, dots.collect(), place));
    }
    let x = linear(-1.05, 1.05);
    let names = rows.iter().map(|(own, _)| own.short_words(run)).collect();
    let entries = places.iter().map(|&place| LegendEntry {
        label: words(run, place),
        color: colour_of(run, place),
        shape: LegendShape::Marker(marker_of(place)),
        dasharray: None,
    });
    let layout = frame(x, linear(0.5, count + 0.5), "Kendall’s τ-b with test accuracy", "")
        .with_x_tick_step(0.5)
        .with_y_categories(names)
        .with_width(760.0)
        .with_height(height + AROUND)
        .with_legend_box(false)
        .with_legend_entries(entries.collect());
    let levels = match places.get(1) {
        Some(Place::Level { axis, .. }) => format!(" and within each {}", run.axes[*axis].noun()),
        _ => String::new(),
    };
    let probes = if rows.iter().any(|(own, _)| own.short_words(run) != own.words(run)) {
        format!(" {}.", capitalized(&probe_key(run)))
    } else {
        String::new()
    };
    let caption = format!(
        "Rank correlation of quantities at the end of cells with test accuracy, with its 95 % interval, over all \
         cells{levels}. Right of the line in the middle, higher values went with higher accuracy. A dot without a bar has \
         no interval.{probes}{}",
        axes_key(run)
    );
    Some(Figure::new(
        "correlations".to_owned(),
        caption,
        render_multiple(plots, layout),
    ))
}

fn linear(low: f64, high: f64) -> Span {
    Span {
        low,
        high,
        scale: Scale::Linear,
    }
}

fn line(tau: f64, rows: f64, colour: &str) -> Plot {
    let line = LinePlot::new().with_data([(tau, 0.5), (tau, rows + 0.5)]);
    Plot::Line(line.with_color(colour).with_stroke_width(1.0))
}

/// Returns the dots of one place, each at its height.
fn points(run: &Run, dots: Vec<(Kendall, f64)>, place: Place) -> [Plot; 2] {
    let points = || {
        ScatterPlot::new()
            .with_color(colour_of(run, place))
            .with_marker(marker_of(place))
            .with_size(4.5)
    };
    let (barred, bare): (Vec<_>, Vec<_>) = dots.into_iter().partition(|(kendall, _)| kendall.interval.is_some());
    let bars = barred.iter().filter_map(|(kendall, _)| {
        let (tau, interval) = (kendall.tau_b, kendall.interval?);
        Some((tau - interval.low, interval.high - tau))
    });
    let at = |dots: &[(Kendall, f64)]| dots.iter().map(|(kendall, y)| (kendall.tau_b, *y)).collect::<Vec<_>>();
    [
        Plot::Scatter(points().with_data(at(&barred)).with_x_err_asymmetric(bars)),
        Plot::Scatter(points().with_data(at(&bare))),
    ]
}

fn words(run: &Run, place: Place) -> String {
    match place {
        Place::All => place.words(run),
        Place::Level { axis, level } => run.axes[axis].at_label(level),
    }
}

fn colour_of(run: &Run, place: Place) -> String {
    match place {
        Place::All => ALL.to_owned(),
        Place::Level { axis, level } => of_level(&run.axes[axis], level),
    }
}

fn marker_of(place: Place) -> kuva::plot::scatter::MarkerShape {
    match place {
        Place::All => marker(3),
        Place::Level { level, .. } => marker(level),
    }
}
