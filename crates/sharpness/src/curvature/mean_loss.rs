//! The mean loss over a fixed set of examples, and its exact Hessian-vector products.

use burn::tensor::Tensor;

use super::operator::{Interrupted, SymmetricOperator};
use crate::model::{
    Examples, Linearization, Loss, Network, Normalization, Pass, RunningStatistics, mean_loss_and_gradient,
};
use crate::tensor::{Rounding, can_round};

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

impl<'a> MeanLoss<'a> {
    /// The mean over `examples` in one pass, in which they share the statistics of batch norm, if there is one.
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

    /// L(w), `[1]`, and ∇L(w), `[parameters]`, for w of `[parameters]`.
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

    /// H(w) v, `[parameters]`, exactly, for w and v of `[parameters]`.
    ///
    /// For several products at one w, [`Hessian`] is faster. `go_on` is asked before each chunk.
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
        Hessian::new(*self, parameters, go_on).keeping(0).apply(v)
    }

    fn linearize(&self, parameters: &Tensor<1>, chunk: &Examples) -> Linearization<'a> {
        let mut running = self.running.to_vec();
        let mut pass = self.pass(&mut running);
        Linearization::new(self.network, self.loss, parameters, chunk, &mut pass)
    }

    fn pass<'b>(&self, running: &'b mut [RunningStatistics]) -> Pass<'b> {
        Pass {
            dropout: None,
            normalization: self.normalization,
            running,
            observe: false,
        }
    }
}

/// The Hessian of a mean loss at given parameters, as an operator on vectors.
///
/// The first product runs the network and backpropagates through it. If all examples are in one chunk, later products reuse
/// that pass, and take no more than the two passes of a directional derivative.
///
/// Each costs 1.5 to 2 gradients, and one chunk's activations in memory.
pub struct Hessian<'a> {
    mean_loss: MeanLoss<'a>,
    parameters: &'a Tensor<1>,
    go_on: &'a mut dyn FnMut() -> bool,
    keeps: bool,
    rounds: bool,
    /// One for each chunk, in order, as far as they were needed.
    kept: Vec<Linearization<'a>>,
}

impl<'a> Hessian<'a> {
    /// The Hessian of `mean_loss` at `parameters`, `[parameters]`. `go_on` is asked before each chunk of a product: false
    /// interrupts the product.
    pub fn new(mean_loss: MeanLoss<'a>, parameters: &'a Tensor<1>, go_on: &'a mut dyn FnMut() -> bool) -> Self {
        let hessian = Self {
            mean_loss,
            parameters,
            go_on,
            keeps: false,
            rounds: false,
            kept: Vec::new(),
        };
        hessian.keeping(mean_loss.chunk)
    }

    /// Keeps the passes of every chunk for later products if there are at most so many `examples` in all.
    #[must_use]
    pub fn keeping(mut self, examples: usize) -> Self {
        self.keeps = self.mean_loss.examples.len() <= examples;
        self
    }
}

impl SymmetricOperator for Hessian<'_> {
    /// Rounds products to TF32 where the device has it. The passes that are kept stay exact.
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
            let of = |linearization: &Linearization| {
                let _rounding = rounds.then(|| Rounding::to_tf32(true));
                linearization.product(v)
            };
            let product = if let Some(linearization) = self.kept.get(index) {
                of(linearization)
            } else {
                let linearization = self.mean_loss.linearize(self.parameters, &chunk);
                let product = of(&linearization);
                if self.keeps {
                    self.kept.push(linearization);
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
