//! The whole screen: which panel is drawn where, depending on the size of the window.
//!
//! ```text
//! header                                │ header
//! λ_max                                 │ λ_max                  │ cell 3
//! loss            │ accuracy            │ loss     │ accuracy    │ (from 150 columns)
//!     (or the scatter of all cells)     │                        │
//! cells                                 │ cells                  │
//! footer                                │ footer
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};

use crate::tui::charts::{self, scatter, sweep};
use crate::tui::overlays::{glossary, help, palette, question, rate, welcome};
use crate::tui::panels::{detail, footer, header, log, queue};
use crate::tui::state::parts::{Part, SMALLEST, has_side, parts};
use crate::tui::state::scene::Scene;
use crate::tui::state::view::Overlay;
use crate::tui::theme::Glyphs;
use crate::tui::theme::panel;

/// Draws everything.
pub fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let parts = parts(scene.view, scene.monitor, area);
    if parts.is_empty() {
        too_small(area, buffer);
        return;
    }
    for (part, area) in parts {
        let draw = match part {
            Part::Chart(chart) => {
                charts::render(scene, chart, area, buffer);
                continue;
            }
            Part::Header => header::render,
            Part::Scatter => scatter::render,
            Part::Settings => sweep::render,
            Part::Table => queue::render,
            Part::Log => log::render,
            Part::Details => detail::render,
            Part::Footer => footer::render,
        };
        draw(scene, area, buffer);
    }
    if scene.monitor.cells.is_empty() {
        let words = scene.theme().text("waiting for the sweep to start…");
        let middle = Rect {
            y: area.height / 2,
            height: 1,
            ..area
        };
        Line::styled(words, scene.theme().dim).centered().render(middle, buffer);
    }
    match &scene.view.overlay {
        Some(Overlay::Help) => help::render(scene, area, buffer),
        Some(Overlay::Details) if !has_side(area) => detail::render_overlay(scene, area, buffer),
        Some(Overlay::Question(asked)) => question::render(scene, *asked, area, buffer),
        Some(Overlay::Withdrawn(words)) => question::render_withdrawn(scene, words, area, buffer),
        Some(Overlay::Rate(prompt)) => rate::render(scene, prompt, area, buffer),
        Some(Overlay::Palette(palette)) => palette::render(scene, palette, area, buffer),
        Some(Overlay::Welcome) => welcome::render(scene, area, buffer),
        Some(Overlay::Glossary) => glossary::render(scene, area, buffer),
        _ => {}
    }
    if scene.theme().glyphs == Glyphs::Ascii {
        panel::keep_ascii(buffer);
    }
}

