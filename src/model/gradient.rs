//! The gradient of the summed loss, and its derivative along a direction.

use burn::tensor::Tensor;

use super::linear::{flat, signal};
use super::loss::LossPoint;
use super::network::Trace;
use super::node::Signal;
use super::{Examples, Gradient, Layout, Network, Parts, Pass, loss_sum};
use crate::config::Loss;

/// Σᵢ ℓᵢ, `[1]`, and its gradient, `[parameters]`, over `examples` in one pass.
pub fn loss_and_gradient(
    network: &Network,
    loss: Loss,
    parameters: &Tensor<1>,
    examples: &Examples,
    pass: &mut Pass,
) -> (Tensor<1>, Tensor<1>) {
    let parts = Parts::of(network.layout(), parameters);
    let Trace { nodes, outputs } = network.trace(&parts, examples.images.clone(), pass);
    let sum = loss_sum(loss, outputs.clone(), &examples.labels);
    let mut delta = signal(LossPoint::new(loss, outputs, &examples.labels).slope);
    let mut gradient = Gradient::new(network.layout());
    for (index, node) in nodes.iter().enumerate().rev() {
        match node.backward(&delta, index > 0, Some(&mut gradient)) {
            Some(to_input) => delta = to_input,
            None => break,
        }
    }
    (sum, gradient.into_flat(parameters))
}

/// The gradient of the summed loss over some examples as a function of the parameters, linearized at one point.
///
/// It holds what every layer remembers of the pass and the derivative of the loss with respect to its output, both of
/// which are the same for every direction; a product takes no more than the two passes of the directional derivative.
pub struct Linearization<'a> {
    layout: &'a Layout,
    loss: LossPoint,
    trace: Trace,
    /// δ of each layer's output.
    deltas: Vec<Signal>,
}

impl<'a> Linearization<'a> {
    /// At `parameters`, over `examples` in one pass.
    pub fn new(network: &'a Network, loss: Loss, parameters: &Tensor<1>, examples: &Examples, pass: &mut Pass) -> Self {
        let parts = Parts::of(network.layout(), parameters);
        let trace = network.trace(&parts, examples.images.clone(), pass);
        let loss = LossPoint::new(loss, trace.outputs.clone(), &examples.labels);
        let mut deltas = vec![signal(loss.slope.clone())];
        for node in trace.nodes.iter().skip(1).rev() {
            let last = &deltas[deltas.len() - 1];
            deltas.extend(node.backward(last, true, None));
        }
        deltas.reverse();
        Self {
            layout: network.layout(),
            loss,
            trace,
            deltas,
        }
    }

    /// The Hessian of the summed loss times v, both `[parameters]`.
    ///
    /// Forward over reverse, with explicit rules: Pearlmutter's R-operator (1994).
    pub fn product(&self, v: &Tensor<1>) -> Tensor<1> {
        let direction = Parts::of(self.layout, v);
        let mut dx: Option<Signal> = None;
        let mut kept = Vec::with_capacity(self.trace.nodes.len());
        for node in &self.trace.nodes {
            let (dy, memory) = node.tangent(&direction, dx.as_ref());
            kept.push(memory);
            dx = dy;
        }
        let mut gradient = Gradient::new(self.layout);
        // Without a tangent of the outputs nothing depends on the parameters.
        if let Some(dz) = dx {
            let mut delta_dot = signal(self.loss.slope_tangent(flat(dz)));
            for (index, node) in self.trace.nodes.iter().enumerate().rev() {
                let (kept, delta) = (&kept[index], &self.deltas[index]);
                match node.backward_tangent(&direction, kept, delta, &delta_dot, index > 0, &mut gradient) {
                    Some(to_input) => delta_dot = to_input,
                    None => break,
                }
            }
        }
        gradient.into_flat(v)
    }
}
