//! Symmetric matrices, known by their products with vectors.

use burn::tensor::Tensor;

/// A measurement was asked to stop before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the measurement was interrupted")]
pub struct Interrupted;

/// A symmetric linear map.
pub trait SymmetricOperator {
    /// H v, for v of the operator's dimension.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] when asked to stop.
    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted>;

    /// Allows or forbids rounding of the products that follow, say to the ten bits of TF32, where that is faster. At first it
    /// is forbidden.
    ///
    /// An operator whose products are always exact need not listen.
    fn allow_rounding(&mut self, _allowed: bool) {}
}

impl<F: FnMut(&Tensor<1>) -> Tensor<1>> SymmetricOperator for F {
    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        Ok(self(v))
    }
}
