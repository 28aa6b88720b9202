//! A convolution's passes on burn-flex, by our own operations on its tensors.

#[cfg(test)]
mod tests;

use burn::tensor::Tensor;
use sharptui_flex::{Term, backward, convolve, is_here};

use super::{Passes, Shape, ToParameters};
use crate::model::node::Signal;

/// Returns `None` if the tensors are not burn-flex's, or if burn's automatic differentiation records them.
pub(super) fn forward(
    shape: Shape,
    x: &Signal,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
) -> Option<(Signal, Flex)> {
    (is_here(x) && is_here(weight)).then(|| {
        let y = convolve(&[(x, weight)], bias, shape.stride);
        let (x, weight) = (x.clone(), weight.clone());
        (y, Flex { shape, x, weight })
    })
}

pub(super) struct Flex {
    shape: Shape,
    x: Signal,
    weight: Tensor<4>,
}

impl Flex {
    fn derivatives(&self, terms: &[Term]) -> (Option<Signal>, Option<ToParameters>) {
        let (to_input, to_parameters) = backward(terms, [&self.x, &self.weight], self.shape.stride);
        let to_parameters = to_parameters.map(|(weight, bias)| ToParameters {
            weight,
            bias: self.shape.has_bias.then_some(bias),
        });
        (to_input, to_parameters)
    }
}

impl Passes for Flex {
    fn backward(&self, delta: &Signal, to_input: bool, to_parameters: bool) -> (Option<Signal>, Option<ToParameters>) {
        let term = Term {
            delta,
            weight: to_input.then_some(&self.weight),
            x: to_parameters.then_some(&self.x),
        };
        self.derivatives(&[term])
    }

    fn tangent(&self, dx: Option<&Signal>, direction: ToParameters) -> Signal {
        let through_weight = (&self.x, &direction.weight);
        let through_x = dx.map(|dx| (dx, &self.weight));
        let terms: Vec<_> = [through_weight].into_iter().chain(through_x).collect();
        convolve(&terms, direction.bias.as_ref(), self.shape.stride)
    }

    fn backward_tangent(
        &self,
        dx: Option<&Signal>,
        d_weight: Tensor<4>,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
    ) -> (Option<Signal>, ToParameters) {
        let dotted = Term {
            delta: delta_dot,
            weight: to_input.then_some(&self.weight),
            x: Some(&self.x),
        };
        let plain = Term {
            delta,
            weight: to_input.then_some(&d_weight),
            x: dx,
        };
        // Without a weight and an x, the second term adds nothing.
        let count = if plain.weight.is_some() || plain.x.is_some() {
            2
        } else {
            1
        };
        let (to_input, found) = self.derivatives(&[dotted, plain][..count]);
        let found = found.unwrap_or_else(|| unreachable!("the first term has an x"));
        (to_input, found)
    }
}
