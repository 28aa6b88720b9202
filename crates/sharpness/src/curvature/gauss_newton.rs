//! The Gauss–Newton matrix of the mean loss: the part of the Hessian that remains if the network is linearized.

use burn::tensor::Tensor;

use super::mean_loss::{ChunkMatrix, MeanLoss, MeanMatrix};
use super::operator::{Interrupted, SymmetricOperator};
use crate::model::{Examples, Jacobian};

/// The (generalized) Gauss–Newton matrix G = (1/n) Σᵢ Jᵢᵀ (∂²ℓᵢ/∂zᵢ²) Jᵢ, as an operator on vectors, where zᵢ are the
/// outputs of example i and Jᵢ = ∂zᵢ/∂w (Schraudolph 2002, "Fast curvature matrix-vector products for second-order
/// gradient descent").
///
/// H = G + (1/n) Σᵢ Σₖ (∂ℓᵢ/∂zᵢₖ) ∂²zᵢₖ/∂w². G has no negative eigenvalue, because both losses are convex in z. For
/// cross-entropy it is the Fisher information matrix. Without batch statistics zᵢ depends on example i alone; with them,
/// J and the sum are those of all outputs of a chunk.
///
/// The first product runs the network. If all examples are in one chunk, later products reuse this pass. Each product
/// costs about the time of one gradient, less than a product with the [`Hessian`](super::Hessian), and the memory of one
/// chunk's activations.
pub struct GaussNewton<'a>(MeanMatrix<'a, Jacobian<'a>>);

impl<'a> ChunkMatrix<'a> for Jacobian<'a> {
    fn at(mean_loss: &MeanLoss<'a>, parameters: &Tensor<1>, chunk: &Examples) -> Self {
        let mut running = mean_loss.running.to_vec();
        let mut pass = mean_loss.pass(&mut running);
        Self::new(mean_loss.network, mean_loss.loss, parameters, chunk, &mut pass)
    }

    fn product(&self, v: &Tensor<1>) -> Tensor<1> {
        self.gauss_newton_product(v)
    }
}

impl<'a> GaussNewton<'a> {
    /// Creates the Gauss–Newton matrix of `mean_loss` at `parameters`, `[parameters]`. `go_on` is called before each
    /// chunk of a product; if it returns false, the product is interrupted.
    pub fn new(mean_loss: MeanLoss<'a>, parameters: &'a Tensor<1>, go_on: &'a mut dyn FnMut() -> bool) -> Self {
        Self(MeanMatrix::new(mean_loss, parameters, go_on))
    }

    /// Keeps the passes of all chunks for later products if there are at most `examples` examples in total.
    #[must_use]
    pub fn keeping(self, examples: usize) -> Self {
        Self(self.0.keeping(examples))
    }
}

impl SymmetricOperator for GaussNewton<'_> {
    /// Rounds products to TF32 if the device supports it. The kept passes stay exact.
    fn allow_rounding(&mut self, allowed: bool) {
        self.0.allow_rounding(allowed);
    }

    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        self.0.apply(v)
    }
}
