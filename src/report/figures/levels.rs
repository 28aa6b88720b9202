//! A measure against a setting: means with their 95 % intervals, one line per combination of the other settings.

use kuva::plot::line::LinePlot;
use kuva::plot::scatter::ScatterPlot;
use kuva::render::figure::Figure as Grid;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::{Figure, Scale, Span, axes_key, colour, frame, label, lambda_label, marker, of_level, probe_key};
use crate::report::comparison::{Comparison, Group, Stratum};
use crate::report::run::{Measure, Run};

/// Most panels in one row; more would be too small to read on a page.
const MOST_COLUMNS: usize = 3;

/// Most levels that are named along the horizontal axis; of more, evenly chosen ones are named.
const MOST_LABELS: usize = 10;

/// Longest label that fits beside a vertical axis, in characters.
const LONG_WORDS: usize = 40;

/// Horizontal distance between lines, so that their bars do not cover each other. The distance between levels is 1.
const APART: f64 = 0.06;

/// Returns the figure of every measure against one setting; `None` if there is nothing to draw.
pub(super) fn figure(run: &Run, axis: usize, comparisons: &[Comparison]) -> Option<Figure> {
    let own = comparisons.iter().filter(|comparison| comparison.axis == axis);
    let panels: Vec<(Vec<Plot>, Layout)> = own.filter_map(|comparison| panel(run, comparison)).collect();
    if panels.is_empty() {
        return None;
    }
    let columns = panels.len().min(MOST_COLUMNS);
    let rows = panels.len().div_ceil(columns);
    let structure = (0..panels.len()).map(|panel| vec![panel]).collect();
    let (plots, layouts): (Vec<_>, Vec<_>) = panels.into_iter().unzip();
    let mut grid = Grid::new(rows, columns)
        .with_structure(structure)
        .with_plots(plots)
        .with_layouts(layouts)
        .with_cell_size(420.0, 360.0);
    let lines = comparisons.iter().find(|comparison| comparison.axis == axis);
    let lines = lines.map_or(0, |comparison| comparison.strata.len());
    if run.axes.len() > 1 {
        // A long legend below would make the figure too tall for a sheet of paper.
        grid = if lines > 4 {
            grid.with_shared_legend_right_middle()
        } else {
            grid.with_shared_legend_bottom()
        };
    }
    let caption = format!(
        "Mean over seeds with its 95 % interval against {}{}. A mean without a bar has no interval; very \
         long bars are cut off.{}{}",
        run.axes[axis].noun(),
        if run.axes.len() > 1 {
            ", one line per combination of the other settings"
        } else {
            ""
        },
        if has_long_words(run) {
            format!(" λ_max: {}.", probe_key(run))
        } else {
            String::new()
        },
        axes_key(run),
    );
    let name = format!("levels-{}", run.axes[axis].file_name());
    Some(Figure::new(name, caption, grid.render()))
}

fn has_long_words(run: &Run) -> bool {
    (0..run.probes.len()).any(|probe| run.lambda_words(probe).chars().count() > LONG_WORDS)
}

