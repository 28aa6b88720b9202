//! LibTorch's own max pooling.

use sharptui_libtorch::{Pooled, max_pool};

use super::SIZE;
use crate::model::node::{LinearMap, Signal};

pub(super) fn forward(x: &Signal) -> (Signal, Point) {
    let (y, pooled) = max_pool(x, SIZE);
    (y, Point(pooled))
}

pub(super) struct Point(Pooled);

impl LinearMap for Point {
    fn apply(&self, x: Signal) -> Signal {
        self.0.choose(&x)
    }

    fn adjoint(&self, delta: Signal) -> Signal {
        self.0.put_back(&delta)
    }
}
