//! The gradient of the summed loss.

use burn::tensor::Tensor;

use super::{Examples, Leaves, Network, Pass, loss_sum};
use crate::config::Loss;

/// Σᵢ ℓᵢ, `[1]`, and its gradient, `[parameters]`, over `examples` in one pass.
pub fn loss_and_gradient(
    network: &Network,
    loss: Loss,
    parameters: &Tensor<1>,
    examples: &Examples,
    pass: &mut Pass,
) -> (Tensor<1>, Tensor<1>) {
    let leaves = Leaves::tracked(network.layout(), parameters);
    let outputs = network.forward(&leaves, examples.images.clone(), pass);
    let sum = loss_sum(loss, outputs.value, &examples.labels);
    let gradient = leaves.gradient(&mut sum.backward());
    (sum.inner(), gradient)
}
