//! ReLU by LibTorch's own operations.

use burn::tensor::activation::relu;
use sharptui_libtorch::relu_backward;

use crate::model::node::{LinearMap, Signal};

/// Returns y, which replaces x in memory if no other tensor shares that memory.
pub(super) fn forward(x: Signal) -> (Signal, Point) {
    let y = relu(x);
    (y.clone(), Point { y })
}

/// max(x, 0), which is above 0 exactly where the slope is 1. It is locally linear.
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
