//! Batch norm with batch statistics, by LibTorch's own operation and its derivative. Each makes one or two passes over
//! the images; burn's operations make a dozen.
//!
//! N(u; s) = s r (P u − x̂ mean(u x̂)) is the derivative of y with respect to x at γ = s, applied to u, where P
//! subtracts the mean. The map u ↦ N(u; s) is symmetric. All results are sums of such terms and of images times one
//! number for each channel.

use burn::tensor::Tensor;
use sharptui_libtorch::{Normalized, add_products, is_here};

use super::{BatchNorm, EPSILON, per_channel};
use crate::model::node::{Kept, Node, Signal, sum_per_channel};
use crate::model::parameters::{Gradient, Parts};
use crate::model::pass::{MOMENTUM, RunningStatistics};

/// Returns `None` if the tensors are not LibTorch's, or if burn's automatic differentiation records them.
pub(super) fn forward(
    layer: BatchNorm,
    parameters: &Parts,
    x: &Signal,
    observed: Option<&mut RunningStatistics>,
) -> Option<(Signal, Point)> {
    let gamma = parameters.get::<1>(layer.weight);
    let beta = parameters.get::<1>(layer.bias);
    let [examples, _, height, width] = x.dims();
    let count = examples * height * width;
    // LibTorch computes no variance of a single number.
    if count == 1 || !is_here(x) || !is_here(&gamma) {
        return None;
    }
    let averages = observed.map(|running| {
        running.batches += 1;
        [&mut running.mean, &mut running.variance]
    });
    let (y, at) = Normalized::forward(x, &gamma, &beta, averages, MOMENTUM, EPSILON);
    let point = Point {
        layer,
        x: x.clone(),
        gamma,
        count: count as f64,
        at,
    };
    Some((y, point))
}

/// Batch norm at x, γ and the statistics of x.
pub(super) struct Point {
    layer: BatchNorm,
    x: Signal,
    /// `[channels]`.
    gamma: Tensor<1>,
    /// Count of numbers in a channel.
    count: f64,
    at: Normalized,
}

impl Point {
    /// Returns the slope and the intercept, as functions of x, of a x̂ + b, for a and b of `[channels]`.
    fn of_normalized(&self, a: Tensor<1>, b: Tensor<1>) -> (Signal, Signal) {
        let [mean, rate] = self.at.statistics();
        let slope = a * rate.clone();
        let intercept = b - slope.clone() * mean.clone();
        (per_channel(slope), per_channel(intercept))
    }

    fn set(&self, gradient: &mut Gradient, to_gamma: Tensor<1>, to_beta: Tensor<1>) {
        gradient.add(self.layer.weight, to_gamma);
        gradient.add(self.layer.bias, to_beta);
    }
}

impl Node for Point {
    fn backward(&self, delta: &Signal, to_input: bool, gradient: Option<&mut Gradient>) -> Option<Signal> {
        let (input, to_gamma, to_beta) = self.at.project(delta, &self.gamma);
        if let Some(gradient) = gradient {
            self.set(gradient, to_gamma, to_beta);
        }
        to_input.then_some(input)
    }

    /// Returns ẏ = N(ẋ; γ) + γ̇ x̂ + β̇.
    ///
    /// Keeps x̂̇ = N(ẋ; 1), and Σ ẋ x̂.
    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        let d_gamma = v.get::<1>(self.layer.weight);
        let d_beta = v.get::<1>(self.layer.bias);
        let (slope, intercept) = self.of_normalized(d_gamma, d_beta);
        let Some(dx) = dx else {
            return (Some(self.x.clone() * slope + intercept), Kept::new());
        };
        let (d_normalized, along, _) = self.at.project(dx, &self.gamma.ones_like());
        let gamma = per_channel(self.gamma.clone());
        let dy = add_products(d_normalized.clone() * gamma + intercept, &[(&self.x, &slope)]);
        (Some(dy), vec![d_normalized, per_channel(along)])
    }

    /// With g = γ δ, the derivative with respect to x is r (P g − x̂ m), where m = mean(g x̂). Its derivative along v
    /// is N(δ̇; γ) + N(δ; γ̇ + γ ṙ/r) − r m x̂̇ − r mean(g x̂̇) x̂, where ṙ/r = −r mean(ẋ x̂).
    fn backward_tangent(
        &self,
        v: &Parts,
        kept: &Kept,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
        gradient: &mut Gradient,
    ) -> Option<Signal> {
        let (mut input, mut to_gamma, to_beta) = self.at.project(delta_dot, &self.gamma);
        let d_gamma = v.get::<1>(self.layer.weight);
        let [_, rate] = self.at.statistics();
        let [channels] = d_gamma.dims();
        match &kept[..] {
            [d_normalized, along_dx] => {
                let along_dx = along_dx.clone().reshape([channels]) / self.count;
                let scale = d_gamma - self.gamma.clone() * rate.clone() * along_dx;
                let (more, along, _) = self.at.project(delta, &scale);
                let through_input = sum_per_channel(delta.clone() * d_normalized.clone()).reshape([channels]);
                let by = self.gamma.clone() * rate.clone() / -self.count;
                let (slope, intercept) = self.of_normalized(by.clone() * through_input.clone(), by.zeros_like());
                let weight = per_channel(by * along);
                if to_input {
                    let products = [(d_normalized, &weight), (&self.x, &slope)];
                    input = add_products(input + more + intercept, &products);
                }
                to_gamma = through_input + to_gamma;
            }
            // x does not depend on the parameters.
            _ if to_input => input = input + self.at.project(delta, &d_gamma).0,
            _ => {}
        }
        self.set(gradient, to_gamma, to_beta);
        to_input.then_some(input)
    }
}
