//! ReLU by LibTorch's own operations.

use burn::tensor::activation::relu;
use sharptui_libtorch::relu_backward;

use crate::model::node::{LinearMap, Signal};

/// y, in the place of x if nobody else has it.
pub(super) fn forward(x: Signal) -> (Signal, Point) {
    let y = relu(x);
    (y.clone(), Point { y })
}

/// max(x, 0), which has the sign of the slope; locally linear.
pub(super) struct Point {
    y: Signal,
}

impl LinearMap for Point {
    fn apply(&self, x: Signal) -> Signal {
        relu_backward(&x, &self.y)
    }

    fn adjoint(&self, delta: Signal) -> Signal {
        self.apply(delta)
    }
}
