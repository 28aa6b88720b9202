//! Fully connected layer.

use super::dual::sum;
use super::{Dual, Layout, Leaves};

/// y = x Wᵀ + b, with x [examples, in], W [out, in], b `[out]`.
pub(super) struct Linear {
    weight: usize,
    bias: usize,
}

impl Linear {
    pub(super) fn new(layout: &mut Layout, name: &str, inputs: usize, outputs: usize) -> Self {
        Self {
            weight: layout.add_uniform(format!("{name}.weight"), &[outputs, inputs], inputs),
            bias: layout.add_uniform(format!("{name}.bias"), &[outputs], inputs),
        }
    }

    /// Tangent: y' = x' Wᵀ + x W'ᵀ + b'.
    pub(super) fn forward(&self, leaves: &Leaves, x: Dual<2>) -> Dual<2> {
        let weight = leaves.get::<2>(self.weight).linear(burn::Tensor::transpose);
        let bias = leaves.get::<1>(self.bias).linear(burn::Tensor::unsqueeze::<2>);
        let through_input = x.tangent.map(|dx| dx.matmul(weight.value.clone()));
        let through_weight = weight.tangent.map(|dw| x.value.clone().matmul(dw));
        let through_bias = bias.tangent;
        Dual {
            value: x.value.matmul(weight.value) + bias.value,
            tangent: match (sum(through_input, through_weight), through_bias) {
                (Some(y), Some(b)) => Some(y + b),
                (y, _) => y,
            },
        }
    }
}
