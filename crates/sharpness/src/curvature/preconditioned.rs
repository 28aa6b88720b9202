//! A matrix seen through a diagonal preconditioner.

use burn::tensor::Tensor;

use super::operator::{Interrupted, SymmetricOperator};

/// The operator P^−½ (H + δI) P^−½, for a symmetric H, a positive diagonal P and a number δ.
///
/// It has the eigenvalues of P⁻¹(H + δI), which decide whether steps w ← w − ηP⁻¹g are stable: its largest one is the
/// *preconditioned sharpness* (Cohen et al. 2022, "Adaptive gradient methods at the edge of stability"). With its unit
/// eigenvector u, P^−½u is the eigenvector of P⁻¹(H + δI). A product costs one product with H.
///
/// The rounding error of H is amplified by up to 1/min P. Where P is only as large as the optimizer's ε, because the
/// gradient is 0 up to rounding, this can be far more than the rounding error of H itself.
pub struct Preconditioned<'a, O> {
    matrix: &'a mut O,
    /// The diagonal of P^−½.
    scale: Tensor<1>,
    shift: f64,
}

impl<'a, O: SymmetricOperator> Preconditioned<'a, O> {
    /// Creates the operator from H, the diagonal of P, `[parameters]`, and δ, the weight decay that belongs to the
    /// gradient.
    pub fn new(matrix: &'a mut O, preconditioner: &Tensor<1>, shift: f64) -> Self {
        Self {
            matrix,
            scale: preconditioner.clone().sqrt().recip(),
            shift,
        }
    }
}

impl<O: SymmetricOperator> SymmetricOperator for Preconditioned<'_, O> {
    fn allow_rounding(&mut self, allowed: bool) {
        self.matrix.allow_rounding(allowed);
    }

    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        let scaled = v.clone() * self.scale.clone();
        let product = self.matrix.apply(&scaled)?;
        let product = if self.shift == 0.0 {
            product
        } else {
            product + scaled * self.shift
        };
        Ok(product * self.scale.clone())
    }
}
