//! ReLU on burn-flex, by our own operations on its tensors.

use sharptui_flex::{relu, times_slope};

use crate::model::node::{LinearMap, Signal};

/// y, in the place of x if nobody else has it.
pub(super) fn forward(x: Signal) -> (Signal, Point) {
    let y = relu(x).unwrap_or_else(|| panic!("{ELSEWHERE}"));
    (y.clone(), Point { y })
}

/// max(x, 0), which has the sign of the slope; locally linear.
pub(super) struct Point {
    y: Signal,
}

impl LinearMap for Point {
    fn apply(&self, x: Signal) -> Signal {
        times_slope(&self.y, &x).unwrap_or_else(|| panic!("{ELSEWHERE}"))
    }

    fn adjoint(&self, delta: Signal) -> Signal {
        self.apply(delta)
    }
}

const ELSEWHERE: &str = "all tensors of a pass are on one device and of one format";
