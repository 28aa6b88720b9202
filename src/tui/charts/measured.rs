//! A chart of quantities over the steps of the chosen cell, built from the declarations of the quantities.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::curves::{Curves, Line, Spread};
use super::overlaid;
use crate::monitor::{Cell, Curve};
use crate::quantity::{self, Chart, Quantity};
use crate::tui::plot::{self, Marks, Pattern, Pen, Scale};
use crate::tui::state::scene::Scene;
use crate::tui::theme::Theme;
use crate::tui::words;

/// Draws the chart.
pub(super) fn render(scene: &Scene, chart: &Chart, spread: Spread, area: Rect, buffer: &mut Buffer) {
    let Some(cell) = scene.cell() else { return };
    let theme = scene.theme();
    let probe = scene.probe(cell);
    // The main line comes first, because it is drawn on top.
    let mut quantities: Vec<&Quantity> = chart.quantities().collect();
    quantities.extend(chart.also);
    quantities.sort_by_key(|quantity| (quantity.chart != chart, quantity.line));
    // Of a family and of other charts, only what was measured: an adaptive optimizer has no threshold of λ_max.
    quantities.retain(|quantity| {
        let is_own = quantity.chart == chart && quantity.line != quantity::Line::Family;
        is_own || cell.latest.of(quantity, probe).is_some()
    });
    let lines: Vec<Line> = quantities.iter().map(|quantity| line(quantity, scene, cell)).collect();
    let mut title = vec![
        Span::raw(" "),
        Span::styled(theme.text(chart.title).into_owned(), theme.strong),
    ];
    let values = |with_range| {
        let all = lines.iter().zip(&quantities);
        all.map(move |(line, quantity)| current(quantity, line, scene, cell, with_range))
    };
    // The ranges over the seeds are left out if some mean would have no room.
    let needed: usize = title.iter().cloned().chain(values(true)).map(|span| span.width()).sum();
    title.extend(values(needed < usize::from(area.width)));
    title.push(Span::raw(" "));
    let notes = notes(scene, cell, chart, spread).into_iter();
    let notes = notes.map(|words| vec![Span::styled(theme.text(words).into_owned(), theme.dim)]);
    let legend = lines
        .first()
        .and_then(|line| line.seeds_legend(theme))
        .into_iter()
        .chain(notes);
    let overlaid: Vec<(Cow<Curve>, Pen)> = overlaid::cells(scene)
        .into_iter()
        .filter_map(|(_, cell, pen)| Some((scene.across(cell, cell.curves.of(quantities.first()?, probe)), pen)))
        .collect();
    let rows = usize::from(area.height.saturating_sub(2));
    Curves {
        title,
        legend: legend.collect(),
        axis: spread.axis(&lines, &overlaid, scene.window(), rows),
        lines,
        behind: Vec::new(),
        overlaid,
    }
    .render(scene, cell, area, buffer);
}

/// Returns a quantity of the chosen cell as a line.
pub(super) fn line<'a>(quantity: &'static Quantity, scene: &Scene, cell: &'a Cell) -> Line<'a> {
    let probe = scene.probe(cell);
    let marks = match quantity.uncertainty {
        quantity::Uncertainty::None | quantity::Uncertainty::StandardError { .. } => Marks::None,
        quantity::Uncertainty::Residual { .. } => Marks::Unconverged,
    };
    let line = Line {
        marks,
        is_noisy: quantity.line != quantity::Line::Limit,
        ..Line::measured(
            if [&quantity::THRESHOLD, &quantity::PRECONDITIONED_THRESHOLD].contains(&quantity) {
                &cell.plan.threshold.formula
            } else {
                quantity.on_chart
            },
            scene.across(cell, cell.curves.of(quantity, probe)),
            cell.latest.of(quantity, probe),
            pen(quantity, scene.theme()),
        )
    };
    line.with_seeds(quantity, scene, cell)
}

/// Returns a line for a title, with its value at the cursor, or its last value if there is no cursor. For seeds together
/// this is their mean; at the cursor and `with_range`, also their smallest and largest value.
pub(super) fn current<'a>(quantity: &Quantity, line: &Line, scene: &Scene, cell: &Cell, with_range: bool) -> Span<'a> {
    let curve = cell.curves.of(quantity, scene.probe(cell));
    let say = |value| words::value_of(quantity, value);
    let value = match &line.together {
        Some(together) if with_range && scene.view.cursor.is_some() => together.said(say),
        Some(together) => together.mean_said(say),
        None => scene.at_cursor(curve, say, line.latest),
    };
    plot::current(line.pen, line.label, &value, scene.theme())
}

/// Returns the pen of a quantity, which is the same in every chart.
fn pen(quantity: &Quantity, theme: &Theme) -> Pen {
    // λ_max is the main line of its own chart only, which has its own drawing rules.
    if *quantity == quantity::LAMBDA_MAX {
        return Pen {
            style: theme.lambda,
            pattern: Pattern::Dashed,
            ascii: '~',
        };
    }
    let (style, pattern, ascii) = match quantity.line {
        quantity::Line::Main => (theme.test, Pattern::Solid, '*'),
        quantity::Line::Second => (theme.train, Pattern::Dashed, '+'),
        quantity::Line::Third => (theme.good, Pattern::Faint, 'o'),
        quantity::Line::Family => return of_family(quantity, theme),
        quantity::Line::Limit => (theme.threshold, Pattern::Dotted, '-'),
    };
    Pen { style, pattern, ascii }
}

