//! The whole screen: which panel goes where at which size.
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
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};

use super::page::Page;
use super::scene::Scene;
use super::theme::Glyphs;
use super::view::Overlay;
use super::{
    accuracy_chart, detail, footer, glossary, header, help, lambda_chart, log, loss_chart, palette, panel, question,
    queue, rate, scatter, sweep_page,
};

/// The least that the panels need.
pub const SMALLEST: (u16, u16) = (60, 16);

/// Below this there is room for one chart and the chosen cell.
const ROOMY: (u16, u16) = (80, 24);

/// From this width the settings of the cell stand beside the charts.
const WIDE: u16 = 150;

/// From this height a notice has a line to itself.
const TALL: u16 = 30;

/// Draws everything.
pub fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(area, buffer);
        return;
    }
    // What went wrong stays readable on a small screen, too.
    let footer_height = if area.height >= TALL || scene.monitor.has_failed() {
        2
    } else {
        1
    };
    let [top, middle, bottom] = area.layout(&Layout::vertical([
        Constraint::Length(2),
        Constraint::Min(0),
        Constraint::Length(footer_height),
    ]));
    header::render(scene, top, buffer);
    if scene.monitor.cells.is_empty() {
        let words = scene.theme().text("waiting for the sweep to start…");
        Line::styled(words, scene.theme().dim).centered().render(
            Rect {
                y: area.height / 2,
                height: 1,
                ..area
            },
            buffer,
        );
    } else {
        panels(scene, middle, buffer);
    }
    footer::render(scene, bottom, buffer);
    match &scene.view.overlay {
        Some(Overlay::Help) => help::render(scene, area, buffer),
        Some(Overlay::Details) if !has_side(area) => detail::render_overlay(scene, area, buffer),
        Some(Overlay::Question(asked)) => question::render(scene, *asked, area, buffer),
        Some(Overlay::Rate(prompt)) => rate::render(scene, prompt, area, buffer),
        Some(Overlay::Palette(palette)) => palette::render(scene, palette, area, buffer),
        Some(Overlay::Glossary) => glossary::render(scene, area, buffer),
        _ => {}
    }
    if scene.theme().glyphs == Glyphs::Ascii {
        panel::keep_ascii(buffer);
    }
}

fn has_side(area: Rect) -> bool {
    area.width >= WIDE
}

fn panels(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    if scene.view.page == Page::Log {
        log::render(scene, area, buffer);
        return;
    }
    let main = if has_side(area) && scene.view.overlay != Some(Overlay::Details) {
        let [main, side] = area.layout(&Layout::horizontal([Constraint::Min(0), Constraint::Length(48)]).spacing(2));
        detail::render(scene, side, buffer);
        main
    } else {
        area
    };
    if scene.view.page == Page::Cells {
        queue::render(scene, main, buffer);
        return;
    }
    let is_small = area.width < ROOMY.0 || area.height + 3 < ROOMY.1;
    if is_small && scene.view.page == Page::Charts {
        one_chart(scene, area, buffer);
        return;
    }
    // The queue gets what its cells need, up to a third; of the rest the λ_max chart gets the larger part.
    let rows = u16::try_from(scene.monitor.cells.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let queue_height = rows.min(main.height / 3).max(4);
    let [charts, table] = main.layout(&Layout::vertical([
        Constraint::Min(0),
        Constraint::Length(queue_height),
    ]));
    if scene.view.page == Page::Sweep {
        sweep_page::render(scene, charts, buffer);
        queue::render(scene, table, buffer);
        return;
    }
    let [above, below] = charts.layout(&Layout::vertical([Constraint::Fill(6), Constraint::Fill(5)]));
    let [left, right] = below.layout(&Layout::horizontal([Constraint::Fill(1); 2]).spacing(2));
    lambda_chart::render(scene, above, buffer);
    if scene.view.scatter.is_some() {
        scatter::render(scene, below, buffer);
    } else {
        loss_chart::render(scene, left, buffer);
        accuracy_chart::render(scene, right, buffer);
    }
    queue::render(scene, table, buffer);
}

/// The curve that matters most, and of the queue as much as is left of a small window.
fn one_chart(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let [chart, table] = area.layout(&Layout::vertical([Constraint::Min(0), Constraint::Length(4)]));
    if scene.view.scatter.is_some() {
        scatter::render(scene, chart, buffer);
    } else {
        lambda_chart::render(scene, chart, buffer);
    }
    queue::render(scene, table, buffer);
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
    use super::super::fixture::Fixture;
    use super::super::plot::Window;
    use super::super::view::Question;
    use super::super::zoom::Zoom;
    use super::*;

    #[test]
    fn at_80_by_24() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (80, 24)));
    }

    #[test]
    fn at_60_by_16_there_is_one_chart() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (60, 16)));
    }

    #[test]
    fn at_120_by_40() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (120, 40)));
    }

    #[test]
    fn at_200_by_60_the_settings_stand_beside_the_charts() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (200, 60)));
    }

    #[test]
    fn the_scatter_takes_the_place_of_loss_and_accuracy() {
        let mut fixture = Fixture::half_way();
        fixture.view.scatter = Some(0);
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
    fn too_small_a_window_says_how_large_it_has_to_be() {
        let drawn = Fixture::half_way().drawn(render, (59, 20));
        assert!(
            drawn.contains("This window is 59 x 20.") && drawn.contains("The screen needs 60 x 16."),
            "{drawn}"
        );
    }

    #[test]
    fn no_size_panics_whatever_is_shown() {
        let mut fixture = Fixture::half_way();
        for overlay in [
            None,
            Some(Overlay::Help),
            Some(Overlay::Details),
            Some(Overlay::Question(Question::Abort(0))),
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
