//! One cell of a sweep, and how one differs that is added later.

use super::Settings;

/// One cell of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Its settings: they decide what the cell computes.
    pub settings: Settings,
    /// The settings in which it differs from other cells, as (setting, value), in the order of the sweep's axes.
    pub swept: Vec<(String, String)>,
}

/// A cell that was added after the cells of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The index of the cell whose settings it shares, except for the following.
    pub like: usize,
    /// Its seed.
    pub seed: u64,
    /// Other settings in which it differs, as RON text, such as `(learning_rate:0.1)`; empty if there are none.
    pub values: String,
}
