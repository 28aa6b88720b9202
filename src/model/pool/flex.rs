//! Max pooling on burn-flex, by our own operations on its tensors.

use sharptui_flex::{Choices, max_pool};

use crate::model::node::{LinearMap, Signal};

/// `None` where x is elsewhere.
pub(super) fn forward(x: &Signal) -> Option<(Signal, Point)> {
    let (y, choices) = max_pool(x)?;
    Some((y, Point(choices)))
}

/// Which number of each square is the largest; locally constant.
pub(super) struct Point(Choices);

impl LinearMap for Point {
    fn apply(&self, x: Signal) -> Signal {
        self.0.of(&x).unwrap_or_else(|| panic!("{ELSEWHERE}"))
    }

    fn adjoint(&self, delta: Signal) -> Signal {
        self.0.scattered(&delta).unwrap_or_else(|| panic!("{ELSEWHERE}"))
    }
}

const ELSEWHERE: &str = "all tensors of a pass are on one device and of one format";
