//! Tests of optimizers on quadratics, where every number is known, and on trajectories of PyTorch's optimizers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::Deserialize;
use sharpness::optimizer::{
    Adam, AdamW, GradientDescent, HeavyBall, Kept, Moments, Nesterov, Optimizer, RmsProp, Sam, State, Step,
};

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

/// An optimizer with its constants.
#[derive(Clone, Copy, Debug)]
struct How {
    rule: Rule,
    momentum: f64,
    weight_decay: f64,
    rho: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    HeavyBall,
    Nesterov,
    RmsProp { alpha: f64, eps: f64 },
    Adam(Moments),
    AdamW(Moments),
}

use Rule::{HeavyBall as Heavy, Nesterov as Looking};

const RMS_PROP: Rule = Rule::RmsProp { alpha: 0.9, eps: 1e-3 };

const MOMENTS: Moments = Moments {
    beta1: 0.8,
    beta2: 0.95,
    eps: 1e-3,
};

const fn how(rule: Rule, momentum: f64, weight_decay: f64, rho: f64) -> How {
    How {
        rule,
        momentum,
        weight_decay,
        rho,
    }
}

const HOWS: [How; 22] = [
    how(Heavy, 0.0, 0.0, 0.0),
    how(Heavy, 0.0, 0.1, 0.0),
    how(Heavy, 0.9, 0.0, 0.0),
    how(Heavy, 0.9, 0.1, 0.0),
    how(Heavy, 0.0, 0.0, 0.2),
    how(Heavy, 0.0, 0.1, 0.2),
    how(Heavy, 0.9, 0.0, 0.2),
    how(Heavy, 0.9, 0.1, 0.2),
    how(Looking, 0.9, 0.0, 0.0),
    how(Looking, 0.5, 0.1, 0.0),
    how(Looking, 0.9, 0.1, 0.2),
    how(RMS_PROP, 0.0, 0.0, 0.0),
    how(RMS_PROP, 0.0, 0.1, 0.0),
    how(RMS_PROP, 0.9, 0.0, 0.0),
    how(RMS_PROP, 0.9, 0.1, 0.0),
    how(RMS_PROP, 0.9, 0.1, 0.2),
    how(Rule::Adam(MOMENTS), 0.0, 0.0, 0.0),
    how(Rule::Adam(MOMENTS), 0.0, 0.1, 0.0),
    how(Rule::Adam(MOMENTS), 0.0, 0.1, 0.2),
    how(Rule::AdamW(MOMENTS), 0.0, 0.0, 0.0),
    how(Rule::AdamW(MOMENTS), 0.0, 0.1, 0.0),
    how(Rule::AdamW(MOMENTS), 0.0, 0.1, 0.2),
];

impl How {
    fn is_preconditioned(self) -> bool {
        !matches!(self.rule, Heavy | Looking)
    }
}

fn optimizer(how: How) -> Box<dyn Optimizer> {
    let How {
        rule,
        momentum,
        weight_decay,
        rho,
    } = how;
    let base: Box<dyn Optimizer> = match rule {
        Heavy if momentum == 0.0 => Box::new(GradientDescent { weight_decay }),
        Heavy => Box::new(HeavyBall::new(momentum, weight_decay)),
        Looking => Box::new(Nesterov::new(momentum, weight_decay)),
        Rule::RmsProp { alpha, eps } => Box::new(RmsProp::new(alpha, eps, momentum, weight_decay)),
        Rule::Adam(moments) => Box::new(Adam::new(moments, weight_decay)),
        Rule::AdamW(moments) => Box::new(AdamW::new(moments, weight_decay)),
    };
    if rho > 0.0 { Box::new(Sam::new(rho, base)) } else { base }
}

