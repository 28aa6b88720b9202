//! Max pooling.

use burn::tensor::module::{max_pool2d_with_indices, max_pool2d_with_indices_backward};
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Int, Tensor};

use super::node::{Kept, Node, Signal};
use super::{Gradient, Parts};

/// Side of the pooled square, and the stride.
const SIZE: usize = 2;

/// The largest of each 2×2 square; an odd last row or column is left out, as in PyTorch.
pub(super) fn max_pool(x: Signal) -> (Signal, Point) {
    let (y, indices) = max_pool2d_with_indices(x.clone(), MaxPoolOptions::new([SIZE, SIZE]));
    (y, Point { x, indices })
}

/// Rows or columns after pooling.
pub(super) fn pooled(size: usize) -> usize {
    size / SIZE
}

/// Which element of each square is the largest.
///
/// The choice is locally constant, so it has no derivative of its own, except where two elements tie, where the
/// Hessian does not exist.
pub(super) struct Point {
    x: Signal,
    /// Position in the image of each output.
    indices: Tensor<4, Int>,
}

impl Node for Point {
    fn backward(&self, delta: &Signal, to_input: bool, _: Option<&mut Gradient>) -> Option<Signal> {
        to_input.then(|| {
            let (size, none) = ([SIZE, SIZE], [0, 0]);
            let (x, indices) = (self.x.clone(), self.indices.clone());
            max_pool2d_with_indices_backward(x, size, size, none, [1, 1], false, delta.clone(), indices)
        })
    }

    fn tangent(&self, _: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        let dy = dx.map(|dx| {
            let [examples, channels, height, width] = dx.dims();
            let [_, _, rows, columns] = self.indices.dims();
            dx.clone()
                .reshape([examples, channels, height * width])
                .gather(2, self.indices.clone().reshape([examples, channels, rows * columns]))
                .reshape([examples, channels, rows, columns])
        });
        (dy, Kept::new())
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
