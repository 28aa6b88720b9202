//! Activation functions.

use burn::tensor::activation::relu;

use super::Dual;
use crate::config::Activation;

/// Element-wise φ(x).
///
/// Tangent: φ'(x) x', with φ' = 1 − tanh² for tanh, and 1 where x > 0, else 0, for ReLU (PyTorch's choice at 0).
pub(super) fn activate<const D: usize>(function: Activation, x: Dual<D>) -> Dual<D> {
    match function {
        Activation::Tanh => {
            let value = x.value.tanh();
            let tangent = x.tangent.map(|dx| dx.clone() - dx * (value.clone() * value.clone()));
            Dual { value, tangent }
        }
        Activation::Relu => {
            let tangent = x
                .tangent
                .map(|dx| dx.mask_fill(x.value.clone().inner().lower_equal_elem(0.0), 0.0));
            Dual {
                value: relu(x.value),
                tangent,
            }
        }
    }
}
