//! Cells that are overlaid on the charts for comparison.

use ratatui::style::{Color, Style};
use ratatui::text::Span;

use crate::event::CellIndex;
use crate::monitor::Cell;
use crate::tui::plot::{Pattern, Pen};
use crate::tui::state::scene::Scene;
use crate::tui::state::view::MOST_OVERLAID;
use crate::tui::theme::panel;
use crate::tui::theme::{Colours, Theme};

/// Maximum width of the swept settings of a cell in a legend, in columns.
const WIDEST: usize = 28;

const PATTERNS: [Pattern; 3] = [Pattern::Solid, Pattern::Dashed, Pattern::Dotted];
const ASCII: [char; MOST_OVERLAID] = ['1', '2', '3', '4', '5', '6'];

/// Returns the overlaid cells, each with its pen, without the chosen cell: its own curves are drawn anyway.
pub(super) fn cells<'a>(scene: &Scene<'a>) -> Vec<(CellIndex, &'a Cell, Pen)> {
    let overlaid = scene.view.overlaid.iter().enumerate();
    overlaid
        .filter(|(_, cell)| **cell != scene.chosen())
        .filter_map(|(at, cell)| Some((*cell, scene.monitor.cells.get(*cell)?, pen(at, scene.theme()))))
        .collect()
}

/// Returns the pen of the overlaid cell at this place in the list.
fn pen(at: usize, theme: &Theme) -> Pen {
    // Six colours that differ as much as possible from one another and from the curves of the chosen cell, in every
    // kind of colour vision, with a contrast of 3:1 on black and on white. The first three differ well by colour alone;
    // the others need their patterns, too.
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

/// Returns the legend of a chart, one entry per overlaid cell.
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
