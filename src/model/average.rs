//! Global average pooling.

use super::footprint::{Holding, ImageShape};
use super::node::{LinearMap, Signal};

/// The mean of each channel over its image, [examples, channels, 1, 1].
pub(super) fn average(x: Signal) -> (Signal, Point) {
    let point = Point { shape: x.dims() };
    (point.apply(x), point)
}

/// A number a channel comes out.
pub(super) fn holding([channels, _, _]: ImageShape) -> Holding {
    Holding::nothing([channels, 1, 1])
}

/// The mean over images of one size; it is linear, so the same everywhere.
pub(super) struct Point {
    /// [examples, channels, height, width] of the input.
    shape: [usize; 4],
}

impl Point {
    fn count(&self) -> f64 {
        (self.shape[2] * self.shape[3]) as f64
    }
}

impl LinearMap for Point {
    fn apply(&self, x: Signal) -> Signal {
        x.sum_dims(&[2, 3]) / self.count()
    }

    fn adjoint(&self, delta: Signal) -> Signal {
        (delta / self.count()).expand(self.shape)
    }
}
