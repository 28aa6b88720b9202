//! The layout of the screen, for drawing and for the mouse.

use ratatui::layout::{Constraint, Layout, Rect};

use super::view::{Overlay, View};
use crate::monitor::Monitor;
use crate::quantity::Chart;
use crate::tui::page::Page;

/// Minimum window size that the panels need: columns, rows.
pub const SMALLEST: (u16, u16) = (60, 16);

/// Below this size there is room only for one chart and the chosen cell.
const ROOMY: (u16, u16) = (80, 24);

/// From this width on, the settings of the cell are shown beside the charts.
const WIDE: u16 = 150;

/// From this height on, a notice has its own line.
const TALL: u16 = 30;

/// One part of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Part {
    Header,
    /// A chart of the chosen cell.
    Chart(&'static Chart),
    /// The scatter of all cells.
    Scatter,
    /// The effect of each setting.
    Settings,
    Table,
    Log,
    /// Settings and last values of the chosen cell.
    Details,
    Footer,
}

impl Part {
    /// Returns whether this part shows curves over steps.
    pub(in crate::tui) fn has_steps(self) -> bool {
        matches!(self, Self::Chart(_))
    }
}

/// Returns whether the settings of the chosen cell are shown beside everything else.
pub(in crate::tui) fn has_side(area: Rect) -> bool {
    area.width >= WIDE
}

/// Returns every part with its area in a window of this size; none if the window is too small.
pub(in crate::tui) fn parts(view: &View, monitor: &Monitor, area: Rect) -> Vec<(Part, Rect)> {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return Vec::new();
    }
    // A failure stays readable on a small screen, too.
    let footer = if area.height >= TALL || monitor.has_failed() {
        2
    } else {
        1
    };
    let rows = [Constraint::Length(2), Constraint::Min(0), Constraint::Length(footer)];
    let [top, middle, bottom] = area.layout(&Layout::vertical(rows));
    let mut parts = vec![(Part::Header, top), (Part::Footer, bottom)];
    if !monitor.cells.is_empty() {
        parts.extend(panels(view, monitor, middle));
    }
    parts
}

fn panels(view: &View, monitor: &Monitor, area: Rect) -> Vec<(Part, Rect)> {
    if view.page == Page::Log {
        return vec![(Part::Log, area)];
    }
    let mut parts = Vec::new();
    let main = if has_side(area) && view.overlay != Some(Overlay::Details) {
        let [main, side] = area.layout(&Layout::horizontal([Constraint::Min(0), Constraint::Length(48)]).spacing(2));
        parts.push((Part::Details, side));
        main
    } else {
        area
    };
    if view.page == Page::Cells {
        parts.push((Part::Table, main));
        return parts;
    }
    let [first, second, third] = view.charts_now(monitor).shown();
    let above = if view.scatter.is_some() {
        Part::Scatter
    } else {
        Part::Chart(first)
    };
    let is_small = area.width < ROOMY.0 || area.height + 3 < ROOMY.1;
    if is_small && view.page == Page::Charts {
        // A small window has only the most important curve, and four lines for the queue.
        let [chart, table] = area.layout(&Layout::vertical([Constraint::Min(0), Constraint::Length(4)]));
        return vec![(above, chart), (Part::Table, table)];
    }
    // The queue gets the rows that its cells need, up to a third of the height. The chart above gets the larger part of
    // the rest.
    let rows = u16::try_from(monitor.cells.len()).unwrap_or(u16::MAX).saturating_add(2);
    let queue = Constraint::Length(rows.min(main.height / 3).max(4));
    let [charts, table] = main.layout(&Layout::vertical([Constraint::Min(0), queue]));
    parts.push((Part::Table, table));
    if view.page == Page::Sweep {
        parts.push((Part::Settings, charts));
        return parts;
    }
    let [above, below] = charts.layout(&Layout::vertical([Constraint::Fill(6), Constraint::Fill(5)]));
    let [left, right] = below.layout(&Layout::horizontal([Constraint::Fill(1); 2]).spacing(2));
    parts.push((Part::Chart(first), above));
    if view.scatter.is_some() {
        parts.push((Part::Scatter, below));
    } else {
        parts.extend([(Part::Chart(second), left), (Part::Chart(third), right)]);
    }
    parts
}
