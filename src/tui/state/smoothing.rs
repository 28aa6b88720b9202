//! How much the curves are smoothed.

/// How much is smoothed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Smoothing {
    /// Nothing.
    #[default]
    Off,
    /// A little.
    Light,
    /// Much.
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

    /// Over how many neighbouring measurements.
    pub(in crate::tui) fn points(self) -> Option<usize> {
        match self {
            Self::Off => None,
            Self::Light => Some(9),
            Self::Strong => Some(41),
        }
    }
}
