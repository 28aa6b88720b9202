//! Cells that lie over the charts for comparison.

use ratatui::style::{Color, Style};
use ratatui::text::Span;

use crate::event::CellIndex;
use crate::monitor::Cell;
use crate::tui::plot::{Pattern, Pen};
use crate::tui::state::scene::Scene;
use crate::tui::state::view::MOST_OVERLAID;
use crate::tui::theme::panel;
use crate::tui::theme::{Colours, Theme};

/// Widest that the swept settings of a cell are named in a legend.
const WIDEST: usize = 28;

const PATTERNS: [Pattern; 3] = [Pattern::Solid, Pattern::Dashed, Pattern::Dotted];
const ASCII: [char; MOST_OVERLAID] = ['1', '2', '3', '4', '5', '6'];

/// Those that are drawn, each with its pen: the chosen cell has its own curves.
pub(super) fn cells<'a>(scene: &Scene<'a>) -> Vec<(CellIndex, &'a Cell, Pen)> {
    let overlaid = scene.view.overlaid.iter().enumerate();
    overlaid
        .filter(|(_, cell)| **cell != scene.chosen())
        .filter_map(|(at, cell)| Some((*cell, scene.monitor.cells.get(*cell)?, pen(at, scene.theme()))))
        .collect()
}

/// The pen of the one that was laid over the charts at this place.
fn pen(at: usize, theme: &Theme) -> Pen {
    // As far as six colours can be from one another and from those of the chosen cell's curves in every kind of sight, with
    // a contrast of 3:1 on black and on white: the first three well, the rest with the help of their patterns.
    const INDEXED: [u8; MOST_OVERLAID] = [126, 58, 99, 200, 96, 29];
    const BASIC: [Color; MOST_OVERLAID] = [
        Color::Magenta,
        Color::Yellow,
        Color::Cyan,
        Color::Green,
        Color::Red,
        Color::Blue,
    ];
    let style = match theme.colours {
        Colours::None => Style::new(),
        Colours::Basic => Style::new().fg(BASIC[at % MOST_OVERLAID]),
        Colours::Indexed => Style::new().fg(Color::Indexed(INDEXED[at % MOST_OVERLAID])),
        Colours::True => {
            let [red, green, blue] = crate::tui::theme::rgb(INDEXED[at % MOST_OVERLAID]);
            Style::new().fg(Color::Rgb(red, green, blue))
        }
    };
    Pen {
        style,
        pattern: PATTERNS[at % PATTERNS.len()],
        ascii: ASCII[at % MOST_OVERLAID],
    }
}

/// What each is, for the legend of a chart.
pub(super) fn legend(scene: &Scene) -> Vec<Vec<Span<'static>>> {
    let theme = scene.theme();
    let entries = cells(scene).into_iter().map(|(index, cell, pen)| {
        let values: Vec<&str> = cell.plan.swept.iter().map(|(_, value)| value.as_str()).collect();
        let words = panel::cut(&values.join(" "), WIDEST);
        vec![
            Span::styled(format!(" {}", pen.sample(theme.glyphs)), pen.style),
            Span::styled(theme.text(format!(" {index}: {words} ")).into_owned(), theme.dim),
        ]
    });
    entries.collect()
}
