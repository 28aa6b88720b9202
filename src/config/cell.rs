//! One cell of a sweep.

use super::Settings;

/// One cell of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What it computes.
    pub settings: Settings,
    /// What tells it from the other cells, as (setting, value), in the order of the sweep's axes.
    pub swept: Vec<(String, String)>,
}
