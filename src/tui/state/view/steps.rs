//! The steps that the charts show, the cursor, the overlaid cells, and the settings that distinguish the points of the
//! scatter.

use ratatui::layout::Rect;

use super::View;
use crate::event::{CellIndex, cell_name};
use crate::monitor::{Monitor, Swept};
use crate::tui::plot::{self, Window};

/// Maximum number of overlaid cells: more could not be distinguished on a chart.
pub(in crate::tui) const MOST_OVERLAID: usize = 6;

/// Maximum number of seeds that are shown together: their curves are kept in memory.
const MOST_SEEDS: usize = 32;

/// Number of stops of the cursor across a chart.
const CURSOR_STOPS: u64 = 100;

impl View {
    /// Returns the steps that the charts show.
    pub(in crate::tui) fn window(&self, monitor: &Monitor) -> Window {
        let reached = self.reached(monitor);
        self.zoom.window(self.whole(monitor).to, reached)
    }

    /// Returns the same range as places on the horizontal axis.
    pub(in crate::tui) fn placed_window(&self, monitor: &Monitor) -> Window {
        let steps = self.window(monitor);
        let cell = monitor.cells.get(self.chosen(monitor));
        cell.map_or(steps, |cell| self.across.window(cell, steps))
    }

    /// Returns the step of the chosen cell at column `x` of the screen, for a chart in `area`; `None` left of the plot.
    pub(super) fn step_at(&self, monitor: &Monitor, area: Rect, x: u16) -> Option<u64> {
        let place = plot::place_at(self.placed_window(monitor), area, x)?;
        let cell = monitor.cells.get(self.chosen(monitor))?;
        Some(self.across.step(cell, place, self.window(monitor)))
    }

    /// Returns the steps of the whole run, at least as many as ended cells took, so that the axis does not grow again
    /// for each cell.
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

    /// Moves the cursor by about one column. A new cursor appears at the last step.
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

    /// Overlays a cell on the charts, or removes it. Returns a message for the user.
    pub(super) fn lay_over(&mut self, cell: CellIndex) -> String {
        let name = cell_name(cell);
        if let Some(at) = self.overlaid.iter().position(|known| *known == cell) {
            self.overlaid.remove(at);
            return format!("{name} is no longer overlaid on other cells' charts");
        }
        if self.overlaid.len() == MOST_OVERLAID {
            return format!("{MOST_OVERLAID} cells are already overlaid: more could not be distinguished");
        }
        self.overlaid.push(cell);
        format!("{name} is overlaid on other cells' charts")
    }

    /// Shows the seeds of each combination together, or single cells. Returns a message for the user.
    pub(super) fn put_seeds_together(&mut self, monitor: &Monitor) -> String {
        self.seeds_together = !self.seeds_together;
        if !self.seeds_together {
            return "the charts show the chosen cell alone".to_owned();
        }
        match monitor.seeds_of(self.chosen(monitor)).len() {
            0 | 1 => format!(
                "{} is the only seed of its combination",
                cell_name(self.chosen(monitor))
            ),
            seeds @ ..=MOST_SEEDS => format!("the charts show the {seeds} seeds of the combination together"),
            seeds => format!("the charts show {MOST_SEEDS} of the {seeds} seeds of the combination together"),
        }
    }

    /// Returns the cells that the charts show together: at least two, or none.
    pub(in crate::tui) fn together(&self, monitor: &Monitor) -> Vec<CellIndex> {
        if !self.seeds_together {
            return Vec::new();
        }
        let mut cells = monitor.seeds_of(self.chosen(monitor));
        cells.truncate(MOST_SEEDS);
        if cells.len() < 2 { Vec::new() } else { cells }
    }
}

/// Returns the swept settings except the seed. They distinguish the points of the scatter.
pub(in crate::tui) fn settings_beside_seed(monitor: &Monitor) -> impl Iterator<Item = &Swept> {
    monitor.swept.iter().filter(|swept| swept.name != "seed")
}