/// Computes the steps by their definition, in plain loops.
fn by_hand(how: How, rates: &[f64]) -> Vec<f64> {
    let How {
        rule,
        momentum,
        weight_decay,
        rho,
    } = how;
    let coupled = if matches!(rule, Rule::AdamW(_)) {
        0.0
    } else {
        weight_decay
    };
    let gradient = |x: &[f64]| -> Vec<f64> {
        x.iter()
            .zip(EIGENVALUES)
            .map(|(x, eigenvalue)| (eigenvalue + coupled) * x)
            .collect()
    };
    let (mut x, mut velocity, mut squares) = (START.to_vec(), [0.0; 3], [0.0; 3]);
    for (step, rate) in (1..).zip(rates) {
        let mut g = gradient(&x);
        if rho > 0.0 {
            let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt();
            let climbed: Vec<f64> = x.iter().zip(&g).map(|(x, g)| x + rho * g / norm).collect();
            g = gradient(&climbed);
        }
        for k in 0..x.len() {
            match rule {
                Heavy => {
                    velocity[k] = momentum * velocity[k] + g[k];
                    x[k] -= rate * velocity[k];
                }
                Looking => {
                    velocity[k] = momentum * velocity[k] + g[k];
                    x[k] -= rate * (g[k] + momentum * velocity[k]);
                }
                Rule::RmsProp { alpha, eps } => {
                    squares[k] = alpha * squares[k] + (1.0 - alpha) * g[k] * g[k];
                    velocity[k] = momentum * velocity[k] + g[k] / (squares[k].sqrt() + eps);
                    x[k] -= rate * velocity[k];
                }
                Rule::Adam(Moments { beta1, beta2, eps }) | Rule::AdamW(Moments { beta1, beta2, eps }) => {
                    velocity[k] = beta1 * velocity[k] + (1.0 - beta1) * g[k];
                    squares[k] = beta2 * squares[k] + (1.0 - beta2) * g[k] * g[k];
                    let mean = velocity[k] / (1.0 - beta1.powi(step));
                    let square = squares[k] / (1.0 - beta2.powi(step));
                    x[k] *= 1.0 - rate * (weight_decay - coupled);
                    x[k] -= rate * mean / (square.sqrt() + eps);
                }
            }
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
            assert!((found - expected).abs() < 1e-13, "{how:?}: {found} is not {expected}");
        }
    }
}

#[test]
fn what_is_kept_is_all_that_the_next_step_needs() {
    for how in HOWS {
        let mut first = optimizer(how);
        for kept in first.kept() {
            let is_new = match kept.state {
                State::Vector(tensor) | State::Scalar(tensor) => tensor.is_none(),
                State::Count(count) => *count == 0,
            };
            assert!(is_new, "{how:?}: {}", kept.name);
        }
        assert!(first.preconditioner().is_none(), "{how:?}");
        let mut x = tensor(&START);
        for _ in 0..3 {
            x = step(&mut *first, x, 0.1, &EIGENVALUES);
        }
        let mut second = optimizer(how);
        for (from, to) in first.kept().into_iter().zip(second.kept()) {
            assert_eq!(from.name, to.name, "{how:?}");
            match (from.state, to.state) {
                (State::Vector(from), State::Vector(to)) => {
                    assert_eq!(from.as_ref().unwrap().dims(), [START.len()], "{how:?}");
                    to.clone_from(from);
                }
                (State::Scalar(from), State::Scalar(to)) => {
                    assert_eq!(from.as_ref().unwrap().dims(), [1], "{how:?}");
                    to.clone_from(from);
                }
                (State::Count(from), State::Count(to)) => {
                    assert_eq!(*from, 3, "{how:?}");
                    *to = *from;
                }
                _ => panic!("{how:?}: {} is not of one kind", from.name),
            }
        }
        assert_eq!(second.edge(0.1), first.edge(0.1), "{how:?}");
        let diagonal = |optimizer: &dyn Optimizer| optimizer.preconditioner().map(|p| numbers(&p));
        assert_eq!(diagonal(&*second), diagonal(&*first), "{how:?}");
        let next = [first, second].map(|mut optimizer| numbers(&step(&mut *optimizer, x.clone(), 0.1, &EIGENVALUES)));
        assert_eq!(next[0], next[1], "{how:?}");
    }
}

