//! Max pooling.

#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "tch")]
mod libtorch;

use burn::tensor::module::max_pool2d_with_indices_backward;
use burn::tensor::{Int, Tensor, TensorData};

use crate::model::holding::{Holding, ImageShape, size};
use crate::model::layer::Layer;
use crate::model::node::{LinearMap, Node, Signal};
use crate::model::parameters::{Layout, Parts};
use crate::model::pass::Pass;

/// Side of the pooled square, and the stride.
const SIZE: usize = 2;

/// Max pooling: the largest of each 2×2 square.
#[derive(Clone, Copy)]
pub(crate) struct MaxPool;

impl Layer for MaxPool {
    fn forward(&self, _: &Parts, x: Signal, _: &mut Pass) -> (Signal, Box<dyn Node>) {
        forward(x)
    }

    /// Declares that the choices are kept: on flex one byte each, a quarter of a 32-bit number; on LibTorch eight bytes
    /// each.
    fn holding(&self, _: &Layout, [channels, height, width]: ImageShape, _: bool) -> Holding {
        let output = [channels, pooled(height), pooled(width)];
        Holding {
            remembered: if cfg!(feature = "tch") {
                2 * size(output)
            } else {
                size(output) / 4
            },
            ..Holding::nothing(output)
        }
    }
}

/// Returns the largest of each 2×2 square, in the fastest way for the device of `x`.
fn forward(x: Signal) -> (Signal, Box<dyn Node>) {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(&x) {
        let (y, point) = libtorch::forward(&x);
        return (y, Box::new(point));
    }
    #[cfg(feature = "flex")]
    if sharptui_flex::is_here(&x) {
        let (y, point) = flex::forward(&x);
        return (y, Box::new(point));
    }
    let (y, point) = max_pool(x);
    (y, Box::new(point))
}

/// Returns the largest of each 2×2 square. It ignores an odd last row or column, as PyTorch does.
///
/// It compares columns first and then rows. Among equals this gives PyTorch's choice, the first in reading order. The
/// back ends' own forward pass takes several times as long; their backward pass does not.
fn max_pool(x: Signal) -> (Signal, Point) {
    let (left, right) = columns(&x);
    let is_left = Choice::larger(&left, &right);
    let (top, bottom) = rows(is_left.choose(left, right));
    let is_top = Choice::larger(&top, &bottom);
    let [examples, channels, height, _, width] = top.dims();
    let y = is_top.choose(top, bottom).reshape([examples, channels, height, width]);
    let point = Point { x, is_left, is_top };
    (y, point)
}

/// Returns the number of rows or columns after 2×2 max pooling.
pub fn pooled(size: usize) -> usize {
    size / SIZE
}

/// Returns the left and the right column of each square, [examples, channels, rows, squares a row, 1].
fn columns(x: &Signal) -> (Tensor<5>, Tensor<5>) {
    let [examples, channels, height, width] = x.dims();
    let (height, squares) = (pooled(height) * SIZE, pooled(width));
    let even = x
        .clone()
        .slice([0..examples, 0..channels, 0..height, 0..squares * SIZE]);
    halves(even.reshape([examples, channels, height, squares, SIZE]), 4)
}

/// Returns the top and the bottom row of each square, [examples, channels, squares a column, 1, squares a row].
fn rows(x: Tensor<5>) -> (Tensor<5>, Tensor<5>) {
    let [examples, channels, height, width, _] = x.dims();
    halves(x.reshape([examples, channels, height / SIZE, SIZE, width]), 3)
}

fn halves(x: Tensor<5>, dim: usize) -> (Tensor<5>, Tensor<5>) {
    (x.clone().narrow(dim, 0, 1), x.narrow(dim, 1, 1))
}

/// The choice of the larger element of two tensors, as factors 1 and 0: products are faster than masks.
struct Choice {
    first: Tensor<5>,
    second: Tensor<5>,
}

impl Choice {
    /// Chooses the larger element; among equals the one of `a`.
    fn larger(a: &Tensor<5>, b: &Tensor<5>) -> Self {
        let first = a.clone().greater_equal(b.clone()).float().cast(a.dtype());
        let second = first.clone().neg() + 1.0;
        Self { first, second }
    }

    /// Returns the chosen elements of `a` and `b`. If one of the two elements is not finite, the result is not finite.
    fn choose(&self, a: Tensor<5>, b: Tensor<5>) -> Tensor<5> {
        a * self.first.clone() + b * self.second.clone()
    }
}

/// The choice of the largest element of each square.
///
/// The choice is locally constant, so it has no derivative. Squares where two elements tie are an exception: there the
/// Hessian does not exist.
struct Point {
    x: Signal,
    is_left: Choice,
    is_top: Choice,
}

impl Point {
    /// Returns the position of each output's element in its image, row by row, [examples, channels, height, width].
    fn indices(&self) -> Tensor<4, Int> {
        let [_, _, _, width] = self.x.dims();
        let [examples, channels, height, _, squares] = self.is_top.first.dims();
        let corners = (0..height * squares).map(|i| (i / squares * width + i % squares) * SIZE);
        let corners: Vec<f32> = corners.map(|corner| corner as f32).collect();
        let options = (&self.x.device(), self.x.dtype());
        let corners = Tensor::<5>::from_data(TensorData::new(corners, [1, 1, height, 1, squares]), options);
        // The second element of a pair is one row or one column after the first.
        let (top, bottom) = rows(self.is_left.second.clone());
        let column = self.is_top.choose(top, bottom);
        let row = self.is_top.second.clone() * width as f64;
        (corners + row + column)
            .int()
            .reshape([examples, channels, height, squares])
    }
}

impl LinearMap for Point {
    fn apply(&self, x: Signal) -> Signal {
        let (left, right) = columns(&x);
        let (top, bottom) = rows(self.is_left.choose(left, right));
        let [examples, channels, height, _, width] = top.dims();
        self.is_top
            .choose(top, bottom)
            .reshape([examples, channels, height, width])
    }

    fn adjoint(&self, delta: Signal) -> Signal {
        let (size, none) = ([SIZE, SIZE], [0, 0]);
        let (x, indices) = (self.x.clone(), self.indices());
        max_pool2d_with_indices_backward(x, size, size, none, [1, 1], false, delta, indices)
    }
}
