//! The horizontal axis of curves, on the screen and in reports: steps, epochs or seconds.

/// The horizontal axis of curves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Across {
    /// Optimizer steps.
    #[default]
    Steps,
    /// Passes over the training data; cells of different batch size are comparable in this unit.
    Epochs,
    /// Seconds that the cell ran, pauses excluded.
    Seconds,
}

impl Across {
    /// All axes.
    pub const ALL: [Self; 3] = [Self::Steps, Self::Epochs, Self::Seconds];

    /// Returns the name of the axis, which preferences and arguments use, too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Epochs => "epochs",
            Self::Seconds => "seconds",
        }
    }
}