fn too_small(area: Rect, buffer: &mut Buffer) {
    let lines = vec![
        Line::raw(format!("This window is {} x {}.", area.width, area.height)),
        Line::raw(format!("The screen needs {} x {}.", SMALLEST.0, SMALLEST.1)),
        Line::raw("Training goes on; q quits."),
    ];
    let height = 3.min(area.height);
    let middle = area.centered_vertically(Constraint::Length(height));
    Paragraph::new(lines).centered().render(middle, buffer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Point, PreconditionedPoint};
    use crate::tui::fixture::Fixture;
    use crate::tui::plot::Window;
    use crate::tui::state::view::Question;
    use crate::tui::state::zoom::Zoom;

    #[test]
    fn the_scatter_takes_the_place_of_loss_and_accuracy() {
        let mut fixture = Fixture::half_way();
        fixture.view.scatter = Some(0);
        insta::assert_snapshot!(fixture.drawn(render, (120, 40)));
    }

    #[test]
    fn a_cell_with_an_adaptive_optimizer_has_the_chart_of_its_threshold_above() {
        let mut fixture = Fixture::half_way();
        let threshold = &mut fixture.monitor.cells[2].plan.threshold;
        (threshold.formula, threshold.is_preconditioned) = ("38/η".into(), true);
        for step in (725..=760).step_by(5) {
            let point = crate::tui::fixture::script::point(2, step, 0);
            let preconditioned_sharpness = 38_000.0 - 300.0 * (760.0 - step as f64);
            let point = Point {
                preconditioned: Some(PreconditionedPoint {
                    preconditioned_sharpness,
                    preconditioned_converged: true,
                    ..PreconditionedPoint::default()
                }),
                ..point.with("preconditioned_threshold", 38_000.0)
            };
            fixture.measure(2, point);
        }
        insta::assert_snapshot!(fixture.drawn(render, (80, 24)));
        insta::assert_snapshot!(fixture.drawn(render, (120, 40)));
    }

    #[test]
    fn without_utf8_there_is_nothing_but_ascii() {
        let mut fixture = Fixture::ascii();
        insta::assert_snapshot!(fixture.drawn(render, (80, 24)));
        fixture.monitor.name = "schärfe".into();
        for overlay in [Overlay::Help, Overlay::Details, Overlay::Question(Question::Quit)] {
            fixture.view.overlay = Some(overlay.clone());
            for size in [(80, 24), (120, 40), (200, 60)] {
                let drawn = fixture.drawn(render, size);
                assert!(drawn.is_ascii(), "{overlay:?} at {size:?}: {drawn}");
            }
        }
    }

    #[test]
    fn at_the_cursor_every_curve_is_read_out_within_the_steps_that_are_shown() {
        let mut fixture = Fixture::half_way();
        fixture.view.cursor = Some(402);
        fixture.view.zoom = Zoom::Fixed(Window { from: 300, to: 600 });
        insta::assert_snapshot!(fixture.drawn(render, (80, 24)));
    }

    #[test]
    fn smoothed_curves_lie_over_the_points_and_cells_over_the_charts() {
        let mut fixture = Fixture::half_way();
        fixture.view.smoothing = crate::tui::Smoothing::Strong;
        fixture.view.overlaid = vec![0, 1, 2];
        insta::assert_snapshot!(fixture.drawn(render, (120, 40)));
        let small = fixture.drawn(render, (80, 24));
        assert!(small.contains("0: 0.1 tanh"), "{small}");
        fixture.view.theme = Fixture::ascii().view.theme;
        assert!(fixture.drawn(render, (120, 40)).is_ascii());
    }

    #[test]
    fn several_cells_that_run_at_once_are_told_apart() {
        let mut fixture = Fixture::three_at_once();
        insta::assert_snapshot!(fixture.drawn(render, (80, 24)));
        insta::assert_snapshot!(fixture.drawn(render, (120, 40)));
        fixture.view.theme = Fixture::ascii().view.theme;
        assert!(fixture.drawn(render, (120, 40)).is_ascii());
        fixture.view.theme = Fixture::half_way().view.theme;
        fixture.view.pinned = Some(3);
        let drawn = fixture.drawn(render, (120, 40));
        for words in [
            "cell 3: paused · step 95 of 1 000 · paused for 1m 01s",
            "looking at cell 3 · Enter follows cell 2",
        ] {
            assert!(drawn.contains(words), "{words}: {drawn}");
        }
    }

    #[test]
    fn where_there_is_room_every_value_has_a_bar_of_its_residual() {
        let mut fixture = Fixture::half_way();
        fixture.view.zoom = Zoom::Fixed(Window { from: 300, to: 360 });
        fixture.view.lambda_scale = crate::tui::Scale::Logarithmic;
        insta::assert_snapshot!(fixture.drawn(render, (120, 40)));
    }

    #[test]
    fn long_names_and_wide_characters_break_no_row() {
        let mut fixture = Fixture::half_way();
        fixture.monitor.name = "鋭さと汎化".repeat(12);
        fixture.monitor.run_dir = "実行/".repeat(40).into();
        fixture.monitor.device = "装置".repeat(30);
        for cell in &mut fixture.monitor.cells {
            cell.plan.swept[1].1 = "活性化関数".repeat(8);
            cell.plan.settings.retain(|(name, _)| name != "activation");
        }
        fixture.monitor.know_settings();
        for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
            let drawn = fixture.drawn(render, size);
            for words in ["cell 2", "step 720 of 1 000", "39.2 ± 0.08", "running"] {
                assert!(drawn.contains(words), "{words} at {size:?}: {drawn}");
            }
        }
    }

    #[test]
    fn too_small_a_window_says_how_large_it_has_to_be() {
        let drawn = Fixture::half_way().drawn(render, (59, 20));
        assert!(
            drawn.contains("This window is 59 x 20.") && drawn.contains("The screen needs 60 x 16."),
            "{drawn}"
        );
    }

    #[test]
    fn no_size_panics_whatever_is_shown() {
        for fixture in [Fixture::half_way(), Fixture::three_at_once()] {
            at_every_size(fixture);
        }
    }

    fn at_every_size(mut fixture: Fixture) {
        for overlay in [
            None,
            Some(Overlay::Help),
            Some(Overlay::Details),
            Some(Overlay::Question(Question::Abort(0))),
            Some(Overlay::Question(Question::Quit)),
        ] {
            fixture.view.overlay = overlay;
            fixture.view.scatter = fixture.view.scatter.xor(Some(0));
            for size in [
                (1, 1),
                (3, 60),
                (200, 2),
                (79, 24),
                (80, 24),
                (81, 25),
                (149, 29),
                (150, 30),
                (500, 200),
            ] {
                assert!(!fixture.drawn(render, size).is_empty());
            }
        }
    }

    #[test]
    fn before_the_first_event_the_screen_waits() {
        let mut fixture = Fixture::half_way();
        fixture.monitor = crate::monitor::Monitor::default();
        assert!(
            fixture
                .drawn(render, (80, 24))
                .contains("waiting for the sweep to start…")
        );
    }
}
