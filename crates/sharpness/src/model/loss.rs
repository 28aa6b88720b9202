//! Losses, summed over examples, with their first and second derivatives with respect to the outputs.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};

/// A loss ℓ of one example's outputs z and its one-hot label y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// −log softmax(z)·y.
    CrossEntropy,
    /// ½‖z − y‖².
    SquaredError,
}

/// Returns Σᵢ ℓ(zᵢ, yᵢ), `[1]`, of outputs z and one-hot labels y, both [examples, classes].
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

/// A loss at the outputs of one pass.
pub(crate) struct LossPoint {
    /// ∂ℓ/∂z, [examples, classes]: softmax(z) − y for cross-entropy, z − y for squared error.
    pub(crate) slope: Tensor<2>,
    /// softmax(z), for cross-entropy only.
    probabilities: Option<Tensor<2>>,
}

impl LossPoint {
    pub(crate) fn new(loss: Loss, outputs: Tensor<2>, labels: &Tensor<2>) -> Self {
        let (value, probabilities) = match loss {
            Loss::CrossEntropy => {
                let p = softmax(outputs, 1);
                (p.clone(), Some(p))
            }
            Loss::SquaredError => (outputs, None),
        };
        Self {
            slope: value - labels.clone(),
            probabilities,
        }
    }

    /// Returns the derivative of the slope along ż: p (ż − Σ p ż) for cross-entropy, ż itself for squared error.
    pub(crate) fn slope_tangent(&self, dz: Tensor<2>) -> Tensor<2> {
        match &self.probabilities {
            Some(p) => {
                let weighted = p.clone() * dz;
                weighted.clone() - p.clone() * weighted.sum_dim(1)
            }
            None => dz,
        }
    }
}
