//! The horizontal axis of the curves in a report.

use crate::curve;
use crate::event::Point;

/// The horizontal axis of the curves.
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
    /// Returns the label of the axis.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Steps => "step",
            Self::Epochs => "epoch",
            Self::Seconds => "seconds",
        }
    }

    /// Returns the coordinate of a point; `None` if it is unknown.
    pub(super) fn of(self, point: &Point) -> Option<f64> {
        let coordinate = match self {
            Self::Steps => point.step as f64,
            Self::Epochs => point.epoch,
            Self::Seconds => point.seconds,
        };
        coordinate.is_finite().then_some(coordinate)
    }

    /// Returns the coordinate of a point as a whole number of steps, or of thousandths.
    pub(super) fn place(self, point: &Point) -> Option<u64> {
        match self {
            Self::Steps => Some(point.step),
            Self::Epochs | Self::Seconds => self.of(point).map(curve::place),
        }
    }

    /// Returns the coordinate of a place.
    pub(super) fn coordinate(self, place: u64) -> f64 {
        match self {
            Self::Steps => place as f64,
            Self::Epochs | Self::Seconds => place as f64 / curve::PLACES,
        }
    }
}
