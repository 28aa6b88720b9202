//! Max pooling with the indices of what was chosen.

use burn::tensor::Tensor;

use crate::tensors::{own, see};

/// Which number of each square was the largest, for the derivatives.
pub struct Pooled {
    /// In its image, row after row, [examples, channels, rows, columns].
    indices: tch::Tensor,
    /// Of the images.
    shape: [usize; 4],
}

/// The largest of each square of side `size`, the first of equals in reading order; rows and columns that are left over
/// are not looked at.
pub fn max_pool(x: &Tensor<4>, size: usize) -> (Tensor<4>, Pooled) {
    let size = [i64::try_from(size).unwrap_or(i64::MAX); 2];
    let (y, indices) = see(x).max_pool2d_with_indices(size, size, [0, 0], [1, 1], false);
    let shape = x.dims();
    (own(y), Pooled { indices, shape })
}

impl Pooled {
    /// What stands in `x` where the largest was.
    pub fn choose(&self, x: &Tensor<4>) -> Tensor<4> {
        let chosen = see(x).flatten(2, 3).gather(2, &self.indices.flatten(2, 3), false);
        own(chosen.view_as(&self.indices))
    }

    /// `delta` where the largest was, and 0 elsewhere: the adjoint of [`Self::choose`].
    pub fn put_back(&self, delta: &Tensor<4>) -> Tensor<4> {
        let delta = see(delta);
        let [examples, channels, height, width] = self.shape.map(|size| i64::try_from(size).unwrap_or(i64::MAX));
        let options = (delta.kind(), delta.device());
        let mut images = tch::Tensor::zeros([examples, channels, height * width], options);
        // Each place is chosen at most once, so that there is nothing to be added up.
        let images = images.scatter_(2, &self.indices.flatten(2, 3), &delta.flatten(2, 3));
        own(images.view([examples, channels, height, width]))
    }
}
