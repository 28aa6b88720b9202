//! The settings in which the cells of a sweep differ.

use std::collections::HashMap;

use crate::event::CellIndex;

use super::Cell;

/// A setting that is swept, with its value in every cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Name of the setting.
    pub name: String,
    /// The distinct values, in the order of the cells.
    pub values: Vec<String>,
    /// For each cell, the index of its value in `values`.
    pub of_cells: Vec<usize>,
}

impl Swept {
    /// Returns the value of the setting that is in force in this cell (the number of steps may have been reduced).
    #[must_use]
    pub fn value(&self, cell: CellIndex) -> &str {
        let value = self.of_cells.get(cell).and_then(|value| self.values.get(*value));
        value.map_or("", String::as_str)
    }

    /// Returns every setting that is swept in any of the cells: a cell that was added by hand may have its own seed.
    pub(super) fn all(cells: &[Cell]) -> Vec<Self> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in cells.iter().flat_map(|cell| &cell.plan.swept) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names.into_iter().map(|name| Self::of(name, cells)).collect()
    }

    fn of(name: &str, cells: &[Cell]) -> Self {
        let mut places = HashMap::new();
        let mut swept = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        for cell in cells {
            let value = cell.plan.setting(name).unwrap_or_default();
            let place = *places.entry(value).or_insert(swept.values.len());
            if place == swept.values.len() {
                swept.values.push(value.to_owned());
            }
            swept.of_cells.push(place);
        }
        swept
    }
}
