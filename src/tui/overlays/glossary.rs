//! The glossary: the meaning of every number on the screen for the chosen cell, with its data, mode and tolerance.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::event::Threshold;
use crate::monitor::Cell;
use crate::quantity::{self, ChartOf, LAMBDA_MAX, PRECONDITIONED, PRECONDITIONED_THRESHOLD, Quantity, THRESHOLD};
use crate::tui::state::scene::Scene;
use crate::tui::theme::panel;

/// Maximum width of the text, in columns.
const WIDEST: usize = 76;

/// Width of the names, in columns.
const NAMES: usize = 14;

/// Draws the glossary over the screen.
pub(in crate::tui) fn render(scene: &Scene, screen: Rect, buffer: &mut Buffer) {
    let theme = scene.theme();
    let width = usize::from(screen.width.saturating_sub(8)).min(WIDEST);
    let mut lines: Vec<Line> = Vec::new();
    for (name, words) in entries(scene) {
        let name = theme.text(name).into_owned();
        let mut parts = panel::wrapped(&theme.text(words), width.saturating_sub(NAMES + 1)).into_iter();
        let first = parts.next().unwrap_or_default();
        lines.push(Line::from(vec![
            Span::styled(format!("{:<NAMES$} ", panel::cut(&name, NAMES)), theme.strong),
            Span::styled(first, Style::new()),
        ]));
        lines.extend(parts.map(|part| Line::raw(format!("{:NAMES$} {part}", ""))));
    }
    let room = usize::from(screen.height.saturating_sub(2));
    let lines = panel::scrolled(lines, room, scene.view.scrolled, theme);
    panel::overlay(screen, buffer, theme, "what the numbers mean", lines);
}

fn entries(scene: &Scene) -> Vec<(&'static str, String)> {
    let Some(cell) = scene.cell() else { return Vec::new() };
    if cell.plan.is_foreign() {
        return of_foreign(cell);
    }
    let probe = scene.view.probe.min(cell.plan.probes.len().saturating_sub(1));
    let on = cell.plan.probes.get(probe).map_or("its probe", String::as_str);
    let tolerance = cell.plan.setting("lambda_tolerance").unwrap_or("its tolerance");
    let loss = cell.plan.setting("loss").unwrap_or("loss");
    let precision = cell.plan.setting("precision").unwrap_or("its precision");
    let threshold = &cell.plan.threshold;
    let (decay, ratio) = if threshold.is_preconditioned {
        (
            String::new(),
            "the preconditioned sharpness over its threshold".to_owned(),
        )
    } else if threshold.weight_decay == 0.0 {
        (String::new(), format!("λ_max over the threshold {}", threshold.formula))
    } else {
        (
            " Weight decay is not part of this loss.".to_owned(),
            format!(
                "(λ_max + weight decay) over {}, since weight decay is added to every eigenvalue",
                threshold.edge_formula
            ),
        )
    };
    let below = if cell.is_unstable_at_zero() {
        " Here it is below zero: with this weight decay, every λ_max of 0 or more is unstable."
    } else {
        ""
    };
    let filled = |quantity: &Quantity| {
        let meaning = quantity
            .meaning
            .replace("{loss}", loss)
            .replace("{precision}", precision);
        meaning.replace("{probes}", on)
    };
    let (of_cell, of_others) = if threshold.is_preconditioned {
        (&PRECONDITIONED_THRESHOLD, &THRESHOLD)
    } else {
        (&THRESHOLD, &PRECONDITIONED_THRESHOLD)
    };
    let is_here = |quantity: &&Quantity| {
        // What no configuration asked for is not explained here; the book has all quantities.
        let is_measured = || quantity.chart.quantities().any(|of| cell.latest.first(of).is_some());
        let is_limited = *quantity.chart == PRECONDITIONED && threshold.is_preconditioned;
        *quantity != of_others && (quantity.chart.of == ChartOf::All || is_limited || is_measured())
    };
    let mut entries = Vec::new();
    for quantity in quantity::all().filter(is_here) {
        let about = match quantity.key {
            key if key == LAMBDA_MAX.key => format!("{}{decay}", filled(quantity)),
            key if key == of_cell.key => {
                let Threshold { formula, meaning, .. } = threshold;
                let moves = if threshold.is_unknown {
                    ""
                } else {
                    " It moves with the learning rate."
                };
                format!("{formula}: {meaning}.{moves}{below}")
            }
            _ => filled(quantity),
        };
        entries.push((quantity.label, about));
        if *quantity == LAMBDA_MAX {
            entries.extend(of_lambda(tolerance, &ratio));
        }
    }
    entries.extend([
        (
            "τ",
            "Kendall's rank correlation τ-b between λ_max and test accuracy over finished cells, with its 95 % \
             confidence interval. Cells that missed their aim, whose last λ_max did not converge, or that were \
             changed by hand are left out (×)."
                .to_owned(),
        ),
        (
            "by hand",
            "the user changed the learning rate while the cell ran (│ on the charts). The cell is shown, but not \
             compared."
                .to_owned(),
        ),
    ]);
    entries
}

