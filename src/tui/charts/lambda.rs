//! λ_max over the steps of the chosen cell, with its threshold. Cells that ended earlier are drawn behind it.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::event::{LambdaPoint, cell_name};
use crate::monitor::{Cell, Curve};

use super::curves::{Curves, Line, union};
use super::{measured, overlaid};
use crate::quantity::{LAMBDA, LAMBDA_MAX, Quantity, THRESHOLD};
use crate::tui::plot::{self, Axis, Marks, Pattern, Pen, Scale, Window};
use crate::tui::state::scene::Scene;
use crate::tui::words;

/// Maximum number of earlier cells that are drawn: among more curves, a single one cannot be recognized.
const MOST_PAST: usize = 24;

/// The threshold and earlier cells may stretch the axis to at most this many times the largest value of the cell
/// itself; more would flatten the curve of the cell.
const MOST_STRETCH: f64 = 4.0;

/// On a linear axis λ_max is shown up to this many times the threshold. Far above the threshold training diverges, and
/// one value of 10⁹ would flatten the whole history (a logarithmic axis shows it).
const MOST_ABOVE_THRESHOLD: f64 = 5.0;

/// From this width on, there is room for the whole title beside the legend.
const WIDE: u16 = 110;

/// The same if seeds are shown together, which takes more words.
const WIDE_TOGETHER: u16 = 140;

/// Draws the chart.
pub(super) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let Some(cell) = scene.cell() else { return };
    let probe = scene.probe(cell);
    let curve = cell.curves.of(&LAMBDA_MAX, probe);
    let others = overlaid::cells(scene);
    // The user must find the overlaid curves easily, so the other cells are not drawn with them.
    let is_one_cell = scene.view.together(scene.monitor).is_empty();
    let past = if others.is_empty() && is_one_cell {
        past(scene, probe)
    } else {
        Vec::new()
    };
    let overlaid: Vec<(Cow<Curve>, Pen)> = others
        .iter()
        .map(|(_, cell, pen)| (scene.across(cell, cell.curves.of(&LAMBDA_MAX, probe)), *pen))
        .collect();
    let pens = Pens::new(scene);
    let behind: Vec<(Cow<Curve>, Pen)> = past
        .iter()
        .map(|(cell, curve)| (scene.across(cell, curve), pens.past))
        .collect();
    let lambda = Line {
        marks: Marks::All,
        ..Line::measured(
            "λ_max",
            scene.across(cell, curve),
            cell.latest.of(&LAMBDA_MAX, probe),
            pens.lambda,
        )
    };
    let threshold = Line {
        // λ_max rises towards the threshold, so the threshold is drawn to the right end of the chart.
        holds: scene.monitor.state(scene.chosen()).can_be_aborted(),
        is_noisy: false,
        ..Line::measured(
            &cell.plan.threshold.formula,
            scene.across(cell, cell.curves.of(&THRESHOLD, probe)),
            cell.latest.first(&THRESHOLD),
            pens.threshold,
        )
    };
    let lambda = lambda.with_seeds(&LAMBDA_MAX, scene, cell);
    let threshold = threshold.with_seeds(&THRESHOLD, scene, cell);
    let rows = usize::from(area.height.saturating_sub(2));
    let beside: Vec<&Curve> = behind.iter().chain(&overlaid).map(|(curve, _)| &**curve).collect();
    let axis = axis(
        scene.view.lambda_scale,
        scene.window(),
        &lambda,
        &threshold.curve,
        &beside,
        rows,
    );
    let mut lines = vec![lambda, threshold];
    let further = further().map(|quantity| measured::line(quantity, scene, cell));
    lines.extend(further);
    Curves {
        title: title(scene, &pens, cell, &lines, area.width),
        legend: legend(scene, &pens, cell, &lines[0], &past),
        axis,
        lines,
        behind,
        overlaid,
    }
    .render(scene, cell, area, buffer);
}

/// Returns the other quantities that are declared for the chart of λ_max.
fn further() -> impl Iterator<Item = &'static Quantity> {
    let own = [LAMBDA_MAX.key, THRESHOLD.key];
    LAMBDA.quantities().filter(move |quantity| !own.contains(&quantity.key))
}

