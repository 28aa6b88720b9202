//! Training and test loss over the steps of the chosen cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::curves::{Line, Quantity, Spread, test_pen, train_pen};
use crate::tui::plot::Scale;
use crate::tui::state::scene::Scene;
use crate::tui::words;

/// Draws the chart.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let Some(cell) = scene.cell() else { return };
    let (theme, curves, latest) = (scene.theme(), &cell.curves, &cell.latest);
    let scale = scene.view.loss_scale;
    let name = if scale == Scale::Linear { "linear" } else { "log" };
    let which = match cell.plan.setting("loss") {
        Some("SquaredError") => Some("½‖error‖²"),
        Some("CrossEntropy") => Some("cross-entropy"),
        _ => None,
    };
    // The axis first: it is what a key changes.
    let notes = [Some(format!(" {name} ")), which.map(|which| format!("· {which} "))];
    Quantity {
        name: "loss",
        say: |loss| words::value(loss, 3),
        lines: vec![
            Line::measured("test", &curves.test_loss, latest.test_loss, test_pen(theme)),
            Line::measured("train", &curves.train_loss, latest.train_loss, train_pen(theme)),
        ],
        compared: |cell| Some(&cell.curves.test_loss),
        spread: Spread::From(scale),
        notes: notes.into_iter().flatten().collect(),
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
