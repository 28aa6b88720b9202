//! Shows the edge of stability in a user-defined training loop: full-batch gradient descent, with λ_max next to 2/η.
//!
//! ```sh
//! cargo run --release -p sharpness --example edge_of_stability
//! ```
//!
//! λ_max rises until it reaches 2/η and then stays near it, while the loss continues to fall (Cohen et al. 2021).

#![allow(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;

use burn::tensor::{DType, Device, Tensor};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use sharpness::curvature::{Hessian, MeanLoss, Rules, Tracker};
use sharpness::model::{Activation, Examples, Loss, Network};
use sharpness::optimizer::{GradientDescent, Optimizer, Step};
use sharpness::random::{Purpose, stream};

const LEARNING_RATE: f64 = 0.2;
const STEPS: usize = 1_000;
const EVERY: usize = 50;
const FEATURES: usize = 20;
const CLASSES: usize = 4;

/// Returns `count` points and their classes. Each class has two clusters with random centres.
fn clusters(count: usize) -> (Vec<f32>, Vec<u8>) {
    let mut rng = stream(0, Purpose::Order);
    let mut normal = move || -> f32 { StandardNormal.sample(&mut rng) };
    let centres: Vec<f32> = (0..2 * CLASSES * FEATURES).map(|_| normal()).collect();
    let mut which = stream(1, Purpose::Order);
    let (mut points, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let cluster = which.random_range(0..2 * CLASSES);
        let centre = &centres[cluster * FEATURES..][..FEATURES];
        points.extend(centre.iter().map(|at| at + normal()));
        labels.push((cluster % CLASSES) as u8);
    }
    (points, labels)
}

fn number(tensor: &Tensor<1>) -> f64 {
    tensor.clone().into_scalar::<f64>()
}

/// Trains, and prints λ_max and the threshold every `EVERY` steps.
pub fn main() -> Result<(), Box<dyn Error>> {
    let (device, format) = (Device::flex(), DType::F32);
    let (points, labels) = clusters(500);
    let examples = Examples::upload(&points, &labels, CLASSES, &device, format);
    let network = Network::build([FEATURES, 1, 1], |build| {
        build.default_linear("fc1", FEATURES, 100);
        build.activation(Activation::Tanh);
        build.default_linear("fc2", 100, 100);
        build.activation(Activation::Tanh);
        build.default_linear("fc3", 100, CLASSES);
    });
    let mean_loss = MeanLoss::new(&network, Loss::SquaredError, &examples);
    let mut parameters = network.initial_parameters(0, &device, format);
    let mut optimizer = GradientDescent::default();
    let mut tracker = Tracker::new(Rules::new(1e-2, format), stream(0, Purpose::Eigenvector(0)));
    let threshold = optimizer.threshold(LEARNING_RATE).unwrap_or(f64::NAN);

    println!(
        "{:>5}  {:>9}  {:>7}  {}",
        "step",
        "loss",
        "λ_max",
        optimizer.threshold_formula()
    );
    for step in 0..=STEPS {
        let (loss, gradient) = mean_loss.value_and_gradient(&parameters);
        if step % EVERY == 0 {
            let mut go_on = || true;
            let mut hessian = Hessian::new(mean_loss, &parameters, &mut go_on);
            let found = tracker.measure(&mut hessian, &parameters, false)?;
            let mark = if found.value > threshold { "above" } else { "" };
            println!(
                "{step:>5}  {:>9.6}  {:>7.2}  {threshold:.2} {mark}",
                number(&loss),
                found.value
            );
        }
        parameters = optimizer.step(Step {
            parameters,
            gradient,
            learning_rate: LEARNING_RATE,
            gradient_at: &mut |elsewhere| mean_loss.value_and_gradient(elsewhere).1,
        });
    }
    Ok(())
}