#[test]
fn steps_shrink_below_the_threshold_and_grow_above_it() {
    // SAM's threshold depends on ‖g‖, so it has its own test.
    for how in HOWS
        .into_iter()
        .filter(|how| how.rho == 0.0 && !how.is_preconditioned())
    {
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

/// An orbit x₀, x₁, … of a quadratic's coordinate along one eigenvector, x₀ = 1: the solution of
/// xₜ₊₂ = T xₜ₊₁ − D xₜ, which is c₁ z₁ᵗ + c₂ z₂ᵗ with the roots of z² − Tz + D.
struct Orbit {
    roots: [f64; 2],
    shares: [f64; 2],
}

impl Orbit {
    /// Returns the orbit of an optimizer with a constant P, at s = ηλ.
    fn of(how: How, rate: f64, s: f64) -> Self {
        let beta = how.momentum;
        let (first, trace, determinant) = match how.rule {
            Heavy | Rule::RmsProp { .. } => (1.0 - s, 1.0 + beta - s, beta),
            Looking => (1.0 - s - beta * s, (1.0 + beta) * (1.0 - s), beta * (1.0 - s)),
            Rule::Adam(Moments { beta1, .. }) => {
                let s = (1.0 - beta1) * s;
                (1.0 - s, 1.0 + beta1 - s, beta1)
            }
            Rule::AdamW(Moments { beta1, .. }) => {
                let s = (1.0 - beta1) * s;
                let a = 1.0 - rate * how.weight_decay;
                (a - s, a + beta1 - s, a * beta1)
            }
        };
        // Near the edge both roots are real: one is near −1, the other near −D.
        let half = (trace * trace / 4.0 - determinant).sqrt();
        let roots = [trace / 2.0 - half, trace / 2.0 + half];
        let share = (first - roots[1]) / (roots[0] - roots[1]);
        Self {
            roots,
            shares: [share, 1.0 - share],
        }
    }

    fn at(&self, step: i32) -> f64 {
        (0..2).map(|k| self.shares[k] * self.roots[k].powi(step)).sum()
    }
}

/// Returns the same optimizer with a constant P, whose diagonal is `p`.
fn frozen(how: How, p: [f64; 2]) -> Box<dyn Optimizer> {
    let moments = |moments: Moments| Moments {
        beta2: 1.0 - 1e-14,
        eps: 0.25,
        ..moments
    };
    let rule = match how.rule {
        Rule::RmsProp { .. } => Rule::RmsProp { alpha: 1.0, eps: 0.25 },
        Rule::Adam(given) => Rule::Adam(moments(given)),
        Rule::AdamW(given) => Rule::AdamW(moments(given)),
        other => other,
    };
    let mut optimizer = optimizer(How { rule, ..how });
    for Kept { name, state } in optimizer.kept() {
        match (name, state) {
            ("square_average", State::Vector(squares)) => {
                *squares = Some(tensor(&p.map(|p| (p - 0.25).powi(2))));
            }
            ("average", State::Vector(average)) => *average = Some(tensor(&[0.0, 0.0])),
            // So late that 1 − β₁ᵗ and 1 − β₂ᵗ are 1.
            ("steps", State::Count(steps)) => *steps = 10_000_000_000_000_000,
            _ => {}
        }
    }
    optimizer
}

#[test]
fn orbits_are_those_of_the_closed_form_and_shrink_below_the_edge_and_grow_above_it() {
    const STEPS: i32 = 400;
    let rate = 0.05;
    for how in HOWS.into_iter().filter(|how| how.rho == 0.0) {
        let p: [f64; 2] = if how.is_preconditioned() {
            [0.5, 3.0]
        } else {
            [1.0, 1.0]
        };
        let coupled = optimizer(how).weight_decay();
        for (share, grows) in [(0.9999, false), (1.0001, true)] {
            let lambda = optimizer(how).edge(rate).unwrap() * share;
            // P^−½(H + μI)P^−½ has the eigenvalues λ and λ/3, with eigenvectors that are none of P's.
            let (cos, sin) = (0.6, 0.8);
            let s = [
                [lambda * (cos * cos + sin * sin / 3.0), lambda * cos * sin * 2.0 / 3.0],
                [lambda * cos * sin * 2.0 / 3.0, lambda * (sin * sin + cos * cos / 3.0)],
            ];
            let entry = |i: usize, j: usize| {
                let decay = if i == j { coupled } else { 0.0 };
                s[i][j] * (p[i] * p[j]).sqrt() - decay
            };
            let gradient = |x: &Tensor<1>| {
                let x = numbers(x);
                tensor(&[0, 1].map(|i| entry(i, 0) * x[0] + entry(i, 1) * x[1]))
            };
            let start = [1e-6 * cos / p[0].sqrt(), 1e-6 * sin / p[1].sqrt()];
            let mut optimizer = frozen(how, p);
            let mut x = tensor(&start);
            let orbit = Orbit::of(how, rate, rate * lambda);
            for step in 1..=STEPS {
                x = optimizer.step(Step {
                    gradient: gradient(&x),
                    parameters: x,
                    learning_rate: rate,
                    gradient_at: &mut |_| unreachable!("one gradient is enough"),
                });
                for (found, start) in numbers(&x).iter().zip(start) {
                    let (found, expected) = (found / start, orbit.at(step));
                    let error = (found - expected).abs();
                    assert!(
                        error < 1e-8 * expected.abs().max(1.0),
                        "{how:?}: {found} is not {expected} at {step}"
                    );
                }
            }
            // The other root is far smaller than 1, so that after half of the steps the first one decides.
            let sizes = [STEPS / 2, STEPS].map(|step| orbit.at(step).abs());
            assert_eq!(sizes[1] > sizes[0], grows, "{how:?}: {sizes:?} at {share} of the edge");
            if let Some(found) = optimizer.preconditioner() {
                for (found, p) in numbers(&found).iter().zip(p) {
                    assert!((found - p).abs() < 1e-9, "{how:?}: {found} is not {p}");
                }
            }
        }
    }
}

#[test]
fn a_preconditioned_optimizer_has_an_edge_and_no_threshold_for_lambda_max() {
    for how in HOWS {
        let mut optimizer = optimizer(how);
        step(&mut *optimizer, tensor(&START), 0.1, &EIGENVALUES);
        assert_eq!(optimizer.is_preconditioned(), how.is_preconditioned(), "{how:?}");
        assert_eq!(optimizer.threshold(0.1).is_none(), how.is_preconditioned(), "{how:?}");
        let has_edge = how.rho == 0.0 || !how.is_preconditioned();
        assert_eq!(optimizer.edge(0.1).is_some(), has_edge, "{how:?}");
        assert_eq!(optimizer.has_edge(), has_edge, "{how:?}");
    }
    let edge = |rule, weight_decay| optimizer(how(rule, 0.9, weight_decay, 0.0)).edge(0.01).unwrap();
    let found = [
        edge(Heavy, 0.5),
        edge(Looking, 0.5),
        edge(RMS_PROP, 0.5),
        edge(Rule::Adam(Moments::default()), 0.5),
        edge(Rule::AdamW(Moments::default()), 0.5),
    ];
    for (found, expected) in found.iter().zip([380.0, 380.0 / 2.8, 380.0, 3800.0, 3800.0 - 9.5]) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }
    let decayed = optimizer(how(Rule::AdamW(Moments::default()), 0.0, 0.5, 0.0));
    assert_eq!(decayed.threshold_formula(), "38/η − 19wd");
}

/// Trajectories of PyTorch's optimizers, as written by `tests/fixtures/pytorch_optimizers.py`.
#[derive(Deserialize)]
struct Trajectories {
    matrix: Vec<Vec<f64>>,
    shift: Vec<f64>,
    start: Vec<f64>,
    cases: Vec<Trajectory>,
}

#[derive(Deserialize)]
struct Trajectory {
    optimizer: String,
    learning_rate: f64,
    momentum: f64,
    weight_decay: f64,
    alpha: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
    steps: Vec<Vec<f64>>,
}

impl Trajectory {
    fn how(&self) -> How {
        let &Self {
            beta1,
            beta2,
            eps,
            alpha,
            ..
        } = self;
        let moments = Moments { beta1, beta2, eps };
        let rule = match self.optimizer.as_str() {
            "Sgd" => Heavy,
            "Nesterov" => Looking,
            "RmsProp" => Rule::RmsProp { alpha, eps },
            "Adam" => Rule::Adam(moments),
            "AdamW" => Rule::AdamW(moments),
            other => panic!("{other} is not known"),
        };
        how(rule, self.momentum, self.weight_decay, 0.0)
    }
}

impl Trajectories {
    /// Returns Aᵀ tanh(Aw − b).
    fn gradient(&self, w: &[f64]) -> Vec<f64> {
        let mut gradient = vec![0.0; w.len()];
        for (row, shift) in self.matrix.iter().zip(&self.shift) {
            let output: f64 = row.iter().zip(w).map(|(a, w)| a * w).sum();
            for (g, a) in gradient.iter_mut().zip(row) {
                *g += a * (output - shift).tanh();
            }
        }
        gradient
    }
}

#[test]
fn fifty_steps_are_those_of_pytorch() {
    let read: Trajectories = serde_json::from_str(include_str!("fixtures/pytorch_optimizers.json")).unwrap();
    assert_eq!(read.cases.len(), 17);
    for case in &read.cases {
        let mut optimizer = optimizer(case.how());
        let mut w = tensor(&read.start);
        assert_eq!(case.steps.len(), 50);
        for (step, expected) in case.steps.iter().enumerate() {
            let share = if step < 25 { 1.0 } else { 0.5 };
            w = optimizer.step(Step {
                gradient: tensor(&read.gradient(&numbers(&w))),
                parameters: w,
                learning_rate: case.learning_rate * share,
                gradient_at: &mut |_| unreachable!("one gradient is enough"),
            });
            for (found, expected) in numbers(&w).iter().zip(expected) {
                let error = (found - expected).abs();
                assert!(error < 1e-11, "{:?}: {found} is not {expected} at {step}", case.how());
            }
        }
    }
}
