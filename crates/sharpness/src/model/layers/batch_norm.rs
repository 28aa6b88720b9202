//! Batch normalization.

#[cfg(feature = "tch")]
mod libtorch;

use burn::tensor::Tensor;

use crate::model::holding::{Holding, ImageShape, size};
use crate::model::initial::Initial;
use crate::model::layer::Layer;
use crate::model::node::{Kept, Node, Signal, sum, sum_per_channel};
use crate::model::parameters::{Gradient, Layout, ParameterIndex, Parts};
use crate::model::pass::{Normalization, Pass};

/// Added to the variance, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// Batch norm of each channel: y = γ x̂ + β with x̂ = (x − μ) r and r = (σ² + ε)^(−½).
#[derive(Clone, Copy)]
pub(crate) struct BatchNorm {
    weight: ParameterIndex,
    bias: ParameterIndex,
    /// Position among the network's running statistics.
    index: usize,
}

impl BatchNorm {
    pub(crate) fn new(layout: &mut Layout, name: &str, channels: usize, index: usize) -> Self {
        Self {
            weight: layout.add(format!("{name}.weight"), &[channels], Initial::Constant(1.0)),
            bias: layout.add(format!("{name}.bias"), &[channels], Initial::ZERO),
            index,
        }
    }
}

impl Layer for BatchNorm {
    fn forward(&self, parameters: &Parts, x: Signal, pass: &mut Pass) -> (Signal, Box<dyn Node>) {
        let normalization = pass.normalization;
        // A pass that neither uses nor observes running statistics may have none.
        let wanted = pass.observe || normalization == Normalization::Running;
        let running = wanted.then(|| &mut pass.running[self.index]);
        #[cfg(feature = "tch")]
        let mut running = running;
        let [examples, channels, height, width] = x.dims();
        let count = examples * height * width;
        #[cfg(feature = "tch")]
        if normalization == Normalization::Batch
            && let Some((y, point)) = libtorch::forward(*self, parameters, &x, running.as_deref_mut())
        {
            return (y, Box::new(point));
        }
        let (mean, variance) = match running {
            Some(running) if normalization == Normalization::Running => {
                (per_channel(running.mean.clone()), per_channel(running.variance.clone()))
            }
            running => {
                let mean = sum_per_channel(x.clone()) / count as f64;
                let centred = x.clone() - mean.clone();
                let variance = sum_per_channel(centred.clone() * centred) / count as f64;
                if let Some(running) = running {
                    let flat = |t: &Signal| t.clone().reshape([channels]);
                    running.observe(flat(&mean), flat(&variance), count);
                }
                (mean, variance)
            }
        };
        let rate = (variance + EPSILON).sqrt().recip();
        let normalized = (x - mean) * rate.clone();
        let gamma = per_channel(parameters.get::<1>(self.weight));
        let beta = per_channel(parameters.get::<1>(self.bias));
        let y = normalized.clone() * gamma.clone() + beta;
        let point = Point {
            layer: *self,
            normalized,
            rate,
            gamma,
            averaged: (normalization == Normalization::Batch).then_some(count as f64),
        };
        (y, Box::new(point))
    }

    /// Declares that x̂ is kept, in a product also x̂̇, and that the projection needs a copy.
    fn holding(&self, _: &Layout, input: ImageShape, _: bool) -> Holding {
        Holding {
            remembered: size(input),
            tangents: size(input),
            passing: size(input),
            ..Holding::nothing(input)
        }
    }
}

fn per_channel(t: Tensor<1>) -> Signal {
    let [channels] = t.dims();
    t.reshape([1, channels, 1, 1])
}

/// Batch norm at x, γ and the statistics.
struct Point {
    layer: BatchNorm,
    /// x̂.
    normalized: Signal,
    /// r, [1, channels, 1, 1].
    rate: Signal,
    /// γ, [1, channels, 1, 1].
    gamma: Signal,
    /// Count of numbers in a channel, if the statistics are those of the batch and so depend on x.
    averaged: Option<f64>,
}

