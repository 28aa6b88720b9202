//! What a report needs of the horizontal axis of its curves.

use crate::curve::{self, Across};
use crate::event::Point;

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
    pub(super) fn place_of(self, point: &Point) -> Option<u64> {
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
