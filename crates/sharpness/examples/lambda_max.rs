//! Measures λ_max of a user-defined network, with a user-defined layer, on user-defined data:
//!
//! ```sh
//! cargo run --release -p sharpness --example lambda_max
//! ```

#![allow(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;

use burn::tensor::activation::sigmoid;
use burn::tensor::{DType, Device};
use rand::RngExt;
use sharpness::curvature::{Hessian, MeanLoss, Rules, Tracker};
use sharpness::model::{
    Builder, Examples, Gradient, Holding, ImageShape, Initial, Keeps, Kept, Layer, Layout, Loss, Network, Node,
    ParameterIndex, Parts, Pass, Signal,
};
use sharpness::random::{Purpose, stream};

/// A user-defined layer: Swish with one learned slope for each feature, y = x σ(βx), with β `[features]`.
pub struct Swish {
    beta: ParameterIndex,
}

impl Swish {
    /// Adds the layer to a network, after a layer with `features` features.
    pub fn add(build: &mut Builder, name: &str, features: usize) {
        let beta = build.parameter(&format!("{name}.beta"), &[features], Initial::Constant(1.0));
        build.layer(Self { beta });
    }
}

/// Returns β or its tangent, one number for each channel.
fn per_channel(beta: ParameterIndex, parts: &Parts) -> Signal {
    let beta = parts.get::<1>(beta);
    let [features] = beta.dims();
    beta.reshape([1, features, 1, 1])
}

impl Layer for Swish {
    fn forward(&self, parameters: &Parts, x: Signal, _: &mut Pass) -> (Signal, Box<dyn Node>) {
        let beta = per_channel(self.beta, parameters);
        let s = sigmoid(x.clone() * beta.clone());
        let y = x.clone() * s.clone();
        let index = self.beta;
        (y, Box::new(SwishAt { index, x, beta, s }))
    }

    fn holding(&self, _: &Layout, input: ImageShape, _: bool) -> Holding {
        let numbers = input.iter().product();
        Holding {
            keeps: Keeps::Input,
            tangent_keeps: Keeps::Input,
            remembered: numbers,
            ..Holding::nothing(input)
        }
    }
}

/// Swish at one x and β, with s = σ(βx), s' = s(1 − s) and s'' = s'(1 − 2s).
struct SwishAt {
    index: ParameterIndex,
    x: Signal,
    beta: Signal,
    s: Signal,
}

impl SwishAt {
    /// s' and s'', derivatives of σ at βx.
    fn slopes(&self) -> (Signal, Signal) {
        let first = self.s.clone() * (self.s.clone().neg() + 1.0);
        let second = first.clone() * (self.s.clone() * -2.0 + 1.0);
        (first, second)
    }

    /// Returns ∂y/∂x = s + βx s' and ∂y/∂β = x² s'.
    fn derivatives(&self) -> (Signal, Signal) {
        let (first, _) = self.slopes();
        let to_x = self.s.clone() + self.beta.clone() * self.x.clone() * first.clone();
        (to_x, self.x.clone() * self.x.clone() * first)
    }

    /// Returns the derivatives of both along ẋ and β̇, where u = βx has u̇ = βẋ + β̇x.
    fn derivatives_tangent(&self, dx: &Signal, d_beta: &Signal) -> (Signal, Signal) {
        let (first, second) = self.slopes();
        let (x, beta) = (self.x.clone(), self.beta.clone());
        let du = beta.clone() * dx.clone() + d_beta.clone() * x.clone();
        let u = beta * x.clone();
        let to_x = (first.clone() * 2.0 + u * second.clone()) * du.clone();
        let to_beta = x.clone() * dx.clone() * 2.0 * first + x.clone() * x * second * du;
        (to_x, to_beta)
    }
}

impl Node for SwishAt {
    fn backward(&self, delta: &Signal, to_input: bool, gradient: Option<&mut Gradient>) -> Option<Signal> {
        let (to_x, to_beta) = self.derivatives();
        if let Some(gradient) = gradient {
            gradient.add(self.index, (delta.clone() * to_beta).sum_dims(&[0, 2, 3]));
        }
        to_input.then(|| delta.clone() * to_x)
    }

    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        let dx = dx.cloned().unwrap_or_else(|| self.x.zeros_like());
        let (to_x, to_beta) = self.derivatives();
        let dy = to_x * dx.clone() + to_beta * per_channel(self.index, v);
        (Some(dy), vec![dx])
    }

    fn backward_tangent(
        &self,
        v: &Parts,
        kept: &Kept,
        delta: &Signal,
        delta_dot: &Signal,
        to_input: bool,
        gradient: &mut Gradient,
    ) -> Option<Signal> {
        let (to_x, to_beta) = self.derivatives();
        let (to_x_dot, to_beta_dot) = self.derivatives_tangent(&kept[0], &per_channel(self.index, v));
        let found = delta_dot.clone() * to_beta + delta.clone() * to_beta_dot;
        gradient.add(self.index, found.sum_dims(&[0, 2, 3]));
        to_input.then(|| delta_dot.clone() * to_x + delta.clone() * to_x_dot)
    }
}

/// Returns `count` points of two numbers each, on two interleaved half moons, and the moon of each point.
fn moons(count: usize) -> (Vec<f32>, Vec<u8>) {
    let mut rng = stream(0, Purpose::Order);
    let (mut points, mut labels) = (Vec::new(), Vec::new());
    for index in 0..count {
        let (label, angle) = ((index % 2) as u8, rng.random_range(0.0..std::f32::consts::PI));
        let (x, y) = if label == 0 {
            (angle.cos(), angle.sin())
        } else {
            (1.0 - angle.cos(), 0.5 - angle.sin())
        };
        points.extend([x, y].map(|at| at + rng.random_range(-0.1..0.1)));
        labels.push(label);
    }
    (points, labels)
}

/// Measures λ_max of an untrained network.
pub fn main() -> Result<(), Box<dyn Error>> {
    let (device, format) = (Device::flex(), DType::F64);
    let (points, labels) = moons(500);
    let examples = Examples::upload(&points, &labels, 2, &device, format);
    // Points are images of two channels and one pixel.
    let network = Network::build([2, 1, 1], |build| {
        build.default_linear("fc1", 2, 40);
        Swish::add(build, "swish1", 40);
        build.default_linear("fc2", 40, 40);
        Swish::add(build, "swish2", 40);
        build.default_linear("fc3", 40, 2);
    });
    let parameters = network.initial_parameters(0, &device, format);
    let mean_loss = MeanLoss::new(&network, Loss::CrossEntropy, &examples);

    let mut go_on = || true;
    let mut hessian = Hessian::new(mean_loss, &parameters, &mut go_on);
    let mut tracker = Tracker::new(Rules::new(1e-6, format), stream(0, Purpose::Eigenvector(0)));
    let found = tracker.measure(&mut hessian, &parameters, true)?;
    println!(
        "λ_max = {:.9} ± {:.1e} of the Hessian of {} parameters, with {} products",
        found.value,
        found.residual,
        network.layout().len(),
        found.products
    );
    Ok(())
}
