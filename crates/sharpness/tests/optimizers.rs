//! Tests of optimizers on quadratics, where every number is known.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use burn::tensor::{DType, Device, Tensor, TensorData};
use sharpness::optimizer::{GradientDescent, HeavyBall, Length, Optimizer, Sam, Step};

/// The λᵢ of L = Σ λᵢ xᵢ²/2.
const EIGENVALUES: [f64; 3] = [5.0, 2.0, -0.5];
const START: [f64; 3] = [0.3, -1.0, 0.7];

fn tensor(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn numbers(tensor: &Tensor<1>) -> Vec<f64> {
    tensor.clone().into_data_as::<f64>().iter::<f64>().collect()
}

/// Makes one step on the quadratic with these eigenvalues.
fn step(optimizer: &mut dyn Optimizer, x: Tensor<1>, learning_rate: f64, eigenvalues: &[f64]) -> Tensor<1> {
    let eigenvalues = tensor(eigenvalues);
    optimizer.step(Step {
        gradient: x.clone() * eigenvalues.clone(),
        parameters: x,
        learning_rate,
        gradient_at: &mut |x| x.clone() * eigenvalues.clone(),
    })
}

/// Momentum β, weight decay μ and radius ρ.
type How = (f64, f64, f64);

const HOWS: [How; 8] = [
    (0.0, 0.0, 0.0),
    (0.0, 0.1, 0.0),
    (0.9, 0.0, 0.0),
    (0.9, 0.1, 0.0),
    (0.0, 0.0, 0.2),
    (0.0, 0.1, 0.2),
    (0.9, 0.0, 0.2),
    (0.9, 0.1, 0.2),
];

fn optimizer((momentum, weight_decay, rho): How) -> Box<dyn Optimizer> {
    let base: Box<dyn Optimizer> = if momentum > 0.0 {
        Box::new(HeavyBall::new(momentum, weight_decay))
    } else {
        Box::new(GradientDescent { weight_decay })
    };
    if rho > 0.0 { Box::new(Sam::new(rho, base)) } else { base }
}

/// Computes the steps by their definition, in plain loops.
fn by_hand((momentum, weight_decay, rho): How, rates: &[f64]) -> Vec<f64> {
    let gradient = |x: &[f64]| -> Vec<f64> {
        x.iter()
            .zip(EIGENVALUES)
            .map(|(x, eigenvalue)| (eigenvalue + weight_decay) * x)
            .collect()
    };
    let (mut x, mut velocity) = (START.to_vec(), [0.0; 3]);
    for rate in rates {
        let mut direction = gradient(&x);
        if rho > 0.0 {
            let norm = direction.iter().map(|g| g * g).sum::<f64>().sqrt();
            let climbed: Vec<f64> = x.iter().zip(&direction).map(|(x, g)| x + rho * g / norm).collect();
            direction = gradient(&climbed);
        }
        for k in 0..x.len() {
            velocity[k] = momentum * velocity[k] + direction[k];
            x[k] -= rate * velocity[k];
        }
    }
    x
}

#[test]
fn steps_are_those_of_the_formulas() {
    let rates = [0.1, 0.05, 0.2, 0.1];
    for how in HOWS {
        let mut optimizer = optimizer(how);
        let found = rates
            .iter()
            .fold(tensor(&START), |x, &rate| step(&mut *optimizer, x, rate, &EIGENVALUES));
        for (found, expected) in numbers(&found).iter().zip(by_hand(how, &rates)) {
            assert!((found - expected).abs() < 1e-14, "{how:?}: {found} is not {expected}");
        }
    }
}

#[test]
fn what_is_kept_is_all_that_the_next_step_needs() {
    for how in HOWS {
        let mut first = optimizer(how);
        assert!(first.kept().iter().all(|kept| kept.tensor.is_none()), "{how:?}");
        let mut x = tensor(&START);
        for _ in 0..3 {
            x = step(&mut *first, x, 0.1, &EIGENVALUES);
        }
        let mut second = optimizer(how);
        for (from, to) in first.kept().into_iter().zip(second.kept()) {
            assert_eq!(from.name, to.name, "{how:?}");
            let length = match from.length {
                Length::One => 1,
                Length::Parameters => START.len(),
            };
            assert_eq!(from.tensor.as_ref().unwrap().dims(), [length], "{how:?}: {}", from.name);
            to.tensor.clone_from(from.tensor);
        }
        assert_eq!(second.threshold(0.1), first.threshold(0.1), "{how:?}");
        let next = [first, second].map(|mut optimizer| numbers(&step(&mut *optimizer, x.clone(), 0.1, &EIGENVALUES)));
        assert_eq!(next[0], next[1], "{how:?}");
    }
}

#[test]
fn steps_shrink_below_the_threshold_and_grow_above_it() {
    // SAM's threshold depends on ‖g‖, so it has its own test.
    for how in HOWS.into_iter().filter(|(_, _, rho)| *rho == 0.0) {
        let threshold = optimizer(how).threshold(0.1).unwrap();
        for (share, grows) in [(0.99, false), (1.01, true)] {
            let mut optimizer = optimizer(how);
            let mut x = tensor(&[1.0]);
            for _ in 0..2_000 {
                x = step(&mut *optimizer, x, 0.1, &[share * threshold]);
            }
            let size = numbers(&x)[0].abs();
            assert_eq!(size > 1.0, grows, "{how:?}: {size} at {share} of {threshold}");
        }
    }
}
