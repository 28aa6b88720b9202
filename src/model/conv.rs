//! Two-dimensional convolution, stride 1, padded so that the image keeps its size.

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use super::dual::sum;
use super::{Dual, Layout, Leaves};

/// y = W ⋆ x + b, with x [examples, in, h, w], W [out, in, k, k], b `[out]`.
pub(super) struct Conv2d {
    weight: usize,
    bias: usize,
    kernel: usize,
}

impl Conv2d {
    /// `kernel` is odd, so that padding by half of it keeps the size.
    pub(super) fn new(layout: &mut Layout, name: &str, inputs: usize, outputs: usize, kernel: usize) -> Self {
        let fan_in = inputs * kernel * kernel;
        Self {
            weight: layout.add_uniform(format!("{name}.weight"), &[outputs, inputs, kernel, kernel], fan_in),
            bias: layout.add_uniform(format!("{name}.bias"), &[outputs], fan_in),
            kernel,
        }
    }

    /// Tangent: y' = W ⋆ x' + W' ⋆ x + b'.
    pub(super) fn forward(&self, leaves: &Leaves, x: Dual<4>) -> Dual<4> {
        let weight = leaves.get::<4>(self.weight);
        let bias = leaves.get::<1>(self.bias);
        let half = self.kernel / 2;
        let options = || ConvOptions::new([1, 1], [half, half], [1, 1], 1);
        let through_input = x.tangent.map(|dx| conv2d(dx, weight.value.clone(), None, options()));
        let through_weight = weight
            .tangent
            .map(|dw| conv2d(x.value.clone(), dw, bias.tangent, options()));
        Dual {
            value: conv2d(x.value, weight.value, Some(bias.value), options()),
            tangent: sum(through_input, through_weight),
        }
    }
}
