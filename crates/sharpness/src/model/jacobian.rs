//! The derivative of a network's outputs with respect to its parameters, as a linear map.

use burn::tensor::Tensor;

use super::examples::Examples;
use super::loss::{Loss, LossPoint};
use super::network::{Network, Trace};
use super::node::{Signal, flat, signal, sum};
use super::parameters::{Gradient, Layout, Parts};
use super::pass::Pass;

/// The Jacobian J of the outputs of some examples with respect to the parameters, at one point, together with the second
/// derivative of the loss with respect to these outputs.
///
/// It holds the node of every layer. If batch norm uses batch statistics, J includes their dependence on the examples.
pub struct Jacobian<'a> {
    layout: &'a Layout,
    loss: LossPoint,
    trace: Trace<'a>,
}

impl<'a> Jacobian<'a> {
    /// Linearizes the outputs at `parameters`, over `examples` in one pass.
    pub fn new(network: &'a Network, loss: Loss, parameters: &Tensor<1>, examples: &Examples, pass: &mut Pass) -> Self {
        let parts = Parts::of(network.layout(), parameters);
        let trace = network.trace(&parts, examples.images.clone(), pass);
        Self {
            layout: network.layout(),
            loss: LossPoint::new(loss, trace.outputs.clone(), &examples.labels),
            trace,
        }
    }

    /// Returns Jᵀ H_ℓ J v, the Gauss–Newton matrix of the summed loss times v, both `[parameters]`. H_ℓ is the second
    /// derivative of the summed loss with respect to the outputs.
    ///
    /// J v is one forward pass of tangents, Jᵀ one pass of backpropagation (Schraudolph 2002, "Fast curvature
    /// matrix-vector products for second-order gradient descent").
    pub fn gauss_newton_product(&self, v: &Tensor<1>) -> Tensor<1> {
        let dz = self.trace.tangent(&Parts::of(self.layout, v), drop);
        let mut gradient = Gradient::new(self.layout);
        // Without a tangent, the outputs do not depend on the parameters.
        if let Some(dz) = dz {
            let delta = signal(self.loss.slope_tangent(flat(dz)));
            let mut layer = |index: usize, delta: Option<Signal>| {
                self.trace.nodes[index].backward(&delta?, index > 0, Some(&mut gradient))
            };
            self.trace.wiring.backward(Some(delta), &mut layer, &sum);
        }
        gradient.into_flat(v)
    }
}
