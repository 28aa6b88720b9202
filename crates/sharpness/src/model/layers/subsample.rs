//! The shortcut without parameters of a residual block that halves the image and adds channels.

use burn::tensor::{Tensor, s};

use crate::model::holding::{Holding, ImageShape};
use crate::model::layer::Layer;
use crate::model::node::{LinearMap, Node, Signal};
use crate::model::parameters::{Layout, Parts};
use crate::model::pass::Pass;

/// Subsampling: every second row and column, starting with the first, and zeros for the channels after those of x, up
/// to `outputs`.
///
/// Option A of He et al. (2016), section 3.3; in PyTorch `F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, outputs - inputs))`.
#[derive(Clone, Copy)]
pub(crate) struct Subsample {
    pub(crate) outputs: usize,
}

impl Layer for Subsample {
    fn forward(&self, _: &Parts, x: Signal, _: &mut Pass) -> (Signal, Box<dyn Node>) {
        let point = Point {
            shape: x.dims(),
            outputs: self.outputs,
        };
        (point.apply(x), Box::new(point))
    }

    /// Declares an output of a quarter of each channel, and zeros.
    fn holding(&self, _: &Layout, [_, height, width]: ImageShape, _: bool) -> Holding {
        Holding::nothing([self.outputs, halved(height), halved(width)])
    }
}

/// Returns the number of rows or columns after subsampling, the same as after a convolution of stride 2.
fn halved(size: usize) -> usize {
    size.div_ceil(2)
}

/// Subsampling of images of one size. It is linear, so it is the same at every x.
struct Point {
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

    /// Returns δ where x was read, 0 elsewhere.
    fn adjoint(&self, delta: Signal) -> Signal {
        let [examples, inputs, height, width] = self.shape;
        let (rows, columns) = (halved(height), halved(width));
        let delta = with_zeros(
            delta.narrow(1, 0, inputs).reshape([examples, inputs, rows, columns, 1]),
            4,
        );
        let delta = with_zeros(delta.reshape([examples, inputs, rows, 1, columns * 2]), 3);
        let delta = delta.reshape([examples, inputs, rows * 2, columns * 2]);
        // An odd size has no row or column after its last.
        delta.slice([0..examples, 0..inputs, 0..height, 0..width])
    }
}

fn with_zeros(x: Tensor<5>, dim: usize) -> Tensor<5> {
    let zeros = x.zeros_like();
    Tensor::cat(vec![x, zeros], dim)
}
