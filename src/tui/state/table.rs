//! The cells whose rows of the table are on the screen: for drawing, for the mouse, and for the sender of their values.

use ratatui::layout::Rect;

use super::parts::{Part, parts};
use super::view::View;
use crate::event::CellIndex;
use crate::monitor::Monitor;

/// Returns the cells whose rows are visible in a window of this size.
pub(in crate::tui) fn visible(view: &View, monitor: &Monitor, window: Rect) -> Vec<CellIndex> {
    let table = parts(view, monitor, window)
        .into_iter()
        .find(|(part, _)| *part == Part::Table);
    table.map_or_else(Vec::new, |(_, area)| rows_in(view, monitor, area))
}

/// Returns the cell whose row, in a table in `area`, is at line `y` of the screen.
pub(in crate::tui) fn cell_at(view: &View, monitor: &Monitor, area: Rect, y: u16) -> Option<CellIndex> {
    let row = usize::from(y.checked_sub(area.y + 2)?);
    rows_in(view, monitor, area).get(row).copied()
}

/// Returns the cells whose rows are visible in a table in `area`.
fn rows_in(view: &View, monitor: &Monitor, area: Rect) -> Vec<CellIndex> {
    let rows = view.rows.shown(monitor);
    let chosen = rows.iter().position(|cell| *cell == view.chosen(monitor));
    let visible = usize::from(area.height.saturating_sub(2));
    let first = first_row(chosen.unwrap_or(0), rows.len(), visible);
    rows[first..rows.len().min(first + visible)].to_vec()
}

/// Returns the index of the first visible row if `visible` of `rows` rows fit. The chosen row is in the middle if
/// possible.
pub(in crate::tui) fn first_row(chosen: usize, rows: usize, visible: usize) -> usize {
    chosen.saturating_sub(visible / 2).min(rows.saturating_sub(visible))
}