/// Returns the entries for a run of another program, which measured its numbers in ways that nobody here knows.
fn of_foreign(cell: &Cell) -> Vec<(&'static str, String)> {
    let mut entries = vec![(
        "these numbers",
        "another program measured them, and its files do not say how. The log (page 4) says which of its names became which \
         quantity. For comparison, the following is what this program measures under these names."
            .to_owned(),
    )];
    let measured = quantity::all().filter(|quantity| cell.latest.first(quantity).is_some());
    entries.extend(measured.map(|quantity| {
        let meaning = quantity.meaning.replace(" ({loss})", "").replace("{loss}", "loss");
        let meaning = meaning.replace("{precision}", "its precision");
        (quantity.label, meaning.replace("{probes}", "its probe"))
    }));
    entries
}

/// Returns the entries that explain λ_max further.
fn of_lambda(tolerance: &str, ratio: &str) -> [(&'static str, String); 3] {
    [
        (
            "± residual",
            format!(
                "‖Hv − λv‖ for the computed unit eigenvector v: an eigenvalue lies within this distance of the \
                 value. The value is converged if the residual is at most {tolerance} of |λ| (lambda_tolerance); \
                 else it is marked ○ or ? and never compared."
            ),
        ),
        (
            "audit",
            "λ_max measured again from a random vector: a warm start may keep an eigenvalue that is no longer the \
             largest. ▲ marks a value that an audit corrected; A starts an audit."
                .to_owned(),
        ),
        (
            "edge",
            format!(
                "{ratio}: 1 is the edge of stability. The small curve in the table shows its largest values \
                 over the planned steps; full height means 1 or more."
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::PRECONDITIONED_SHARPNESS;
    use crate::tui::fixture::Fixture;
    use crate::tui::state::view::MOST_EXPLAINED;

    #[test]
    fn on_a_small_screen_it_can_be_scrolled() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (80, 24)));
    }

    #[test]
    fn on_a_larger_screen_all_of_it_is_there() {
        insta::assert_snapshot!(Fixture::half_way().drawn(render, (120, 40)));
    }

    #[test]
    fn the_edge_under_weight_decay_is_explained_and_so_is_a_threshold_below_zero() {
        let mut fixture = Fixture::half_way();
        let cell = &mut fixture.monitor.cells[2];
        (cell.plan.threshold.formula, cell.plan.threshold.weight_decay) = ("2/η − wd".into(), 25.0);
        cell.latest.set(&THRESHOLD, 0, -5.0);
        let drawn = fixture.drawn(render, (120, 40));
        assert!(drawn.contains("(λ_max + weight decay) over 2/η, since"), "{drawn}");
        assert!(drawn.contains("Here it is below zero"), "{drawn}");
    }

    #[test]
    fn an_adaptive_optimizer_has_its_own_entries() {
        let mut fixture = Fixture::half_way();
        let labels = |fixture: &Fixture| -> Vec<&str> {
            let scene = Scene {
                monitor: &fixture.monitor,
                view: &fixture.view,
                load: None,
                now: fixture.start,
            };
            entries(&scene).into_iter().map(|(label, _)| label).collect()
        };
        let of_adaptive = [PRECONDITIONED_SHARPNESS.label, PRECONDITIONED_THRESHOLD.label];
        assert!(!labels(&fixture).iter().any(|label| of_adaptive.contains(label)));
        assert!(labels(&fixture).contains(&THRESHOLD.label));
        fixture.monitor.cells[2].plan.threshold.is_preconditioned = true;
        assert!(of_adaptive.iter().all(|label| labels(&fixture).contains(label)));
        assert!(!labels(&fixture).contains(&THRESHOLD.label));
    }

    #[test]
    fn there_are_not_more_lines_than_can_be_scrolled_to() {
        let mut fixture = Fixture::half_way();
        fixture.view.scrolled = MOST_EXPLAINED;
        assert!(fixture.drawn(render, (60, 16)).contains("the end"));
    }
}
