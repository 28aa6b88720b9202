//! One cell of a sweep.

use super::Settings;

/// One cell of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Its settings: they decide what the cell computes.
    pub settings: Settings,
    /// The settings in which it differs from other cells, as (setting, value), in the order of the sweep's axes.
    pub swept: Vec<(String, String)>,
}