fn panel(run: &Run, comparison: &Comparison) -> Option<(Vec<Plot>, Layout)> {
    let axis = &run.axes[comparison.axis];
    let room = Room::of(comparison)?;
    let ends = comparison
        .strata
        .iter()
        .flat_map(|stratum| &stratum.groups)
        .flat_map(|group| {
            let (below, above) = room.bar(group).unwrap_or_default();
            [group.mean.value - below, group.mean.value, group.mean.value + above]
        });
    // An interval may extend below zero, where there is no logarithm.
    let may_log = comparison.measure != Measure::TestAccuracy && ends.clone().all(|value| value > 0.0);
    let y = Span::of(ends, may_log)?;
    let x = Span {
        low: 0.5,
        high: axis.len() as f64 + 0.5,
        scale: Scale::Linear,
    };
    let words = match comparison.measure {
        Measure::Lambda(probe) if has_long_words(run) => lambda_label(run, probe),
        Measure::Lambda(probe) => run.lambda_words(probe),
        Measure::TestAccuracy => "test accuracy / %".to_owned(),
    };
    let every = axis.len().div_ceil(MOST_LABELS);
    let name = |level: usize| {
        let is_shown = level.is_multiple_of(every);
        if is_shown {
            axis.level_label(level)
        } else {
            String::new()
        }
    };
    let names: Vec<String> = (0..axis.len()).map(name).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut layout = frame(x, y, &axis.label(), &label(&words, y)).with_x_categories(names);
    if longest * axis.len() / every > 40 {
        layout = layout.with_x_tick_rotate(-35.0);
    }
    let drawn: Vec<(usize, &Stratum)> = comparison
        .strata
        .iter()
        .enumerate()
        .filter(|(_, stratum)| !stratum.groups.is_empty())
        .collect();
    let middle = (drawn.len() as f64 - 1.0) / 2.0;
    let apart = APART.min(0.7 / drawn.len() as f64);
    let plots = drawn.iter().enumerate().flat_map(|(place, (n, stratum))| {
        let offset = apart * (place as f64 - middle);
        line(run, comparison, stratum, (room, y), *n, offset)
    });
    Some((plots.collect(), layout))
}

/// The range of the bars. Without a limit, the interval of two seeds can be so wide that the axis hides all other
/// differences.
#[derive(Clone, Copy)]
struct Room {
    low: f64,
    high: f64,
}

impl Room {
    /// Returns the range of the cells' values, extended by its width above and below; `None` if there are no values.
    fn of(comparison: &Comparison) -> Option<Self> {
        let groups = comparison.strata.iter().flat_map(|stratum| &stratum.groups);
        let values = groups.flat_map(Group::values);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (value.min(low), value.max(high))
        });
        let reach = high - low;
        (low <= high).then_some(Self {
            low: low - reach,
            high: high + reach,
        })
    }

    /// Returns the lengths of a mean's bar below and above the mean; `None` if the mean has no interval.
    fn bar(self, group: &Group) -> Option<(f64, f64)> {
        let (mean, interval) = (group.mean.value, group.mean.interval?);
        Some((mean - interval.low.max(self.low), interval.high.min(self.high) - mean))
    }
}

/// Returns the means, joined by a line, and their intervals.
fn line(
    run: &Run,
    comparison: &Comparison,
    stratum: &Stratum,
    (room, y): (Room, Span),
    n: usize,
    offset: f64,
) -> Vec<Plot> {
    let place = |group: &Group| (group.level as f64 + 1.0 + offset, y.place(group.mean.value));
    let means: Vec<(f64, f64)> = stratum.groups.iter().map(place).collect();
    // With two settings, the lines are the levels of the other one.
    let colour = match run.axes.len() {
        2 => of_level(&run.axes[1 - comparison.axis], stratum.others[1 - comparison.axis]),
        _ => colour(n),
    };
    let line = LinePlot::new()
        .with_data(means)
        .with_color(colour.clone())
        .with_stroke_width(1.5);
    let points = || {
        ScatterPlot::new()
            .with_color(colour.clone())
            .with_marker(marker(n))
            .with_size(5.0)
    };
    // A mean without an interval gets no bar: a bar of length zero would look like an exact value.
    let (barred, bare): (Vec<&Group>, Vec<&Group>) =
        stratum.groups.iter().partition(|group| group.mean.interval.is_some());
    let bars = barred.iter().filter_map(|group| {
        let (mean, (below, above)) = (group.mean.value, room.bar(group)?);
        let middle = y.place(mean);
        Some((middle - y.place(mean - below), y.place(mean + above) - middle))
    });
    let mut barred = points()
        .with_data(barred.iter().map(|group| place(group)))
        .with_y_err_asymmetric(bars);
    let bare = points().with_data(bare.iter().map(|group| place(group)));
    let others = (0..run.axes.len()).filter(|&other| other != comparison.axis);
    let words: Vec<String> = others
        .map(|other| run.axes[other].at_label(stratum.others[other]))
        .collect();
    if !words.is_empty() {
        barred = barred.with_legend(words.join(", "));
    }
    vec![Plot::Line(line), Plot::Scatter(barred), Plot::Scatter(bare)]
}