/// Returns the legend of everything on the chart except the curve and its threshold.
fn legend(scene: &Scene, pens: &Pens, cell: &Cell, lambda: &Line, past: &[(&Cell, &Curve)]) -> Vec<Vec<Span<'static>>> {
    let theme = scene.theme();
    let curve = &*lambda.curve;
    let mut legend = Vec::from_iter(lambda.seeds_legend(theme));
    if let Some(points) = scene.view.smoothing.points() {
        legend.push(plot::legend(pens.lambda, &format!("mean of {points}"), theme));
    }
    legend.extend(overlaid::legend(scene));
    let unconverged = |curve: &Curve| curve.buckets().iter().any(|bucket| bucket.unconverged);
    if unconverged(curve) || past.iter().any(|(_, curve)| unconverged(curve)) {
        legend.push(plot::mark_legend('○', "not converged", theme));
    }
    if curve.buckets().iter().any(|bucket| bucket.corrected) {
        legend.push(plot::mark_legend('▲', "corrected by audit", theme));
    }
    if curve.buckets().iter().any(|bucket| bucket.gap_after) {
        legend.push(plot::mark_legend('×', "before a gap", theme));
    }
    if !cell.rate_changes.is_empty() && lambda.together.is_none() {
        legend.push(plot::mark_legend('│', "η changed by hand", theme));
    }
    if !past.is_empty() {
        legend.push(plot::legend(pens.past, "other cells", theme));
    }
    legend
}

struct Pens {
    lambda: Pen,
    threshold: Pen,
    past: Pen,
}

impl Pens {
    fn new(scene: &Scene) -> Self {
        let theme = scene.theme();
        Self {
            lambda: Pen {
                style: theme.lambda,
                pattern: Pattern::Solid,
                ascii: '*',
            },
            threshold: Pen {
                style: theme.threshold,
                pattern: Pattern::Dotted,
                ascii: '-',
            },
            past: Pen {
                style: theme.past,
                pattern: Pattern::Faint,
                ascii: '.',
            },
        }
    }
}

fn past<'a>(scene: &Scene<'a>, probe: usize) -> Vec<(&'a Cell, &'a Curve)> {
    let chosen = scene.chosen();
    let others = scene
        .monitor
        .cells
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != chosen);
    // Whether runs of another program have ended is not known.
    let is_shown = |index: usize| scene.monitor.foreign.is_some() || !scene.monitor.turns.is_running(index);
    let ended = others.filter(|(index, _)| is_shown(*index));
    let curves: Vec<(&Cell, &Curve)> = ended
        .map(|(_, cell)| (cell, cell.curves.of(&LAMBDA_MAX, probe)))
        .filter(|(_, curve)| !curve.is_empty())
        .collect();
    curves[curves.len().saturating_sub(MOST_PAST)..].to_vec()
}

fn axis(scale: Scale, window: Window, lambda: &Line, threshold: &Curve, past: &[&Curve], rows: usize) -> Axis {
    let behind = past.iter().filter_map(|curve| window.range(curve)).reduce(union);
    let beside = [window.range(threshold), behind].into_iter().flatten().reduce(union);
    let (low, high) = match (lambda.range(window), beside) {
        (Some((low, high)), Some((_, beside))) if high > 0.0 => (low, high.max(beside.min(high * MOST_STRETCH))),
        (Some(range), _) | (None, Some(range)) => range,
        (None, None) => (0.0, 1.0),
    };
    // A large weight decay can make the threshold zero or negative. Such a threshold does not limit the axis.
    let most = window
        .range(threshold)
        .filter(|(_, threshold)| *threshold > 0.0)
        .map_or(f64::INFINITY, |(_, threshold)| threshold * MOST_ABOVE_THRESHOLD);
    let high = if scale == Scale::Linear && low < most {
        high.min(most)
    } else {
        high
    };
    // The axis starts at zero, unless all values lie close together and far above zero.
    let from_zero = scale == Scale::Linear && low > 0.0 && low < high * 0.8;
    Axis::new(scale, if from_zero { 0.0 } else { low }, high, rows)
}

