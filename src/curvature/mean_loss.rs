//! The mean loss over a fixed set of examples, and its exact Hessian-vector products.

use burn::tensor::Tensor;

use super::{Interrupted, SymmetricOperator};
use crate::model::{Examples, Leaves, Loss, Network, Normalization, Pass, RunningStatistics, loss_tangent_sum};

/// L(w) = (1/n) Σᵢ ℓ(f(xᵢ; w), yᵢ): dropout off, no weight-decay term.
#[derive(Clone, Copy)]
pub struct MeanLoss<'a> {
    /// f.
    pub network: &'a Network,
    /// ℓ.
    pub loss: Loss,
    /// The (xᵢ, yᵢ).
    pub examples: &'a Examples,
    /// Examples in one pass. With batch statistics this is also the group that shares them.
    pub chunk: usize,
    /// Which batch-norm statistics f uses.
    pub normalization: Normalization,
    /// The running statistics at w, for [`Normalization::Running`].
    pub running: &'a [RunningStatistics],
}

impl MeanLoss<'_> {
    /// H(w) v, `[parameters]`, exactly, for w and v of `[parameters]`.
    ///
    /// Reverse over forward (Pearlmutter 1994): the network is run on dual numbers along v, which gives
    /// ⟨∇L(w), v⟩ as an ordinary first-order scalar; its gradient with respect to w is H v. `go_on` is asked before each
    /// chunk.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] as soon as `go_on` says false.
    pub fn hessian_vector_product(
        &self,
        parameters: &Tensor<1>,
        v: &Tensor<1>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Tensor<1>, Interrupted> {
        let mut running = self.running.to_vec();
        let mut total = v.zeros_like();
        for chunk in self.examples.chunks(self.chunk) {
            if !go_on() {
                return Err(Interrupted);
            }
            let leaves = Leaves::along(self.network.layout(), parameters, v);
            let mut pass = Pass {
                dropout: None,
                normalization: self.normalization,
                running: &mut running,
                observe: false,
            };
            let outputs = self.network.forward(&leaves, chunk.images.clone(), &mut pass);
            if let Some(slope) = loss_tangent_sum(self.loss, outputs, &chunk.labels) {
                total = total + leaves.gradient(&mut slope.backward());
            }
        }
        Ok(total / self.examples.len() as f64)
    }
}

/// The Hessian of a mean loss at given parameters, as an operator on vectors.
pub struct Hessian<'a> {
    /// The function.
    pub mean_loss: MeanLoss<'a>,
    /// Where, `[parameters]`.
    pub parameters: &'a Tensor<1>,
    /// Asked before each chunk whether to go on.
    pub go_on: &'a mut dyn FnMut() -> bool,
}

impl SymmetricOperator for Hessian<'_> {
    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        self.mean_loss.hessian_vector_product(self.parameters, v, self.go_on)
    }
}
