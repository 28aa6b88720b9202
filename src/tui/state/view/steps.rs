//! Which steps the charts show, where the cursor stands on them, which cells lie over them, and what tells the points of the
//! scatter apart.

use ratatui::layout::Rect;

use super::View;
use crate::event::{CellIndex, cell_name};
use crate::monitor::{Monitor, Swept};
use crate::tui::plot::{self, Window};

/// The most cells that can be told apart on a chart.
pub(in crate::tui) const MOST_OVERLAID: usize = 6;

/// Places where the cursor stops across a chart.
const CURSOR_STOPS: u64 = 100;

impl View {
    /// The steps across the charts.
    pub(in crate::tui) fn window(&self, monitor: &Monitor) -> Window {
        let reached = self.reached(monitor);
        self.zoom.window(self.whole(monitor).to, reached)
    }

    /// Where those lie across the charts.
    pub(in crate::tui) fn placed_window(&self, monitor: &Monitor) -> Window {
        let steps = self.window(monitor);
        let cell = monitor.cells.get(self.chosen(monitor));
        cell.map_or(steps, |cell| self.across.window(cell, steps))
    }

    /// The step of the chosen cell at the column `x` of the screen, of a chart in `area`; none left of its plot.
    pub(super) fn step_at(&self, monitor: &Monitor, area: Rect, x: u16) -> Option<u64> {
        let place = plot::place_at(self.placed_window(monitor), area, x)?;
        let cell = monitor.cells.get(self.chosen(monitor))?;
        Some(self.across.step(cell, place, self.window(monitor)))
    }

    /// Those of the whole run: as many as cells before this one took, so that the axis need not grow again for each.
    pub(super) fn whole(&self, monitor: &Monitor) -> Window {
        let planned = monitor
            .cells
            .get(self.chosen(monitor))
            .map_or(1, |cell| cell.plan.planned_steps);
        let ended = monitor.cells.iter().filter(|cell| cell.state.is_done());
        let earlier = ended.map(|cell| cell.progress.step).max().unwrap_or(0);
        Window {
            from: 0,
            to: plot::step_span(self.reached(monitor), planned, earlier),
        }
    }

    pub(super) fn reached(&self, monitor: &Monitor) -> u64 {
        monitor
            .cells
            .get(self.chosen(monitor))
            .map_or(0, |cell| cell.progress.step)
    }

    /// Moves the cursor by about a column; the first time it appears at the last step.
    pub(super) fn move_cursor(&mut self, monitor: &Monitor, left: bool) {
        let shown = self.window(monitor);
        let by = (shown.width() / CURSOR_STOPS).max(1);
        let last = self.reached(monitor).min(shown.to);
        let moved = match self.cursor.filter(|step| shown.holds(*step)) {
            None => last,
            Some(step) if left => step.saturating_sub(by),
            Some(step) => step + by,
        };
        self.cursor = Some(moved.clamp(shown.from, last.max(shown.from)));
    }

    /// Lays a cell over the charts, or takes it away.
    pub(super) fn lay_over(&mut self, cell: CellIndex) -> String {
        let name = cell_name(cell);
        if let Some(at) = self.overlaid.iter().position(|known| *known == cell) {
            self.overlaid.remove(at);
            return format!("{name} is taken off the charts of other cells");
        }
        if self.overlaid.len() == MOST_OVERLAID {
            return format!("{MOST_OVERLAID} cells lie over the charts already: more could not be told apart");
        }
        self.overlaid.push(cell);
        format!("{name} lies over the charts of other cells now")
    }
}

/// The settings that points may be told apart by: those that are swept, seeds aside.
pub(in crate::tui) fn settings_beside_seed(monitor: &Monitor) -> impl Iterator<Item = &Swept> {
    monitor.swept.iter().filter(|swept| swept.name != "seed")
}
