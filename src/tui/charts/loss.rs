//! Training and test loss over the steps of the chosen cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::overlaid;
use super::smooth::Smooth;
use crate::tui::plot::{self, Axis, Chart, Pattern, Pen, Scale};
use crate::tui::state::scene::Scene;
use crate::tui::words;

/// A diverging loss would flatten all that went before: on a linear axis the top is at most this many times the first value.
const MOST_STRETCH: f64 = 4.0;

/// Draws the chart.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let Some(cell) = scene.cell() else { return };
    let window = scene.view.window(scene.monitor);
    let (test, train) = (&cell.curves.test_loss, &cell.curves.train_loss);
    let (test_pen, train_pen) = pens(scene);
    let title = vec![
        Span::raw(" "),
        Span::styled("loss", theme.strong),
        plot::current(
            test_pen,
            "test",
            &scene.at_cursor(test, |value| words::value(value, 3), cell.latest.test_loss),
            theme,
        ),
        plot::current(
            train_pen,
            "train",
            &scene.at_cursor(train, |value| words::value(value, 3), cell.latest.train_loss),
            theme,
        ),
        Span::raw(" "),
    ];

    let overlaid = overlaid::cells(scene);
    let smooth = Smooth::of(scene, test, train);
    let beside = overlaid
        .iter()
        .filter_map(|(_, cell, _)| window.range(&cell.curves.test_loss));
    let ranges = [window.range(test), window.range(train)]
        .into_iter()
        .flatten()
        .chain(beside);
    let (low, mut high) = ranges
        .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
        .unwrap_or((0.0, 1.0));
    let scale = scene.view.loss_scale;
    let first = [test, train]
        .into_iter()
        .filter_map(|curve| curve.buckets().first())
        .map(|bucket| bucket.first);
    if let Some(first) = first
        .reduce(f64::max)
        .filter(|first| scale == Scale::Linear && *first > 0.0)
    {
        high = high.min(first * MOST_STRETCH);
    }
    let low = if scale == Scale::Linear {
        low.min(0.0)
    } else {
        smallest_positive(low, high)
    };
    let axis = Axis::new(scale, low, high, usize::from(area.height.saturating_sub(2)));
    let name = if scale == Scale::Linear { "linear" } else { "log" };
    let which = cell
        .plan
        .settings
        .iter()
        .find(|(setting, _)| setting == "loss")
        .map(|(_, value)| value.as_str());
    let which = match which {
        Some("SquaredError") => Some("½‖error‖²"),
        Some("CrossEntropy") => Some("cross-entropy"),
        _ => None,
    };
    // The axis first: where there is room for one of them only, it is what a key changes.
    let entry = |words: String| vec![Span::styled(theme.text(words).into_owned(), theme.dim)];
    let legend: Vec<Vec<Span>> = [Some(format!(" {name} ")), which.map(|which| format!("· {which} "))]
        .into_iter()
        .flatten()
        .map(entry)
        .collect();
    Chart {
        title,
        legend,
        series: smooth.over(
            overlaid.iter().map(|(_, cell, pen)| (&cell.curves.test_loss, *pen)),
            (test, test_pen),
            (train, train_pen),
        ),
        axis,
        window,
        cursor: scene.view.cursor,
        changes: cell.changes(),
        steps_per_epoch: cell.plan.steps_per_epoch,
    }
    .render(area, buffer, theme);
}

/// The pens of test and training set, the same for loss and accuracy.
pub(in crate::tui) fn pens(scene: &Scene) -> (Pen, Pen) {
    let theme = scene.theme();
    (
        Pen {
            style: theme.test,
            pattern: Pattern::Solid,
            ascii: '*',
        },
        Pen {
            style: theme.train,
            pattern: Pattern::Dashed,
            ascii: '+',
        },
    )
}

/// A loss of exactly zero has no logarithm; the axis then spans six decades.
fn smallest_positive(low: f64, high: f64) -> f64 {
    if low > 0.0 { low } else { high * 1e-6 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;

    #[test]
    fn on_a_small_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (39, 7)));
    }

    #[test]
    fn on_a_larger_screen() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (59, 12)));
    }

    #[test]
    fn on_a_linear_axis_a_loss_that_explodes_does_not_flatten_what_went_before() {
        let mut fixture = Fixture::half_way();
        fixture.view.loss_scale = Scale::Linear;
        let mut point = crate::tui::fixture::script::point(2, 725, 0);
        (point.train_loss, point.test_loss) = (Some(1e12), Some(f64::INFINITY));
        let measured = crate::event::Event::Measured {
            cell: 2,
            point: Box::new(point),
        };
        fixture.monitor.apply(measured, fixture.start);
        insta::assert_snapshot!(fixture.drawn(render, (59, 12)));
    }

    #[test]
    fn a_loss_of_zero_is_left_out_of_a_logarithmic_axis() {
        let mut fixture = Fixture::half_way();
        let mut point = crate::tui::fixture::script::point(2, 725, 0);
        point.train_loss = Some(0.0);
        let measured = crate::event::Event::Measured {
            cell: 2,
            point: Box::new(point),
        };
        fixture.monitor.apply(measured, fixture.start);
        assert!(fixture.drawn(render, (59, 12)).contains("train 0 "));
    }
}
