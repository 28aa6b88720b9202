//! Test accuracy over the steps of the chosen cell, and training accuracy, fainter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::curves::{Line, Quantity, Spread, test_pen, train_pen};
use crate::tui::state::scene::Scene;
use crate::tui::words;

/// Draws the chart.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let Some(cell) = scene.cell() else { return };
    let (theme, curves, latest) = (scene.theme(), &cell.curves, &cell.latest);
    Quantity {
        name: "accuracy",
        say: |share| words::percent(Some(share)),
        lines: vec![
            Line::measured("test", &curves.test_accuracy, latest.test_accuracy, test_pen(theme)),
            Line::measured("train", &curves.train_accuracy, latest.train_accuracy, train_pen(theme)),
        ],
        compared: |cell| Some(&cell.curves.test_accuracy),
        spread: Spread::Shares,
        notes: Vec::new(),
    }
    .render(scene, cell, area, buffer);
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
