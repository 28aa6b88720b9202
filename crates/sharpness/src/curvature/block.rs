//! A diagonal block of a matrix: the curvature of some of the parameters, while the others are constant.

use std::ops::Range;

use burn::tensor::Tensor;

use super::operator::{Interrupted, SymmetricOperator};

/// The block EᵀHE of a symmetric H, where E pads a vector of the block's length with zeros.
///
/// With H the Hessian and the range of a layer, the block is the Hessian with respect to this layer's parameters. Its
/// largest eigenvalue is at most λ_max of H. [`Layout::layers`](crate::model::Layout::layers) and
/// [`Entry::range`](crate::model::Entry::range) give the ranges. A product costs one product with H.
///
/// ```
/// use burn::tensor::{DType, Device, Tensor};
/// use sharpness::curvature::{Block, SymmetricOperator};
///
/// let on = (&Device::flex(), DType::F64);
/// let diagonal = Tensor::<1>::from_data([5.0, 3.0, 2.0], on);
/// let mut matrix = |v: &Tensor<1>| diagonal.clone() * v.clone();
/// let mut block = Block::new(&mut matrix, 1..3, 3);
/// let product = block.apply(&Tensor::from_data([1.0, 10.0], on))?;
/// assert_eq!(product.into_data_as::<f64>().iter::<f64>().collect::<Vec<_>>(), [3.0, 20.0]);
/// # Ok::<(), sharpness::curvature::Interrupted>(())
/// ```
pub struct Block<'a, O> {
    matrix: &'a mut O,
    range: Range<usize>,
    /// The dimension of the whole matrix.
    dimension: usize,
}

impl<'a, O: SymmetricOperator> Block<'a, O> {
    /// Creates the block of the rows and columns in `range` of a matrix of `dimension` rows.
    ///
    /// # Panics
    ///
    /// If the range is empty or not inside of the matrix.
    pub fn new(matrix: &'a mut O, range: Range<usize>, dimension: usize) -> Self {
        assert!(
            !range.is_empty() && range.end <= dimension,
            "no block {range:?} in {dimension} rows"
        );
        Self {
            matrix,
            range,
            dimension,
        }
    }
}

impl<O: SymmetricOperator> SymmetricOperator for Block<'_, O> {
    fn allow_rounding(&mut self, allowed: bool) {
        self.matrix.allow_rounding(allowed);
    }

    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        let zeros = |length: usize| Tensor::zeros([length], (&v.device(), v.dtype()));
        let (before, after) = (self.range.start, self.dimension - self.range.end);
        let mut parts = vec![v.clone()];
        if before > 0 {
            parts.insert(0, zeros(before));
        }
        if after > 0 {
            parts.push(zeros(after));
        }
        let product = self.matrix.apply(&Tensor::cat(parts, 0))?;
        Ok(product.slice(self.range.clone()))
    }
}
