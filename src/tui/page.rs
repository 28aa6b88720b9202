//! The pages of the screen.

/// What fills the screen between header and footer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The curves of the chosen cell, and the table of all.
    #[default]
    Charts,
    /// The table of all cells, as long as the screen is high.
    Cells,
    /// What the swept settings do to λ_max and accuracy.
    Sweep,
    /// What happened.
    Log,
}

impl Page {
    /// All of them, in the order of their keys.
    pub const ALL: [Self; 4] = [Self::Charts, Self::Cells, Self::Sweep, Self::Log];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Charts => "charts",
            Self::Cells => "cells",
            Self::Sweep => "sweep",
            Self::Log => "log",
        }
    }

    /// Whether the table of cells is on it.
    #[must_use]
    pub fn has_table(self) -> bool {
        self != Self::Log
    }
}
