//! The mean loss over a fixed set of examples, and its exact Hessian-vector products.

use burn::tensor::Tensor;

use super::operator::{Interrupted, SymmetricOperator};
use crate::model::{
    Examples, Linearization, Loss, Network, Normalization, Pass, RunningStatistics, mean_loss_and_gradient,
};
use crate::tensor::{Rounding, can_round};

/// The mean loss L(w) = (1/n) Σᵢ ℓ(f(xᵢ; w), yᵢ), without dropout and without a weight-decay term.
#[derive(Clone, Copy)]
pub struct MeanLoss<'a> {
    /// The network f.
    pub network: &'a Network,
    /// The loss ℓ of one example.
    pub loss: Loss,
    /// The examples (xᵢ, yᵢ).
    pub examples: &'a Examples,
    /// Number of examples in one pass. With batch statistics, the examples of a pass share their statistics.
    pub chunk: usize,
    /// The batch-norm statistics that f uses.
    pub normalization: Normalization,
    /// The running statistics at w, for [`Normalization::Running`].
    pub running: &'a [RunningStatistics],
}

impl<'a> MeanLoss<'a> {
    /// Creates the mean loss over `examples` in one pass. If the network has batch norm, all examples share its batch
    /// statistics.
    pub fn new(network: &'a Network, loss: Loss, examples: &'a Examples) -> Self {
        Self {
            network,
            loss,
            examples,
            chunk: examples.len(),
            normalization: Normalization::Batch,
            running: &[],
        }
    }

    /// Returns L(w), `[1]`, and ∇L(w), `[parameters]`, for w of `[parameters]`.
    ///
    /// # Panics
    ///
    /// If there are no examples.
    pub fn value_and_gradient(&self, parameters: &Tensor<1>) -> (Tensor<1>, Tensor<1>) {
        let mut running = self.running.to_vec();
        let mut pass = self.pass(&mut running);
        mean_loss_and_gradient(
            self.network,
            self.loss,
            parameters,
            self.examples,
            self.chunk,
            &mut pass,
        )
    }

    /// Returns the exact product H(w) v, `[parameters]`, for w and v of `[parameters]`.
    ///
    /// For several products at one w, [`Hessian`] is faster. `go_on` is called before each chunk.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if `go_on` returns false.
    pub fn hessian_vector_product(
        &self,
        parameters: &Tensor<1>,
        v: &Tensor<1>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Tensor<1>, Interrupted> {
        Hessian::new(*self, parameters, go_on).keeping(0).apply(v)
    }

    pub(super) fn pass<'b>(&self, running: &'b mut [RunningStatistics]) -> Pass<'b> {
        Pass {
            dropout: None,
            normalization: self.normalization,
            running,
            observe: false,
        }
    }
}

/// The part of a symmetric matrix that belongs to one chunk of examples, at given parameters.
pub(super) trait ChunkMatrix<'a> {
    /// Runs the pass over `chunk` that all products share.
    fn at(mean_loss: &MeanLoss<'a>, parameters: &Tensor<1>, chunk: &Examples) -> Self;

    /// Returns the product with v, summed over the examples of the chunk.
    fn product(&self, v: &Tensor<1>) -> Tensor<1>;
}

/// The mean over all examples of a matrix that is computed in chunks.
pub(super) struct MeanMatrix<'a, M> {
    mean_loss: MeanLoss<'a>,
    parameters: &'a Tensor<1>,
    go_on: &'a mut dyn FnMut() -> bool,
    keeps: bool,
    rounds: bool,
    /// The matrices of the first chunks, in order, as far as products needed them.
    kept: Vec<M>,
}

impl<'a, M: ChunkMatrix<'a>> MeanMatrix<'a, M> {
    pub(super) fn new(mean_loss: MeanLoss<'a>, parameters: &'a Tensor<1>, go_on: &'a mut dyn FnMut() -> bool) -> Self {
        let matrix = Self {
            mean_loss,
            parameters,
            go_on,
            keeps: false,
            rounds: false,
            kept: Vec::new(),
        };
        matrix.keeping(mean_loss.chunk)
    }

    pub(super) fn keeping(mut self, examples: usize) -> Self {
        self.keeps = self.mean_loss.examples.len() <= examples;
        self
    }
}

impl<'a, M: ChunkMatrix<'a>> SymmetricOperator for MeanMatrix<'a, M> {
    /// Rounds products to TF32 if the device supports it. The kept passes stay exact.
    fn allow_rounding(&mut self, allowed: bool) {
        self.rounds = allowed && can_round(self.parameters);
    }

    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        let examples = self.mean_loss.examples;
        let mut total: Option<Tensor<1>> = None;
        for (index, chunk) in examples.chunks(self.mean_loss.chunk).enumerate() {
            if !(self.go_on)() {
                return Err(Interrupted);
            }
            let rounds = self.rounds;
            let of = |matrix: &M| {
                let _rounding = rounds.then(|| Rounding::to_tf32(true));
                matrix.product(v)
            };
            let product = if let Some(matrix) = self.kept.get(index) {
                of(matrix)
            } else {
                let matrix = M::at(&self.mean_loss, self.parameters, &chunk);
                let product = of(&matrix);
                if self.keeps {
                    self.kept.push(matrix);
                }
                product
            };
            total = Some(match total {
                Some(total) => total + product,
                None => product,
            });
        }
        Ok(total.unwrap_or_else(|| v.zeros_like()) / examples.len() as f64)
    }
}

impl<'a> ChunkMatrix<'a> for Linearization<'a> {
    fn at(mean_loss: &MeanLoss<'a>, parameters: &Tensor<1>, chunk: &Examples) -> Self {
        let mut running = mean_loss.running.to_vec();
        let mut pass = mean_loss.pass(&mut running);
        Self::new(mean_loss.network, mean_loss.loss, parameters, chunk, &mut pass)
    }

    fn product(&self, v: &Tensor<1>) -> Tensor<1> {
        Self::product(self, v)
    }
}

/// The Hessian of a mean loss at given parameters, as an operator on vectors.
///
/// The first product runs the network and backpropagates through it. If all examples are in one chunk, later products
/// reuse this pass and compute only the two passes of a directional derivative.
///
/// Each product costs the time of 1.5 to 2 gradients, and the memory of one chunk's activations.
pub struct Hessian<'a>(MeanMatrix<'a, Linearization<'a>>);

impl<'a> Hessian<'a> {
    /// Creates the Hessian of `mean_loss` at `parameters`, `[parameters]`. `go_on` is called before each chunk of a
    /// product; if it returns false, the product is interrupted.
    pub fn new(mean_loss: MeanLoss<'a>, parameters: &'a Tensor<1>, go_on: &'a mut dyn FnMut() -> bool) -> Self {
        Self(MeanMatrix::new(mean_loss, parameters, go_on))
    }

    /// Keeps the passes of all chunks for later products if there are at most `examples` examples in total.
    #[must_use]
    pub fn keeping(self, examples: usize) -> Self {
        Self(self.0.keeping(examples))
    }
}

impl SymmetricOperator for Hessian<'_> {
    /// Rounds products to TF32 if the device supports it. The kept passes stay exact.
    fn allow_rounding(&mut self, allowed: bool) {
        self.0.allow_rounding(allowed);
    }

    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        self.0.apply(v)
    }
}