fn title<'a>(scene: &Scene, pens: &Pens, cell: &Cell, lines: &[Line], width: u16) -> Vec<Span<'a>> {
    let theme = scene.theme();
    let probe = scene.probe(cell);
    let together = lines[0].together.as_ref();
    let name = theme.text("λ_max ").into_owned();
    let sample = pens.lambda.sample(theme.glyphs);
    let mut spans = vec![];
    if scene.view.pinned.is_some() && together.is_none() {
        spans.push(Span::styled(format!(" {}", cell_name(scene.chosen())), theme.strong));
    }
    spans.extend([
        Span::styled(format!(" {sample} "), theme.lambda),
        Span::styled(name, theme.strong.patch(theme.lambda)),
    ]);
    let lambda = cell.latest.lambda.get(probe).and_then(Option::as_ref);
    let curve = cell.curves.of(&LAMBDA_MAX, probe);
    let say = |value: f64| words::value(value, 3);
    if let Some(step) = scene.view.cursor {
        let at = format!("at step {}: ", words::count(step));
        spans.insert(0, Span::styled(format!(" {}", theme.text(at)), theme.key));
    }
    match lambda {
        _ if scene.view.cursor.is_some() || together.is_some() => {
            let there = together.map_or_else(|| scene.at_cursor(curve, say, None), |together| together.said(say));
            spans.push(Span::styled(theme.text(there).into_owned(), theme.strong));
        }
        Some(lambda) => {
            spans.push(Span::styled(theme.text(value_words(lambda)).into_owned(), theme.strong));
            if !lambda.lambda_max.is_finite() {
                spans.push(Span::styled(" not finite", theme.warning));
            } else if !lambda.lambda_converged {
                spans.push(Span::styled(" not converged", theme.warning));
            }
        }
        None => spans.push(Span::raw(theme.text("–").into_owned())),
    }
    if let Some(threshold) = cell.latest.first(&THRESHOLD) {
        spans.push(plot::current(
            pens.threshold,
            &cell.plan.threshold.formula,
            &lines[1].together.as_ref().map_or_else(
                || scene.at_cursor(cell.curves.of(&THRESHOLD, probe), say, Some(threshold)),
                |together| together.mean_said(say),
            ),
            theme,
        ));
        if cell.is_unstable_at_zero() && scene.view.cursor.is_none() {
            spans.push(Span::styled(" below 0", theme.warning));
        }
    }
    for (quantity, line) in further().zip(&lines[2..]) {
        spans.push(measured::current(quantity, line, scene, cell, true));
    }
    let on = match (lambda, cell.plan.probes.get(probe)) {
        (Some(lambda), _) if !lambda.lambda_on.is_empty() => lambda.lambda_on.clone(),
        (_, Some(planned)) => planned.clone(),
        _ => String::new(),
    };
    // A small screen names the overlaid curves instead of the probe.
    let is_compared = !scene.view.overlaid.is_empty() || scene.view.smoothing.points().is_some();
    let is_crowded = match together {
        Some(_) => width < WIDE_TOGETHER,
        None => width < WIDE && is_compared,
    };
    if is_crowded {
        spans.push(Span::raw(" "));
        return spans;
    }
    // The files of another program may not name the probe.
    if !on.is_empty() {
        spans.push(Span::styled(theme.text(format!(" · {on}")).into_owned(), theme.dim));
    }
    if cell.plan.probes.len() > 1 {
        spans.push(Span::styled(
            format!(" ({} of {})", probe + 1, cell.plan.probes.len()),
            theme.dim,
        ));
    }
    if scene.view.lambda_scale == Scale::Logarithmic {
        spans.push(Span::styled(theme.text(" · log").into_owned(), theme.dim));
    }
    spans.push(Span::raw(" "));
    spans
}

