//! The charts on the screen, and which of them is marked.

use crate::monitor::Cell;
use crate::quantity::{self, ACCURACY, Chart, ChartOf, LAMBDA, LOSS, PRECONDITIONED};

/// The charts on the screen: one above, two below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charts {
    shown: [&'static Chart; 3],
    /// Index of the marked chart, the one that a key changes.
    marked: Option<usize>,
    /// Whether the user chose them. If not, an adaptive optimizer has others.
    is_chosen: bool,
}

/// Places of the charts, in words.
const PLACES: [&str; 3] = ["above", "on the left", "on the right"];

/// The charts of a cell unless the user chooses others.
const USUAL: [&Chart; 3] = [&LAMBDA, &LOSS, &ACCURACY];

/// The same for an adaptive optimizer, whose threshold is one of preconditioned sharpness.
const PRECONDITIONED_FIRST: [&Chart; 3] = [&PRECONDITIONED, &LOSS, &LAMBDA];

impl Default for Charts {
    fn default() -> Self {
        Self::new(USUAL)
    }
}

impl Charts {
    /// Returns these charts: above, left, right.
    #[must_use]
    pub fn new(shown: [&'static Chart; 3]) -> Self {
        Self {
            shown,
            marked: None,
            is_chosen: shown != USUAL,
        }
    }

    /// Returns the charts for a cell: unless the user chose some, they begin with the quantity that the cell's threshold
    /// limits, and the first chart of a gauge comes second.
    #[must_use]
    pub fn of_cell(self, cell: &Cell) -> Self {
        if self.is_chosen {
            return self;
        }
        let usual = if cell.plan.threshold.is_preconditioned {
            PRECONDITIONED_FIRST
        } else {
            USUAL
        };
        let charts = quantity::charts();
        // A run of another program has what its files have.
        if cell.plan.is_foreign() {
            return Self {
                shown: measured(cell, charts),
                ..self
            };
        }
        let gauged = charts
            .into_iter()
            .find(|chart| chart.of == ChartOf::Gauged && is_of(chart, cell));
        let shown = gauged.map_or(usual, |gauged| [usual[0], gauged, usual[1]]);
        Self { shown, ..self }
    }

    /// Returns the charts: above, left, right.
    #[must_use]
    pub fn shown(&self) -> [&'static Chart; 3] {
        self.shown
    }

    /// Returns whether this chart is the marked one, which a key changes.
    #[must_use]
    pub fn is_marked(&self, chart: &Chart) -> bool {
        self.marked.is_some_and(|at| self.shown[at] == chart)
    }

    /// Marks the next chart. Returns a message for the user.
    pub(super) fn mark_next(&mut self) -> String {
        let at = self.marked.map_or(0, |at| (at + 1) % self.shown.len());
        self.marked = Some(at);
        self.is_chosen = true;
        format!("the chart {} is marked: {}", PLACES[at], self.shown[at].title)
    }

    /// Removes the mark. Returns whether there was one.
    pub(super) fn unmark(&mut self) -> bool {
        self.marked.take().is_some()
    }

    /// Puts the next chart of the cell that is not on the screen in the place of the marked one; without a mark, of the last
    /// one. Returns a message for the user.
    pub(super) fn show_next(&mut self, cell: Option<&Cell>) -> String {
        self.is_chosen = true;
        let at = *self.marked.get_or_insert(self.shown.len() - 1);
        let all = quantity::charts();
        let now = all.iter().position(|chart| *chart == self.shown[at]).unwrap_or(0);
        let following = all.iter().cycle().skip(now + 1).take(all.len());
        let is_of_cell = |chart: &Chart| cell.map_or(chart.of == ChartOf::All, |cell| is_of(chart, cell));
        let mut free = following.filter(|chart| !self.shown.contains(chart) && is_of_cell(chart));
        if let Some(next) = free.next() {
            self.shown[at] = next;
        }
        format!("the chart {} shows: {}", PLACES[at], self.shown[at].title)
    }
}

/// Returns the first charts of which something was measured, filled up with the usual ones.
fn measured(cell: &Cell, charts: Vec<&'static Chart>) -> [&'static Chart; 3] {
    let has = |chart: &&'static Chart| chart.quantities().any(|quantity| cell.latest.first(quantity).is_some());
    let usual = USUAL.into_iter();
    let mut shown: Vec<&'static Chart> = Vec::new();
    for chart in usual
        .clone()
        .filter(has)
        .chain(charts.into_iter().filter(has))
        .chain(usual)
    {
        if !shown.contains(&chart) {
            shown.push(chart);
        }
    }
    [shown[0], shown[1], shown[2]]
}

/// Returns whether a cell has a chart.
fn is_of(chart: &Chart, cell: &Cell) -> bool {
    let is_of_all = chart.of == ChartOf::All && !cell.plan.is_foreign();
    is_of_all || chart.quantities().any(|quantity| cell.latest.first(quantity).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::{BATCH, BATCH_SHARPNESS, GRADIENT, PRECONDITIONED_SHARPNESS, Quantity};
    use crate::tui::fixture::Fixture;

    /// Returns a cell in which these quantities were measured.
    fn cell<'a>(is_preconditioned: bool, measured: impl IntoIterator<Item = &'a Quantity>) -> Cell {
        let mut cell = Fixture::half_way().monitor.cells[2].clone();
        cell.plan.threshold.is_preconditioned = is_preconditioned;
        for quantity in measured {
            cell.latest.set(quantity, 0, 1.0);
        }
        cell
    }

    #[test]
    fn every_chart_of_a_cell_comes_to_every_place_and_none_is_shown_twice() {
        let all = cell(false, quantity::all());
        for marks in 0..=3 {
            let mut charts = Charts::default();
            for _ in 0..marks {
                charts.mark_next();
            }
            let at = if marks == 0 { 2 } else { marks - 1 };
            let mut seen = vec![charts.shown()[at].key];
            for _ in 0..quantity::charts().len() {
                charts.show_next(Some(&all));
                let shown = charts.shown();
                assert!(shown[0] != shown[1] && shown[1] != shown[2] && shown[0] != shown[2]);
                seen.push(shown[at].key);
            }
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), quantity::charts().len() - 2, "{seen:?}");
            assert!(seen.contains(&GRADIENT.key) && seen.contains(&BATCH.key));
        }
    }

    #[test]
    fn a_chart_without_measurements_is_not_offered() {
        let plain = cell(false, []);
        for cell in [None, Some(&plain)] {
            let mut charts = Charts::default();
            for _ in 0..quantity::charts().len() {
                charts.show_next(cell);
                assert!(
                    charts.shown().iter().all(|chart| chart.of == ChartOf::All),
                    "{charts:?}"
                );
            }
        }
    }

    #[test]
    fn a_cell_has_the_charts_of_its_threshold_and_of_its_gauge_until_the_user_chooses() {
        let mut charts = Charts::default();
        let (plain, adaptive) = (cell(false, []), cell(true, [&PRECONDITIONED_SHARPNESS]));
        assert_eq!(charts.of_cell(&adaptive).shown(), [&PRECONDITIONED, &LOSS, &LAMBDA]);
        assert_eq!(charts.of_cell(&plain).shown(), [&LAMBDA, &LOSS, &ACCURACY]);
        let gauged = cell(false, [&BATCH_SHARPNESS]);
        assert_eq!(charts.of_cell(&gauged).shown(), [&LAMBDA, &BATCH, &LOSS]);
        charts = charts.of_cell(&adaptive);
        charts.mark_next();
        assert_eq!(charts.of_cell(&plain).shown(), [&PRECONDITIONED, &LOSS, &LAMBDA]);
        let own = Charts::new([&GRADIENT, &LOSS, &ACCURACY]);
        assert_eq!(own.of_cell(&gauged), own);
    }

    #[test]
    fn the_mark_goes_round_and_away() {
        let mut charts = Charts::default();
        assert!(!charts.is_marked(&LAMBDA) && !charts.unmark());
        for chart in [&LAMBDA, &LOSS, &ACCURACY, &LAMBDA] {
            charts.mark_next();
            assert!(charts.is_marked(chart));
        }
        assert!(charts.unmark() && !charts.is_marked(&LAMBDA));
    }
}
