//! The gradient of the summed loss, and its derivative along a direction.

use burn::tensor::Tensor;

use super::examples::Examples;
use super::loss::{Loss, LossPoint, loss_sum};
use super::network::{Network, Trace};
use super::node::{Signal, flat, signal, sum};
use super::parameters::{Gradient, Layout, Parts};
use super::pass::Pass;

/// Returns Σᵢ ℓᵢ, `[1]`, and its gradient, `[parameters]`, over `examples` in one pass.
pub fn loss_and_gradient(
    network: &Network,
    loss: Loss,
    parameters: &Tensor<1>,
    examples: &Examples,
    pass: &mut Pass,
) -> (Tensor<1>, Tensor<1>) {
    let parts = Parts::of(network.layout(), parameters);
    let trace = network.trace(&parts, examples.images.clone(), pass);
    let loss_value = loss_sum(loss, trace.outputs.clone(), &examples.labels);
    let delta = signal(LossPoint::new(loss, trace.outputs, &examples.labels).slope);
    let mut gradient = Gradient::new(network.layout());
    // The derivative with respect to the images is not needed, and only layer 0 reads the images.
    let mut layer =
        |index: usize, delta: Option<Signal>| trace.nodes[index].backward(&delta?, index > 0, Some(&mut gradient));
    trace.wiring.backward(Some(delta), &mut layer, &sum);
    (loss_value, gradient.into_flat(parameters))
}

/// Returns (1/n) Σᵢ ℓᵢ, `[1]`, and its gradient, `[parameters]`, over n `examples`. They are summed over passes of
/// `chunk` examples (at least one).
///
/// If batch norm uses batch statistics, the examples of a chunk share them.
///
/// # Panics
///
/// If there are no examples.
pub fn mean_loss_and_gradient(
    network: &Network,
    loss: Loss,
    parameters: &Tensor<1>,
    examples: &Examples,
    chunk: usize,
    pass: &mut Pass,
) -> (Tensor<1>, Tensor<1>) {
    let parts = examples.chunks(chunk);
    let sums = parts.map(|part| loss_and_gradient(network, loss, parameters, &part, pass));
    let total = sums.reduce(|(l, g), (loss, gradient)| (l + loss, g + gradient));
    let (loss, gradient) = total.unwrap_or_else(|| panic!("a mean over no examples"));
    let count = examples.len() as f64;
    (loss / count, gradient / count)
}

/// The gradient of the summed loss over some examples as a function of the parameters, linearized at one point.
///
/// It holds the node of every layer and the derivative of the loss with respect to the layer's output. Both are the
/// same for every direction, so a product computes only the two passes of the directional derivative.
pub struct Linearization<'a> {
    layout: &'a Layout,
    loss: LossPoint,
    trace: Trace<'a>,
    /// δ of each layer's output, in the order of the layers' indices.
    deltas: Vec<Signal>,
}

impl<'a> Linearization<'a> {
    /// Linearizes at `parameters`, over `examples` in one pass.
    pub fn new(network: &'a Network, loss: Loss, parameters: &Tensor<1>, examples: &Examples, pass: &mut Pass) -> Self {
        let parts = Parts::of(network.layout(), parameters);
        let trace = network.trace(&parts, examples.images.clone(), pass);
        let loss = LossPoint::new(loss, trace.outputs.clone(), &examples.labels);
        let mut deltas = Vec::with_capacity(trace.nodes.len());
        let mut layer = |index: usize, delta: Option<Signal>| {
            let delta = delta?;
            deltas.push(delta.clone());
            (index > 0)
                .then(|| trace.nodes[index].backward(&delta, true, None))
                .flatten()
        };
        let delta = signal(loss.slope.clone());
        trace.wiring.backward(Some(delta), &mut layer, &sum);
        deltas.reverse();
        Self {
            layout: network.layout(),
            loss,
            trace,
            deltas,
        }
    }

    /// Returns the Hessian of the summed loss times v, both `[parameters]`.
    ///
    /// The method is forward over reverse differentiation with explicit rules: Pearlmutter's R-operator (1994).
    pub fn product(&self, v: &Tensor<1>) -> Tensor<1> {
        let Trace { nodes, wiring, .. } = &self.trace;
        let direction = Parts::of(self.layout, v);
        let mut kept = Vec::with_capacity(nodes.len());
        let dz = self.trace.tangent(&direction, |memory| kept.push(memory));
        let mut gradient = Gradient::new(self.layout);
        // Without a tangent, the outputs do not depend on the parameters.
        if let Some(dz) = dz {
            let delta_dot = signal(self.loss.slope_tangent(flat(dz)));
            let mut layer = |index: usize, delta_dot: Option<Signal>| {
                let (kept, delta) = (&kept[index], &self.deltas[index]);
                nodes[index].backward_tangent(&direction, kept, delta, &delta_dot?, index > 0, &mut gradient)
            };
            wiring.backward(Some(delta_dot), &mut layer, &sum);
        }
        gradient.into_flat(v)
    }
}