/// Returns the pen of one of a family of curves: the colours are used in turn, and its last character tells it in ASCII.
fn of_family(quantity: &Quantity, theme: &Theme) -> Pen {
    let colours = [theme.lambda, theme.test, theme.train, theme.good, theme.warning];
    let place = quantity
        .chart
        .quantities()
        .position(|other| other == quantity)
        .unwrap_or(0);
    Pen {
        style: colours[place % colours.len()],
        pattern: Pattern::Solid,
        ascii: quantity.on_chart.chars().last().unwrap_or('*'),
    }
}

/// Returns the notes on the right of the title, the most important one first: a narrow chart shows only this one.
fn notes(scene: &Scene, cell: &Cell, chart: &Chart, spread: Spread) -> Vec<String> {
    let axis = match spread {
        Spread::Shares | Spread::Any => None,
        // The scale comes first, because a key changes it.
        Spread::From(Scale::Linear) => Some(" linear ".to_owned()),
        Spread::From(Scale::Logarithmic) => Some(" log ".to_owned()),
    };
    let loss = match cell.plan.setting("loss").filter(|_| *chart == quantity::LOSS) {
        Some("SquaredError") => Some("· ½‖error‖² "),
        Some("CrossEntropy") => Some("· cross-entropy "),
        _ => None,
    };
    let has_probes = chart
        .quantities()
        .any(|quantity| quantity.subject == quantity::Subject::Probe);
    let on = cell.plan.probes.get(scene.probe(cell)).filter(|_| has_probes);
    let on = on.map(|on| format!("· {on} "));
    [axis, loss.map(str::to_owned), on].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::{ACCURACY, LOSS, TEST_LOSS, TRAIN_LOSS};
    use crate::tui::fixture::Fixture;

    fn losses(scene: &Scene, area: Rect, buffer: &mut Buffer) {
        crate::tui::charts::render(scene, &LOSS, area, buffer);
    }

    fn accuracies(scene: &Scene, area: Rect, buffer: &mut Buffer) {
        crate::tui::charts::render(scene, &ACCURACY, area, buffer);
    }

    #[test]
    fn losses_on_a_small_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(losses, (39, 7)));
    }

    #[test]
    fn losses_on_a_larger_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(losses, (59, 12)));
    }

    #[test]
    fn accuracies_on_a_small_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(accuracies, (39, 7)));
    }

    #[test]
    fn accuracies_on_a_larger_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(accuracies, (59, 12)));
    }

    #[test]
    fn on_a_linear_axis_a_loss_that_explodes_does_not_flatten_what_went_before() {
        let mut fixture = Fixture::half_way();
        fixture.view.loss_scale = Scale::Linear;
        let point = crate::tui::fixture::script::point(2, 725, 0)
            .with(TRAIN_LOSS.key, 1e12)
            .with(TEST_LOSS.key, f64::INFINITY);
        fixture.measure(2, point);
        insta::assert_snapshot!(fixture.drawn(losses, (59, 12)));
    }

    #[test]
    fn a_loss_of_zero_is_left_out_of_a_logarithmic_axis() {
        let mut fixture = Fixture::half_way();
        fixture.measure(
            2,
            crate::tui::fixture::script::point(2, 725, 0).with(TRAIN_LOSS.key, 0.0),
        );
        assert!(fixture.drawn(losses, (59, 12)).contains("train 0 "));
    }

    #[test]
    fn a_quantity_of_another_chart_is_drawn_only_where_it_was_measured() {
        let mut fixture = Fixture::half_way();
        let point = crate::tui::fixture::script::point(2, 725, 0).with(quantity::EIGENVALUES[0].key, 30.0);
        fixture.measure(2, point);
        let family = |scene: &Scene, area: Rect, buffer: &mut Buffer| {
            crate::tui::charts::render(scene, &quantity::EIGENVALUES_CHART, area, buffer);
        };
        let drawn = fixture.drawn(family, (79, 12));
        assert!(
            drawn.contains("1 30.0") && drawn.contains("2/η") && !drawn.contains(" 2 "),
            "{drawn}"
        );
        // An adaptive optimizer has no threshold of λ_max, only one of preconditioned sharpness.
        let cell = &mut fixture.monitor.cells[2];
        cell.plan.threshold.formula = "38/η".into();
        cell.latest = crate::monitor::Latest::default();
        cell.latest.set(&quantity::EIGENVALUES[0], 0, 30.0);
        let drawn = fixture.drawn(family, (79, 12));
        assert!(drawn.contains("1 30.0") && !drawn.contains("38/η"), "{drawn}");
    }

    #[test]
    fn a_quantity_alone_on_its_chart_has_a_chart_like_any_other() {
        let mut fixture = Fixture::half_way();
        for step in [725, 730, 735] {
            let point = crate::tui::fixture::script::point(2, step, 0);
            let norm = if step == 730 { f64::NAN } else { step as f64 };
            fixture.measure(2, point.with(quantity::GRADIENT_NORM.key, norm));
        }
        let gradient = |scene: &Scene, area: Rect, buffer: &mut Buffer| {
            crate::tui::charts::render(scene, &quantity::GRADIENT, area, buffer);
        };
        let drawn = fixture.drawn(gradient, (59, 12));
        assert!(
            drawn.contains("gradient norm") && drawn.contains("735") && !drawn.contains("NaN"),
            "{drawn}"
        );
        let product = |scene: &Scene, area: Rect, buffer: &mut Buffer| {
            crate::tui::charts::render(scene, &quantity::PRODUCT, area, buffer);
        };
        let drawn = fixture.drawn(product, (59, 12));
        assert!(drawn.contains("time per HVP"), "{drawn}");
    }
}
