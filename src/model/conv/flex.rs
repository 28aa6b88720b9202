//! A convolution's passes on burn-flex, by our own operations on its tensors.

#[cfg(test)]
mod tests;

use burn::tensor::Tensor;
use sharptui_flex::{Term, backward, convolve};

use super::generic::Generic;
use super::{Passes, Shape, ToParameters};
use crate::model::node::Signal;

/// `None` where x is elsewhere.
pub(super) fn forward(
    shape: Shape,
    x: &Signal,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
) -> Option<(Signal, Flex)> {
    let y = convolve(&[(x, weight)], bias, shape.stride)?;
    let (x, weight) = (x.clone(), weight.clone());
    Some((y, Flex(Generic { shape, x, weight })))
}

/// The general way, for tensors that are elsewhere after all.
pub(super) struct Flex(Generic);

impl Flex {
    fn derivatives(&self, terms: &[Term]) -> Option<(Option<Signal>, Option<ToParameters>)> {
        let Generic { shape, x, weight } = &self.0;
        let (to_input, to_parameters) = backward(terms, [x, weight], shape.stride)?;
        let to_parameters = to_parameters.map(|(weight, bias)| ToParameters {
            weight,
            bias: shape.has_bias.then_some(bias),
        });
        Some((to_input, to_parameters))
    }
}

impl Passes for Flex {
    fn backward(&self, delta: &Signal, to_input: bool, to_parameters: bool) -> (Option<Signal>, Option<ToParameters>) {
        let term = Term {
            delta,
            weight: to_input.then_some(&self.0.weight),
            x: to_parameters.then_some(&self.0.x),
        };
        self.derivatives(&[term])
            .unwrap_or_else(|| self.0.backward(delta, to_input, to_parameters))
    }

    fn tangent(&self, dx: Option<&Signal>, direction: ToParameters) -> Signal {
        let Generic { shape, x, weight } = &self.0;
        let through_weight = (x, &direction.weight);
        let through_x = dx.map(|dx| (dx, weight));
        let terms: Vec<_> = [through_weight].into_iter().chain(through_x).collect();
        convolve(&terms, direction.bias.as_ref(), shape.stride).unwrap_or_else(|| self.0.tangent(dx, direction))
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
            weight: to_input.then_some(&self.0.weight),
            x: Some(&self.0.x),
        };
        let plain = Term {
            delta,
            weight: to_input.then_some(&d_weight),
            x: dx,
        };
        let terms = [dotted, plain];
        // Without either the second δ is not needed.
        let count = if plain.weight.is_some() || plain.x.is_some() {
            2
        } else {
            1
        };
        match self.derivatives(&terms[..count]) {
            Some((to_input, Some(to_parameters))) => (to_input, to_parameters),
            _ => self.0.backward_tangent(dx, d_weight, delta, delta_dot, to_input),
        }
    }
}
