//! The negative of a matrix, for its smallest eigenvalue.

use burn::tensor::Tensor;

use super::operator::{Interrupted, SymmetricOperator};

/// The operator −H: its largest eigenvalue is the negative of the smallest eigenvalue of H. A product costs one product
/// with H.
///
/// ```
/// use burn::tensor::{DType, Device, Tensor};
/// use sharpness::curvature::{Negated, Search, largest_eigenvalue};
///
/// let on = (&Device::flex(), DType::F64);
/// let diagonal = Tensor::<1>::from_data([-5.0, 3.0, 1.0], on);
/// let start = Tensor::<1>::from_data([1.0, 1.0, 1.0], on);
/// let search = Search { tolerance: 1e-10, min_products: 0, max_products: 100, wanted_vectors: 1 };
/// let mut operator = |v: &Tensor<1>| diagonal.clone() * v.clone();
/// let found = largest_eigenvalue(&mut Negated::new(&mut operator), &[start], &search)?;
/// let lambda_min = -found.value;
/// assert!((lambda_min + 5.0).abs() < 1e-10);
/// # Ok::<(), sharpness::curvature::Interrupted>(())
/// ```
pub struct Negated<'a, O> {
    matrix: &'a mut O,
}

impl<'a, O: SymmetricOperator> Negated<'a, O> {
    /// Creates −H from H.
    pub fn new(matrix: &'a mut O) -> Self {
        Self { matrix }
    }
}

impl<O: SymmetricOperator> SymmetricOperator for Negated<'_, O> {
    fn allow_rounding(&mut self, allowed: bool) {
        self.matrix.allow_rounding(allowed);
    }

    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        Ok(-self.matrix.apply(v)?)
    }
}
