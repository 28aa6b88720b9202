//! Global average pooling.

use super::node::{Kept, Node, Signal};
use super::{Gradient, Parts};

/// The mean of each channel over its image, [examples, channels, 1, 1].
pub(super) fn average(x: Signal) -> (Signal, Point) {
    let point = Point { shape: x.dims() };
    (point.mean(x), point)
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

    fn mean(&self, x: Signal) -> Signal {
        x.sum_dims(&[2, 3]) / self.count()
    }
}

impl Node for Point {
    fn backward(&self, delta: &Signal, to_input: bool, _: Option<&mut Gradient>) -> Option<Signal> {
        to_input.then(|| (delta.clone() / self.count()).expand(self.shape))
    }

    fn tangent(&self, _: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        (dx.map(|dx| self.mean(dx.clone())), Kept::new())
    }

    fn backward_tangent(
        &self,
        _: &Parts,
        _: &Kept,
        _: &Signal,
        delta_dot: &Signal,
        to_input: bool,
        _: &mut Gradient,
    ) -> Option<Signal> {
        self.backward(delta_dot, to_input, None)
    }
}
