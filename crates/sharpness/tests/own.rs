//! Checks that the examples run, and that the gradients and products of user-defined layers match their values.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../examples/edge_of_stability.rs"]
mod edge_of_stability;
#[path = "../examples/lambda_max.rs"]
mod lambda_max;

use burn::tensor::{DType, Device, Tensor, TensorData};
use lambda_max::Swish;
use rand::RngExt;
use sharpness::curvature::MeanLoss;
use sharpness::model::{
    Activation, Examples, Gradient, Holding, ImageShape, Initial, Kept, Layer, Layout, Loss, Network, Node,
    ParameterIndex, Parts, Pass, Signal, flat, signal,
};
use sharpness::random::{Purpose, stream};

fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut rng = stream(seed, Purpose::Order);
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn vector(values: &[f64]) -> Tensor<1> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [values.len()]),
        (&Device::flex(), DType::F64),
    )
}

fn host(tensor: &Tensor<1>) -> Vec<f64> {
    tensor.clone().into_data_as::<f64>().iter::<f64>().collect()
}

/// Returns (8(f(h) − f(−h)) − (f(2h) − f(−2h)))/12h.
fn difference(h: f64, f: impl Fn(f64) -> Vec<f64>) -> Vec<f64> {
    let at = [1.0, -1.0, 2.0, -2.0].map(|steps| f(steps * h));
    (0..at[0].len())
        .map(|k| (8.0 * (at[0][k] - at[1][k]) - (at[2][k] - at[3][k])) / (12.0 * h))
        .collect()
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }
}

#[test]
fn a_layer_of_ones_own_has_the_gradient_and_the_product_of_its_value() {
    // Once as the first layer, where the input has no tangent, and twice after layers with parameters; also on images.
    let network = Network::build([2, 1, 2], |build| {
        Swish::add(build, "first", 2);
        build.default_linear("fc1", 4, 5);
        Swish::add(build, "second", 5);
        build.default_linear("fc2", 5, 3);
        Swish::add(build, "third", 3);
    });
    assert_derivatives(&network, 4);
}

/// Compares gradient and product of a network, for `features` features and three classes, with differences.
fn assert_derivatives(network: &Network, features: usize) {
    let pixels: Vec<f32> = numbers(1, 7 * features).iter().map(|&x| 2.0 * x as f32).collect();
    let examples = Examples::upload(&pixels, &[0, 1, 2, 0, 1, 2, 0], 3, &Device::flex(), DType::F64);
    let count = network.layout().len();
    let (w, v) = (vector(&numbers(2, count)), vector(&numbers(3, count)));
    for loss in [Loss::CrossEntropy, Loss::SquaredError] {
        let mean_loss = MeanLoss::new(network, loss, &examples);
        let moved = |along: &Tensor<1>, by: f64| w.clone() + along.clone() * by;
        let (_, gradient) = mean_loss.value_and_gradient(&w);
        for (k, found) in host(&gradient).into_iter().enumerate() {
            let mut along = vec![0.0; count];
            along[k] = 1.0;
            let value = |by| host(&mean_loss.value_and_gradient(&moved(&vector(&along), by)).0);
            assert_close(&[found], &difference(1e-3, value), 1e-10);
        }
        let product = mean_loss.hessian_vector_product(&w, &v, &mut || true).unwrap();
        let expected = difference(1e-3, |by| host(&mean_loss.value_and_gradient(&moved(&v, by)).1));
        assert_close(&host(&product), &expected, 1e-9);
    }
}

/// A linear layer that reads the parameters of another one: x Wᵀ, where both layers have the same W.
struct Tied {
    weight: ParameterIndex,
}

struct TiedAt {
    weight: ParameterIndex,
    x: Tensor<2>,
    w: Tensor<2>,
}

impl Layer for Tied {
    fn forward(&self, parameters: &Parts, x: Signal, _: &mut Pass) -> (Signal, Box<dyn Node>) {
        let (x, w) = (flat(x), parameters.get::<2>(self.weight));
        let y = signal(x.clone().matmul(w.clone().transpose()));
        let weight = self.weight;
        (y, Box::new(TiedAt { weight, x, w }))
    }

    fn holding(&self, _: &Layout, input: ImageShape, _: bool) -> Holding {
        Holding::nothing(input)
    }
}

impl Node for TiedAt {
    fn backward(&self, delta: &Signal, to_input: bool, gradient: Option<&mut Gradient>) -> Option<Signal> {
        let delta = flat(delta.clone());
        if let Some(gradient) = gradient {
            gradient.add(self.weight, delta.clone().transpose().matmul(self.x.clone()));
        }
        to_input.then(|| signal(delta.matmul(self.w.clone())))
    }

    fn tangent(&self, v: &Parts, dx: Option<&Signal>) -> (Option<Signal>, Kept) {
        let mut dy = self.x.clone().matmul(v.get::<2>(self.weight).transpose());
        if let Some(dx) = dx {
            dy = dy + flat(dx.clone()).matmul(self.w.clone().transpose());
        }
        (Some(signal(dy)), dx.into_iter().cloned().collect())
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
        let (delta, delta_dot) = (flat(delta.clone()), flat(delta_dot.clone()));
        let mut found = delta_dot.clone().transpose().matmul(self.x.clone());
        if let Some(dx) = kept.first() {
            found = found + delta.clone().transpose().matmul(flat(dx.clone()));
        }
        gradient.add(self.weight, found);
        to_input.then(|| signal(delta_dot.matmul(self.w.clone()) + delta.matmul(v.get::<2>(self.weight))))
    }
}

#[test]
fn layers_may_share_a_parameter() {
    let network = Network::build([3, 1, 1], |build| {
        let weight = build.parameter("shared.weight", &[3, 3], Initial::pytorch(3));
        build.layer(Tied { weight });
        build.activation(Activation::Tanh);
        build.residual(|branch| branch.layer(Tied { weight }), |_| {});
    });
    assert_eq!(network.layout().len(), 9);
    assert_derivatives(&network, 3);
}

#[test]
fn the_examples_run() {
    lambda_max::main().unwrap();
    edge_of_stability::main().unwrap();
}
