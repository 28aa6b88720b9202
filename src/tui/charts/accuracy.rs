//! Test accuracy over the steps of the chosen cell, and training accuracy, fainter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::loss::pens;
use super::overlaid;
use super::smooth::Smooth;
use crate::tui::plot::{self, Axis, Chart};
use crate::tui::state::scene::Scene;
use crate::tui::words;

/// Draws the chart.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let Some(cell) = scene.cell() else { return };
    let window = scene.view.window(scene.monitor);
    let (test, train) = (&cell.curves.test_accuracy, &cell.curves.train_accuracy);
    let (test_pen, train_pen) = pens(scene);
    let title = vec![
        Span::raw(" "),
        Span::styled("accuracy", theme.strong),
        plot::current(
            test_pen,
            "test",
            &scene.at_cursor(test, |value| words::percent(Some(value)), cell.latest.test_accuracy),
            theme,
        ),
        plot::current(
            train_pen,
            "train",
            &scene.at_cursor(train, |value| words::percent(Some(value)), cell.latest.train_accuracy),
            theme,
        ),
        Span::raw(" "),
    ];
    let overlaid = overlaid::cells(scene);
    let smooth = Smooth::of(scene, test, train);
    let beside = overlaid
        .iter()
        .filter_map(|(_, cell, _)| window.range(&cell.curves.test_accuracy));
    let lowest = [window.range(test), window.range(train)]
        .into_iter()
        .flatten()
        .chain(beside)
        .map(|(low, _)| low)
        .reduce(f64::min);
    let axis = Axis::percentages(
        lowest.unwrap_or(0.0).clamp(0.0, 0.99),
        usize::from(area.height.saturating_sub(2)),
    );
    Chart {
        title,
        legend: vec![],
        series: smooth.over(
            overlaid.iter().map(|(_, cell, pen)| (&cell.curves.test_accuracy, *pen)),
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
}
