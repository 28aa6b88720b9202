//! Test accuracy against λ_max of the finished cells, with the rank correlation of the two.
//!
//! ```text
//! ── test accuracy against λ_max  τ −0.53 [−0.81, −0.08] of 12 cells ─── ● 0.05 ▲ 0.1 ──
//!   84 ┤  ▲▲   ●
//!   82 ┤         ▲ ●  ●
//!      └5─────────10────────20────── λ_max
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use crate::event::CellIndex;
use crate::monitor::{Outcome, Swept};
use crate::number::fixed;
use crate::statistics::Kendall;
use crate::tui::plot::{Axis, Dot, Scale, Scatter, rows_for_columns};
use crate::tui::state::scene::Scene;
use crate::tui::state::view::settings_beside_seed;
use crate::tui::theme::{Glyphs, Theme};

/// Above this ratio of the largest to the smallest λ_max, the axis is logarithmic.
pub(in crate::tui) const WIDE_RANGE: f64 = 8.0;

/// From this width on, there is room for the whole title.
const WIDE: u16 = 100;

/// Glyphs for the values of a setting, which differ even without colour.
const GLYPHS: [char; 6] = ['●', '▲', '■', '○', '△', '□'];
const ASCII: [char; 6] = ['*', '^', '#', 'o', '+', '='];

/// Draws the chart.
pub(in crate::tui) fn render(scene: &Scene, area: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let outcomes: Vec<Outcome> = scene.monitor.outcomes().collect();
    let levels = Levels::of(scene);
    let mut dots: Vec<Dot> = outcomes
        .iter()
        .map(|outcome| Dot {
            x: outcome.lambda_max,
            y: outcome.test_accuracy * 100.0,
            glyph: if outcome.is_comparable {
                levels.glyph(outcome.cell, theme)
            } else {
                '×'
            },
            style: if outcome.is_comparable {
                levels.style(outcome.cell, theme)
            } else {
                theme.dim
            },
        })
        .collect();
    // The chosen cell is drawn on top.
    if let Some(at) = outcomes.iter().position(|outcome| outcome.cell == scene.chosen()) {
        let mut chosen = dots.remove(at);
        chosen.style = chosen.style.add_modifier(Modifier::REVERSED);
        dots.push(chosen);
    }
    let (left, right) = ends(dots.iter().map(|dot| dot.x));
    let (bottom, top) = ends(dots.iter().map(|dot| dot.y));
    let scale = if left > 0.0 && right / left > WIDE_RANGE {
        Scale::Logarithmic
    } else {
        Scale::Linear
    };
    Scatter {
        title: title(scene, &outcomes, area.width),
        legend: levels.legend(theme),
        dots,
        across: Axis::new(scale, left, right, rows_for_columns(area.width)),
        across_name: " λ_max",
        up: Axis::new(Scale::Linear, bottom, top, usize::from(area.height.saturating_sub(2))),
        empty: scene.nothing_finished(),
    }
    .render(area, buffer, theme);
}

fn title(scene: &Scene, outcomes: &[Outcome], width: u16) -> Vec<Span<'static>> {
    let theme = scene.theme();
    let words = |text: String| theme.text(text).into_owned();
    // On a small screen the title leaves out λ_max: the axis names it, too, and the legend needs the room.
    let is_wide = width >= WIDE;
    let name = if is_wide {
        "test accuracy % against λ_max"
    } else {
        "test acc %"
    };
    let left_out = outcomes.iter().filter(|outcome| !outcome.is_comparable).count();
    let mut spans = vec![Span::raw(" "), Span::styled(words(name.to_owned()), theme.strong)];
    let correlation = correlation_words(scene.monitor.rank_correlation(), is_wide);
    spans.push(Span::raw(words(format!("  {correlation}"))));
    if left_out > 0 {
        let text = format!("  × {left_out} not comparable");
        spans.push(Span::styled(words(text), theme.dim));
    }
    spans.push(Span::raw(" "));
    spans
}

/// Returns τ-b with its interval, or the reason why there is none; if `is_wide`, with the number of cells.
fn correlation_words(correlation: Option<Kendall>, is_wide: bool) -> String {
    let of = |count: usize| {
        if is_wide {
            format!(" of {count} cells")
        } else {
            String::new()
        }
    };
    let number = |value: f64| fixed(value, 2).replace('-', "−");
    match correlation {
        None => "τ: too few cells".to_owned(),
        Some(Kendall {
            count,
            tau_b,
            interval: None,
            ..
        }) => format!("τ {}{}: too few to tell", number(tau_b), of(count)),
        Some(
            known @ Kendall {
                count,
                tau_b,
                interval: Some(interval),
                ..
            },
        ) => {
            let doubt = if known.told_sign().is_none() {
                ": cannot tell"
            } else {
                ""
            };
            format!(
                "τ {} [{}, {}]{}{doubt}",
                number(tau_b),
                number(interval.low),
                number(interval.high),
                of(count)
            )
        }
    }
}

pub(in crate::tui) fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values
        .map(|value| (value, value))
        .reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))
        .unwrap_or((0.0, 1.0))
}

/// The values of the setting that the glyphs stand for.
pub(in crate::tui) struct Levels<'a>(Option<&'a Swept>);

impl<'a> Levels<'a> {
    /// Returns the values of the setting that is selected in the view.
    pub(in crate::tui) fn of(scene: &Scene<'a>) -> Self {
        Self(settings_beside_seed(scene.monitor).nth(scene.view.scatter.unwrap_or(0)))
    }

