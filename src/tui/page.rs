//! The pages of the screen.

/// A page: what the screen shows between header and footer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The curves of the chosen cell, and the table of all cells.
    #[default]
    Charts,
    /// The table of all cells, in full height.
    Cells,
    /// The effect of the swept settings on λ_max and accuracy.
    Sweep,
    /// The log of the run.
    Log,
}

impl Page {
    /// All pages, in the order of their keys.
    pub const ALL: [Self; 4] = [Self::Charts, Self::Cells, Self::Sweep, Self::Log];

    /// Returns the name of the page.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Charts => "charts",
            Self::Cells => "cells",
            Self::Sweep => "sweep",
            Self::Log => "log",
        }
    }

    /// Returns whether the page has the table of cells.
    #[must_use]
    pub fn has_table(self) -> bool {
        self != Self::Log
    }
}
