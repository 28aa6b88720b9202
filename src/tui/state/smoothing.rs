//! How much the curves are smoothed.

/// Strength of the smoothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Smoothing {
    /// No smoothing.
    #[default]
    Off,
    /// Light smoothing.
    Light,
    /// Strong smoothing.
    Strong,
}

impl Smoothing {
    pub(in crate::tui) fn next(self) -> Self {
        match self {
            Self::Off => Self::Light,
            Self::Light => Self::Strong,
            Self::Strong => Self::Off,
        }
    }

    /// Returns how many neighbouring measurements each mean covers; `None` without smoothing.
    pub(in crate::tui) fn points(self) -> Option<usize> {
        match self {
            Self::Off => None,
            Self::Light => Some(9),
            Self::Strong => Some(41),
        }
    }
}
