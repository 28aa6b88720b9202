//! Max pooling with the indices of the chosen numbers.

use burn::tensor::Tensor;

use crate::tensors::{own, see};

/// The position of the largest number of each square, for the derivatives.
pub struct Pooled {
    /// Positions in the image, in row-major order, [examples, channels, rows, columns].
    indices: tch::Tensor,
    /// Shape of the images.
    shape: [usize; 4],
}

/// Returns the largest number of each square of side `size`, the first of equals in reading order. Rows and columns
/// that are left over are ignored.
pub fn max_pool(x: &Tensor<4>, size: usize) -> (Tensor<4>, Pooled) {
    let size = [i64::try_from(size).unwrap_or(i64::MAX); 2];
    let (y, indices) = see(x).max_pool2d_with_indices(size, size, [0, 0], [1, 1], false);
    let shape = x.dims();
    (own(y), Pooled { indices, shape })
}

impl Pooled {
    /// Returns the numbers of `x` at the chosen positions.
    pub fn choose(&self, x: &Tensor<4>) -> Tensor<4> {
        let chosen = see(x).flatten(2, 3).gather(2, &self.indices.flatten(2, 3), false);
        own(chosen.view_as(&self.indices))
    }

    /// Returns `delta` at the chosen positions, and 0 elsewhere: the adjoint of [`Self::choose`].
    pub fn put_back(&self, delta: &Tensor<4>) -> Tensor<4> {
        let delta = see(delta);
        let [examples, channels, height, width] = self.shape.map(|size| i64::try_from(size).unwrap_or(i64::MAX));
        let options = (delta.kind(), delta.device());
        let mut images = tch::Tensor::zeros([examples, channels, height * width], options);
        // Each position is chosen at most once, so no numbers are added up.
        let images = images.scatter_(2, &self.indices.flatten(2, 3), &delta.flatten(2, 3));
        own(images.view([examples, channels, height, width]))
    }
}