    /// Returns the name of the setting, or an empty text if no setting is swept.
    pub(in crate::tui) fn setting(&self) -> &'a str {
        self.0.map_or("", |swept| &swept.name)
    }

    /// Returns each value once, in the order of the queue.
    pub(in crate::tui) fn values(&self) -> &'a [String] {
        self.0.map_or(&[], |swept| &swept.values)
    }

    /// Returns the index of a cell's value in [`Self::values`].
    pub(in crate::tui) fn of_cell(&self, cell: CellIndex) -> usize {
        let level = self.0.and_then(|swept| swept.of_cells.get(cell));
        level.copied().unwrap_or(0)
    }

    pub(in crate::tui) fn glyph(&self, cell: usize, theme: &Theme) -> char {
        glyph_of(self.of_cell(cell), theme)
    }

    pub(in crate::tui) fn style(&self, cell: usize, theme: &Theme) -> Style {
        style_of(self.of_cell(cell), theme)
    }

    fn legend(&self, theme: &Theme) -> Vec<Vec<Span<'static>>> {
        if self.values().len() < 2 {
            return Vec::new();
        }
        let name = Span::styled(theme.text(format!(" {}:", self.setting())).into_owned(), theme.dim);
        let values = self.values().iter().enumerate().map(|(level, value)| {
            vec![
                Span::styled(format!(" {}", glyph_of(level, theme)), style_of(level, theme)),
                Span::styled(theme.text(format!(" {value}")).into_owned(), theme.dim),
            ]
        });
        std::iter::once(vec![name]).chain(values).collect()
    }
}

/// Returns the glyph of a value. From the seventh value on the glyphs repeat; the table shows the value of each cell.
fn glyph_of(level: usize, theme: &Theme) -> char {
    match theme.glyphs {
        Glyphs::Unicode => GLYPHS[level % GLYPHS.len()],
        Glyphs::Ascii => ASCII[level % ASCII.len()],
    }
}

fn style_of(level: usize, theme: &Theme) -> Style {
    let styles = [theme.lambda, theme.threshold, theme.good, theme.test, theme.train];
    styles[level % styles.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::kendall;
    use crate::tui::fixture::Fixture;

    /// A sweep of six finished cells, in which a higher λ_max comes with a lower test accuracy.
    fn all_finished() -> Fixture {
        let mut fixture = Fixture::half_way();
        let events = (0..6).map(|cell| crate::tui::fixture::script::came_to(cell, 10.0 * (cell + 1) as f64));
        for event in events.collect::<Vec<_>>() {
            fixture.monitor.apply(event, fixture.start);
        }
        fixture
    }

    #[test]
    fn while_most_cells_are_to_come() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (80, 8)));
    }

    #[test]
    fn once_all_have_finished() {
        insta::assert_snapshot!(all_finished().drawn(render, (120, 12)));
    }

    #[test]
    fn by_the_second_of_the_swept_settings() {
        let mut fixture = all_finished();
        fixture.view.scatter = Some(1);
        let drawn = fixture.drawn(render, (120, 12));
        assert!(drawn.contains("activation: ● tanh ▲ relu"), "{drawn}");
    }

    #[test]
    fn without_utf8() {
        let mut fixture = all_finished();
        fixture.view.theme = Fixture::ascii().view.theme;
        let drawn = fixture.drawn(render, (120, 12));
        assert!(drawn.contains("^ 0.05"), "{drawn}");
    }

    #[test]
    fn what_may_not_be_compared_is_crossed_out_and_not_counted() {
        let mut fixture = all_finished();
        assert_eq!(fixture.monitor.rank_correlation().unwrap().count, 6);
        let mut missed = crate::tui::fixture::script::came_to(5, 99.0);
        if let crate::event::Event::CellEnded { summary, .. } = &mut missed {
            summary.reached_aim = Some(false);
        }
        fixture.monitor.apply(missed, fixture.start);
        let drawn = fixture.drawn(render, (120, 12));
        assert!(
            drawn.contains("of 5 cells") && drawn.contains("× 1 not comparable"),
            "{drawn}"
        );
    }

    #[test]
    fn a_correlation_comes_with_its_interval_or_with_the_reason_why_not() {
        let of = |count: usize| {
            let pairs: Vec<(f64, f64)> = (0..count).map(|i| (i as f64, -(i as f64))).collect();
            correlation_words(kendall(&pairs), true)
        };
        assert_eq!(of(1), "τ: too few cells");
        assert_eq!(of(3), "τ −1.00 of 3 cells: too few to tell");
        assert!(of(5).starts_with("τ −1.00 [−1.00, −0.1"), "{}", of(5));
        let tied = [(1.0, 1.0), (2.0, 2.0), (3.0, 1.0), (4.0, 2.0), (5.0, 1.0), (6.0, 2.0)];
        assert!(correlation_words(kendall(&tied), true).ends_with("of 6 cells: cannot tell"));
    }

    #[test]
    fn no_size_and_no_value_panics() {
        let mut fixture = all_finished();
        for value in [0.0, -3.0, 1e300, f64::NAN] {
            let event = crate::tui::fixture::script::came_to(0, value);
            fixture.monitor.apply(event, fixture.start);
            for size in [(1, 1), (12, 4), (13, 5), (300, 90)] {
                assert!(!fixture.drawn(render, size).is_empty());
            }
        }
    }
}
