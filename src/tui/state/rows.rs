//! Which cells the table shows, and in which order.

use std::cmp::Ordering;

use crate::event::CellIndex;
use crate::monitor::{Cell, CellState, Monitor};
use crate::quantity::{self, LAMBDA_MAX, Quantity};

use super::filter::Filter;

/// The sort key of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The order in which cells are run.
    #[default]
    Queue,
    /// The last value of a quantity, on the first probe.
    Measured(&'static Quantity),
    /// Closeness to the edge of stability.
    Edge,
    /// Time used.
    Time,
    /// One of the swept settings.
    Swept(usize),
}

impl Sort {
    /// Returns the next sort key, if `swept` settings are swept.
    fn next(self, swept: usize) -> Self {
        let setting = |index: usize| if index < swept { Self::Swept(index) } else { Self::Queue };
        let mut quantities = quantity::in_tables().skip_while(|quantity| Self::Measured(quantity) != self);
        match self {
            Self::Queue => quantity::in_tables().next().map_or(Self::Edge, Self::Measured),
            Self::Measured(quantity) if *quantity == LAMBDA_MAX => Self::Edge,
            // λ_max comes before the edge, every other quantity after it.
            Self::Edge => quantity::in_tables().nth(1).map_or(Self::Time, Self::Measured),
            Self::Measured(_) => quantities.nth(1).map_or(Self::Time, Self::Measured),
            Self::Time => setting(0),
            Self::Swept(index) => setting(index + 1),
        }
    }

    /// Returns the name of the sort key; `monitor` has the names of the swept settings.
    pub(in crate::tui) fn name(self, monitor: &Monitor) -> String {
        match self {
            Self::Queue => "queue".to_owned(),
            Self::Measured(quantity) => quantity.column.to_owned(),
            Self::Edge => "edge".to_owned(),
            Self::Time => "time".to_owned(),
            Self::Swept(index) => monitor
                .swept
                .get(index)
                .map_or(String::new(), |swept| swept.name.clone()),
        }
    }

    fn number(self, cell: &Cell) -> Option<f64> {
        let number = match self {
            Self::Queue | Self::Swept(_) => None,
            Self::Measured(quantity) => cell.latest.first(quantity),
            Self::Edge => cell.edge(),
            Self::Time => (cell.state != CellState::Queued).then_some(cell.progress.seconds),
        };
        number.filter(|number| !number.is_nan())
    }
}

/// Which cells the table shows, and in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The sort key.
    pub sort: Sort,
    /// Whether the order is reversed: from the largest to the smallest.
    pub descending: bool,
    /// The filter that a cell must meet to be shown.
    pub filter: Filter,
}

impl Rows {
    /// Sorts by the next column.
    pub(in crate::tui) fn sort_by_next(&mut self, monitor: &Monitor) {
        self.sort = self.sort.next(monitor.swept.len());
        // People look for the largest accuracy, the largest λ_max, and the smallest loss.
        self.descending = match self.sort {
            Sort::Measured(quantity) => quantity.told.largest_first,
            Sort::Edge | Sort::Time => true,
            Sort::Queue | Sort::Swept(_) => false,
        };
    }

    /// Returns the cells that are shown, from the first row to the last.
    #[must_use]
    pub fn shown(&self, monitor: &Monitor) -> Vec<CellIndex> {
        let mut rows = monitor.in_order();
        if !self.filter.is_empty() {
            let is_shown = self.filter.among(monitor);
            rows.retain(|cell| is_shown(*cell));
        }
        match self.sort {
            Sort::Queue if self.descending => rows.reverse(),
            Sort::Queue => {}
            Sort::Swept(index) => {
                let value = |cell: &CellIndex| monitor.swept.get(index).map_or("", |swept| swept.value(*cell));
                rows.sort_by(|one, other| self.directed(by_value(value(one), value(other))));
            }
            sort => {
                let mut keyed: Vec<(Option<f64>, CellIndex)> = rows
                    .iter()
                    .map(|cell| (sort.number(&monitor.cells[*cell]), *cell))
                    .collect();
                // Unknown values come last in both directions.
                keyed.sort_by(|(one, _), (other, _)| match (one, other) {
                    (Some(one), Some(other)) => self.directed(one.total_cmp(other)),
                    _ => other.is_some().cmp(&one.is_some()),
                });
                rows = keyed.into_iter().map(|(_, cell)| cell).collect();
            }
        }
        rows
    }

    fn directed(&self, order: Ordering) -> Ordering {
        if self.descending { order.reverse() } else { order }
    }
}

/// Compares numbers by size and words alphabetically.
fn by_value(one: &str, other: &str) -> Ordering {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one.total_cmp(&other),
        _ => one.cmp(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::TEST_ACCURACY;
    use crate::tui::fixture::Fixture;

    fn sorted(fixture: &Fixture, sort: Sort, descending: bool) -> Vec<CellIndex> {
        let rows = Rows {
            sort,
            descending,
            ..Rows::default()
        };
        rows.shown(&fixture.monitor)
    }

    #[test]
    fn what_is_not_known_yet_comes_last_in_either_direction() {
        let mut fixture = Fixture::half_way();
        for (cell, accuracy) in [(0, 0.8), (1, 0.9), (2, 0.7)] {
            fixture.monitor.cells[cell].latest.set(&TEST_ACCURACY, 0, accuracy);
        }
        assert_eq!(
            sorted(&fixture, Sort::Measured(&TEST_ACCURACY), true),
            [1, 0, 2, 3, 4, 5]
        );
        assert_eq!(
            sorted(&fixture, Sort::Measured(&TEST_ACCURACY), false),
            [2, 0, 1, 3, 4, 5]
        );
    }

    #[test]
    fn settings_are_sorted_as_numbers_where_they_are_numbers_and_as_words_else() {
        let fixture = Fixture::half_way();
        assert_eq!(sorted(&fixture, Sort::Swept(0), false), [4, 5, 2, 3, 0, 1]);
        assert_eq!(sorted(&fixture, Sort::Swept(1), false), [1, 3, 5, 0, 2, 4]);
        assert_eq!(by_value("9", "10"), Ordering::Less);
    }

    #[test]
    fn unsorted_the_cells_stand_as_they_are_run() {
        let mut fixture = Fixture::half_way();
        let queue = crate::event::Event::Queue {
            order: vec![5, 3, 4],
            held: vec![4],
        };
        fixture.monitor.apply(queue, fixture.start);
        assert_eq!(sorted(&fixture, Sort::Queue, false), [0, 1, 2, 5, 3, 4]);
    }

    #[test]
    fn sorting_goes_through_every_column_and_back_to_the_queue() {
        let fixture = Fixture::half_way();
        let columns = |from: usize, count: usize| {
            quantity::in_tables()
                .skip(from)
                .take(count)
                .map(|quantity| quantity.column)
        };
        let expected: Vec<&str> = columns(0, 1)
            .chain(["edge"])
            .chain(columns(1, usize::MAX))
            .chain(["time", "learning_rate", "activation", "queue"])
            .collect();
        assert_eq!(expected[..3], ["λ_max", "edge", "test acc"]);
        let mut rows = Rows::default();
        let names = (0..expected.len()).map(|_| {
            rows.sort_by_next(&fixture.monitor);
            rows.sort.name(&fixture.monitor)
        });
        assert_eq!(names.collect::<Vec<_>>(), expected);
    }
}
