//! Max pooling.

use burn::tensor::module::max_pool2d_with_indices;
use burn::tensor::ops::MaxPoolOptions;

use super::Dual;

/// Side of the pooled square, and the stride.
const SIZE: usize = 2;

/// The largest of each 2×2 square; an odd last row or column is left out, as in PyTorch.
///
/// Tangent: that of the element which is the largest. The choice is locally constant, so it has no derivative of
/// its own, except where two elements tie, where the Hessian does not exist.
pub(super) fn max_pool(x: Dual<4>) -> Dual<4> {
    let [examples, channels, height, width] = x.value.dims();
    let (value, indices) = max_pool2d_with_indices(x.value, MaxPoolOptions::new([SIZE, SIZE]));
    let [_, _, rows, columns] = value.dims();
    let tangent = x.tangent.map(|dx| {
        dx.reshape([examples, channels, height * width])
            .gather(2, indices.reshape([examples, channels, rows * columns]))
            .reshape([examples, channels, rows, columns])
    });
    Dual { value, tangent }
}

/// Rows or columns after pooling.
pub(super) fn pooled(size: usize) -> usize {
    size / SIZE
}