impl Point {
    /// Returns u without its mean and without its part along x̂, and mean(u x̂).
    ///
    /// P subtracts the mean. ∂x̂/∂x is the symmetric map u ↦ r (P u − x̂ mean(u x̂)), so it applies to ẋ and to γδ.
    fn project(&self, u: Signal, count: f64) -> (Signal, Signal) {
        let mean = sum_per_channel(u.clone()) / count;
        let along = sum_per_channel(u.clone() * self.normalized.clone()) / count;
        (u - mean - self.normalized.clone() * along.clone(), along)
    }
}

impl Node for Point {
    fn backward(&self, delta: &Signal, to_input: bool, gradient: Option<&mut Gradient>) -> Option<Signal> {
        if let Some(gradient) = gradient {
            let to_gamma = sum_per_channel(delta.clone() * self.normalized.clone());
            gradient.add(self.layer.weight, to_gamma);
            gradient.add(self.layer.bias, sum_per_channel(delta.clone()));
        }
        to_input.then(|| {
            let g = delta.clone() * self.gamma.clone();
            let projected = match self.averaged {
                Some(count) => self.project(g, count).0,
                None => g,
            };
            projected * self.rate.clone()
        })
    }

    /// Returns ẏ = γ̇ x̂ + γ x̂̇ + β̇, where x̂̇ = r (P ẋ − x̂ mean(ẋ x̂)), and x̂̇ = r ẋ for constant statistics.
    ///
    /// Keeps x̂̇ and, with batch statistics, ṙ/r = −r mean(ẋ x̂).
    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        let d_gamma = per_channel(v.get::<1>(self.layer.weight));
        let d_beta = per_channel(v.get::<1>(self.layer.bias));
        let through_parameters = self.normalized.clone() * d_gamma + d_beta;
        let kept: Kept = match (dx, self.averaged) {
            (None, _) => Kept::new(),
            (Some(dx), None) => vec![dx.clone() * self.rate.clone()],
            (Some(dx), Some(count)) => {
                let (projected, along) = self.project(dx.clone(), count);
                vec![projected * self.rate.clone(), (along * self.rate.clone()).neg()]
            }
        };
        let through_input = kept.first().map(|dn| dn.clone() * self.gamma.clone());
        (sum(through_input, Some(through_parameters)), kept)
    }

    /// With g = γ δ, the derivative with respect to x is r (P g − x̂ m), where m = mean(g x̂). Its derivative along v
    /// is ṙ/r times itself, plus r (P ġ − x̂ mean(ġ x̂) − x̂̇ m − x̂ mean(g x̂̇)), where ġ = γ δ̇ + γ̇ δ.
    fn backward_tangent(
        &self,
        v: &Parts,
        kept: &Kept,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
        gradient: &mut Gradient,
    ) -> Option<Signal> {
        let normalized_dot = kept.first();
        let through_delta = sum_per_channel(delta_dot.clone() * self.normalized.clone());
        let through_input = normalized_dot.map(|dn| sum_per_channel(delta.clone() * dn.clone()));
        if let Some(gamma) = sum(through_input.clone(), Some(through_delta)) {
            gradient.add(self.layer.weight, gamma);
        }
        gradient.add(self.layer.bias, sum_per_channel(delta_dot.clone()));
        to_input.then(|| {
            let d_gamma = per_channel(v.get::<1>(self.layer.weight));
            let g_dot = delta_dot.clone() * self.gamma.clone() + delta.clone() * d_gamma;
            let Some(count) = self.averaged else {
                return g_dot * self.rate.clone();
            };
            let (mut dotted, _) = self.project(g_dot, count);
            if let (Some(dn), Some(to_gamma), Some(relative_rate)) = (normalized_dot, through_input, kept.get(1)) {
                let (projected, along) = self.project(delta.clone() * self.gamma.clone(), count);
                // mean(g x̂̇) = γ Σ δ x̂̇ / count.
                let along_dot = to_gamma * self.gamma.clone() / count;
                dotted = dotted - dn.clone() * along - self.normalized.clone() * along_dot
                    + projected * relative_rate.clone();
            }
            dotted * self.rate.clone()
        })
    }
}
