//! The shortcut without parameters of a residual block that halves the image and widens the channels.

use burn::tensor::{Tensor, s};

use super::footprint::{Holding, ImageShape};
use super::node::{LinearMap, Signal};

/// Every second row and column, the first among them, and zeros for the channels behind those of x up to `outputs`.
///
/// Option A of He et al. (2016), section 3.3; in PyTorch `F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, outputs - inputs))`.
pub(super) fn subsample(x: Signal, outputs: usize) -> (Signal, Point) {
    let point = Point {
        shape: x.dims(),
        outputs,
    };
    (point.apply(x), point)
}

/// Rows or columns after subsampling, as a convolution of stride 2 leaves them.
pub(super) fn halved(size: usize) -> usize {
    size.div_ceil(2)
}

/// A quarter of each channel, and zeros.
pub(super) fn holding([_, height, width]: ImageShape, outputs: usize) -> Holding {
    Holding::nothing([outputs, halved(height), halved(width)])
}

/// Subsampling of images of one size; it is linear, so the same everywhere.
pub(super) struct Point {
    /// [examples, channels, height, width] of the input.
    shape: [usize; 4],
    outputs: usize,
}

impl LinearMap for Point {
    fn apply(&self, x: Signal) -> Signal {
        let [examples, inputs, height, width] = self.shape;
        let kept = x.slice(s![.., .., 0..height;2, 0..width;2]);
        let zeros = Tensor::zeros(
            [examples, self.outputs - inputs, halved(height), halved(width)],
            (&kept.device(), kept.dtype()),
        );
        Tensor::cat(vec![kept, zeros], 1)
    }

    /// δ where x was read, 0 elsewhere.
    fn adjoint(&self, delta: Signal) -> Signal {
        let [examples, inputs, height, width] = self.shape;
        let (rows, columns) = (halved(height), halved(width));
        let delta = with_zeros(
            delta.narrow(1, 0, inputs).reshape([examples, inputs, rows, columns, 1]),
            4,
        );
        let delta = with_zeros(delta.reshape([examples, inputs, rows, 1, columns * 2]), 3);
        let delta = delta.reshape([examples, inputs, rows * 2, columns * 2]);
        // An odd size has no row or column behind its last.
        delta.slice([0..examples, 0..inputs, 0..height, 0..width])
    }
}

fn with_zeros(x: Tensor<5>, dim: usize) -> Tensor<5> {
    let zeros = x.zeros_like();
    Tensor::cat(vec![x, zeros], dim)
}
