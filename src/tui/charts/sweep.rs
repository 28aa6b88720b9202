//! The effect of a swept setting on λ_max and on test accuracy, and the scatter of the two.
//!
//! ```text
//! ── test accuracy % against λ_max  τ −0.53 … ──────────
//! ── λ_max by dropout ────────  ── test accuracy by dropout ──
//!     ●                              ●     ●
//!        ●     ●                     ●           ●
//!    0     0.5   0.9                0     0.5   0.9
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::Span;

use super::scatter::{self, Levels};
use crate::monitor::Outcome;
use crate::tui::plot::{Axis, Dot, Scale, Scatter};
use crate::tui::state::scene::Scene;

/// Draws the three charts: the scatter above, and one chart per quantity below it.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let [above, below] = area.layout(&Layout::vertical([Constraint::Fill(1); 2]));
    scatter::render(scene, above, buffer);
    let [left, right] = below.layout(&Layout::horizontal([Constraint::Fill(1); 2]).spacing(2));
    let outcomes: Vec<Outcome> = scene.monitor.outcomes().collect();
    let levels = Levels::of(scene);
    by_setting(scene, &levels, &outcomes, Quantity::Lambda, left, buffer);
    by_setting(scene, &levels, &outcomes, Quantity::Accuracy, right, buffer);
}

#[derive(Clone, Copy, PartialEq)]
enum Quantity {
    Lambda,
    Accuracy,
}

impl Quantity {
    fn name(self) -> &'static str {
        match self {
            Self::Lambda => "λ_max",
            Self::Accuracy => "test accuracy %",
        }
    }

    fn of(self, outcome: &Outcome) -> f64 {
        match self {
            Self::Lambda => outcome.lambda_max,
            Self::Accuracy => outcome.test_accuracy * 100.0,
        }
    }
}

/// Draws the quantity of every finished cell over the values of the setting, with the means of the comparable cells.
fn by_setting(scene: &Scene, levels: &Levels, outcomes: &[Outcome], what: Quantity, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let mut dots: Vec<Dot> = Vec::new();
    let mut of_level = vec![Vec::new(); levels.values().len().max(1)];
    for outcome in outcomes.iter().filter(|outcome| outcome.is_comparable) {
        of_level[levels.of_cell(outcome.cell)].push(what.of(outcome));
    }
    for (level, comparable) in of_level.iter().enumerate() {
        if comparable.len() > 1 {
            dots.push(Dot {
                x: level as f64,
                y: comparable.iter().sum::<f64>() / comparable.len() as f64,
                glyph: '─',
                style: theme.strong,
            });
        }
    }
    dots.extend(outcomes.iter().map(|outcome| {
        let style = if outcome.is_comparable {
            levels.style(outcome.cell, theme)
        } else {
            theme.dim
        };
        Dot {
            x: levels.of_cell(outcome.cell) as f64,
            y: what.of(outcome),
            glyph: if outcome.is_comparable {
                levels.glyph(outcome.cell, theme)
            } else {
                '×'
            },
            style: if outcome.cell == scene.chosen() {
                style.add_modifier(Modifier::REVERSED)
            } else {
                style
            },
        }
    }));
    let (low, high) = scatter::ends(dots.iter().map(|dot| dot.y));
    let scale = if what == Quantity::Lambda && low > 0.0 && high / low > scatter::WIDE_RANGE {
        Scale::Logarithmic
    } else {
        Scale::Linear
    };
    let name = if levels.setting().is_empty() {
        what.name().to_owned()
    } else {
        format!("{} by {}", what.name(), levels.setting())
    };
    Scatter {
        title: vec![
            Span::raw(" "),
            Span::styled(theme.text(name).into_owned(), theme.strong),
            Span::styled(theme.text("  ─ mean ").into_owned(), theme.dim),
        ],
        legend: Vec::new(),
        dots,
        across: Axis::names(levels.values()),
        across_name: "",
        up: Axis::new(scale, low, high, usize::from(area.height.saturating_sub(2))),
        empty: scene.nothing_finished(),
    }
    .render(area, buffer, theme);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;

    fn all_finished() -> Fixture {
        let mut fixture = Fixture::half_way();
        for cell in 0..6 {
            let event = crate::tui::fixture::script::came_to(cell, 10.0 * (cell + 1) as f64);
            fixture.monitor.apply(event, fixture.start);
        }
        fixture
    }

    #[test]
    fn on_a_small_screen() {
        insta::assert_snapshot!(all_finished().drawn(render, (80, 21)));
    }

    #[test]
    fn on_a_larger_screen_by_the_second_setting() {
        let mut fixture = all_finished();
        fixture.view.scatter = Some(1);
        insta::assert_snapshot!(fixture.drawn(render, (120, 36)));
    }

    #[test]
    fn before_the_first_cell_has_finished_and_at_no_size_it_panics() {
        let mut fixture = Fixture::half_way();
        fixture.monitor.cells.truncate(1);
        for size in [(1, 1), (20, 3), (60, 12), (300, 80)] {
            assert!(!fixture.drawn(render, size).is_empty());
            assert!(!all_finished().drawn(render, size).is_empty());
        }
    }
}