fn value_words(lambda: &LambdaPoint) -> String {
    let value = words::value(lambda.lambda_max, 3);
    if lambda.lambda_max.is_finite() && lambda.lambda_residual.is_finite() {
        format!("{value} ± {}", words::value(lambda.lambda_residual, 1))
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;

    #[test]
    fn on_a_small_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (80, 9)));
    }

    #[test]
    fn on_a_larger_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (120, 15)));
    }

    #[test]
    fn a_value_that_did_not_converge_is_never_shown_unmarked() {
        let mut fixture = Fixture::half_way();
        let mut point = crate::tui::fixture::script::point(2, 725, 0);
        let lambda = point.lambda.as_mut().unwrap();
        (lambda.lambda_converged, lambda.lambda_residual) = (false, 6.0);
        let before = fixture.drawn(render, (120, 15)).matches('○').count();
        fixture.measure(2, point);
        let drawn = fixture.drawn(render, (120, 15));
        assert!(drawn.contains("± 6 not converged"), "{drawn}");
        assert_eq!(drawn.matches('○').count(), before + 1, "{drawn}");
    }

    #[test]
    fn what_did_not_converge_in_a_cell_that_lies_behind_is_marked_too() {
        let mut fixture = Fixture::half_way();
        let mut point = crate::tui::fixture::script::point(1, 1_000, 0);
        point.lambda.as_mut().unwrap().lambda_converged = false;
        let before = fixture.drawn(render, (120, 15)).matches('○').count();
        fixture.measure(1, point);
        let drawn = fixture.drawn(render, (120, 15));
        assert_eq!(drawn.matches('○').count(), before + 1, "{drawn}");
    }

    #[test]
    fn a_diverging_curve_with_not_a_number_at_its_end_still_has_a_readable_axis() {
        let mut fixture = Fixture::half_way();
        for (step, lambda_max) in [(725, 1e9), (730, f64::NAN), (735, f64::INFINITY)] {
            let mut point = crate::tui::fixture::script::point(2, step, 0);
            point.lambda.as_mut().unwrap().lambda_max = lambda_max;
            fixture.measure(2, point);
        }
        insta::assert_snapshot!(fixture.drawn(render, (80, 9)));
    }

    #[test]
    fn a_value_that_could_not_be_had_is_said_and_its_gap_is_marked() {
        let mut fixture = Fixture::half_way();
        let mut point = crate::tui::fixture::script::point(2, 725, 0);
        let lambda = point.lambda.as_mut().unwrap();
        (lambda.lambda_max, lambda.lambda_residual, lambda.lambda_converged) = (f64::NAN, f64::NAN, false);
        fixture.measure(2, point);
        let drawn = fixture.drawn(render, (120, 15));
        assert!(drawn.contains("– not finite") && !drawn.contains("NaN"), "{drawn}");
        assert_eq!(drawn.matches('×').count(), 1, "{drawn}");
        let wide = fixture.drawn(render, (160, 15));
        assert!(wide.contains("× before a gap"), "{wide}");
    }

    #[test]
    fn the_other_probe_and_a_logarithmic_axis_are_said_in_the_title() {
        let mut fixture = Fixture::half_way();
        (fixture.view.probe, fixture.view.lambda_scale) = (1, Scale::Logarithmic);
        insta::assert_snapshot!(fixture.drawn(render, (80, 9)));
    }

    #[test]
    fn a_threshold_below_zero_is_said_and_leaves_the_axis_alone() {
        let mut fixture = Fixture::half_way();
        for (step, lambda_max) in [(725, -30.0), (730, 20.0)] {
            let mut point = crate::tui::fixture::script::point(2, step, 0).with(THRESHOLD.key, -5.0);
            point.lambda.as_mut().unwrap().lambda_max = lambda_max;
            fixture.measure(2, point);
        }
        fixture.view.zoom = crate::tui::state::zoom::Zoom::Fixed(Window { from: 722, to: 732 });
        let drawn = fixture.drawn(render, (120, 15));
        assert!(drawn.contains("2/η -5.00 below 0"), "{drawn}");
        assert!(drawn.contains(" 20 ┤"), "{drawn}");
    }

    #[test]
    fn a_cell_without_a_measurement_says_so() {
        let mut fixture = Fixture::half_way();
        fixture.monitor.cells.truncate(1);
        fixture.monitor.cells[0].curves = crate::monitor::Curves::default();
        assert!(fixture.drawn(render, (80, 9)).contains("nothing measured yet"));
    }
}
