//! Losses, summed over examples, with their directional derivative.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};

use super::Dual;
use crate::config::Loss;

/// Σᵢ ℓ(zᵢ, yᵢ), `[1]`, of outputs z and one-hot labels y, both [examples, classes].
///
/// Cross-entropy: ℓ = −log softmax(z)·y. Squared error: ℓ = ½‖z − y‖².
pub fn loss_sum(loss: Loss, outputs: Tensor<2>, labels: &Tensor<2>) -> Tensor<1> {
    match loss {
        Loss::CrossEntropy => (log_softmax(outputs, 1) * labels.clone()).sum().neg(),
        Loss::SquaredError => {
            let error = outputs - labels.clone();
            (error.clone() * error).sum() * 0.5
        }
    }
}

/// Σᵢ ⟨∂ℓ/∂zᵢ, z'ᵢ⟩, `[1]`: the derivative of [`loss_sum`] along the outputs' tangent z'.
///
/// ∂ℓ/∂z is softmax(z) − y for cross-entropy and z − y for squared error. It keeps its own dependence on the
/// parameters, so the gradient of this sum is the Hessian-vector product.
pub fn loss_tangent_sum(loss: Loss, outputs: Dual<2>, labels: &Tensor<2>) -> Option<Tensor<1>> {
    let slope = match loss {
        Loss::CrossEntropy => softmax(outputs.value, 1),
        Loss::SquaredError => outputs.value,
    } - labels.clone();
    outputs.tangent.map(|tangent| (slope * tangent).sum())
}
