//! Symmetric matrices, given by their products with vectors.

use burn::tensor::Tensor;

/// The error of a measurement that was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the measurement was interrupted")]
pub struct Interrupted;

/// A symmetric linear map.
pub trait SymmetricOperator {
    /// Returns H v, for v of the operator's dimension.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if the operator was asked to stop.
    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted>;

    /// Allows or forbids rounding in later products where this is faster, for example to the ten bits of TF32. At first
    /// it is forbidden.
    ///
    /// An operator whose products are always exact can ignore this call.
    fn allow_rounding(&mut self, _allowed: bool) {}
}

impl<F: FnMut(&Tensor<1>) -> Tensor<1>> SymmetricOperator for F {
    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        Ok(self(v))
    }
}
