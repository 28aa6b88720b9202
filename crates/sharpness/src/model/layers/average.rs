//! Global average pooling.

use crate::model::holding::{Holding, ImageShape};
use crate::model::layer::Layer;
use crate::model::node::{LinearMap, Node, Signal};
use crate::model::parameters::{Layout, Parts};
use crate::model::pass::Pass;

/// The mean of each channel over its image, [examples, channels, 1, 1].
#[derive(Clone, Copy)]
pub(crate) struct Average;

impl Layer for Average {
    fn forward(&self, _: &Parts, x: Signal, _: &mut Pass) -> (Signal, Box<dyn Node>) {
        let point = Point { shape: x.dims() };
        (point.apply(x), Box::new(point))
    }

    /// Declares an output of one number for each channel.
    fn holding(&self, _: &Layout, [channels, _, _]: ImageShape, _: bool) -> Holding {
        Holding::nothing([channels, 1, 1])
    }
}

/// The mean over images of one size. It is linear, so it is the same at every x.
struct Point {
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
