//! Tests of the preconditioned sharpness against dense matrices.

use burn::tensor::{DType, Tensor};
use nalgebra::{DMatrix, DVector};
use sharpness::curvature::{Hessian, Preconditioned, Rules, Search, SymmetricOperator, Tracker, largest_eigenvalue};
use sharpness::model::{Activation, Loss, Normalization};
use sharpness::optimizer::{Adam, Moments, Optimizer, RmsProp, Step};
use sharpness::random::{Purpose, stream};

use super::problem::{Known, Model, PROBLEMS, Problem, settings};
use super::vectors::{largest, normal, symmetric, tensor, vector};

/// Takes some steps at the problem's parameters, and returns the diagonal of P and the weight decay in the gradient.
fn stepped(mut optimizer: impl Optimizer, problem: &Problem) -> (DVector<f64>, f64) {
    let mut parameters = problem.parameters.clone();
    assert!(optimizer.preconditioner().is_none());
    for _ in 0..3 {
        let (_, gradient) = problem.loss_and_gradient(&parameters);
        parameters = optimizer.step(Step {
            parameters,
            gradient: tensor(gradient.as_slice()),
            learning_rate: 1e-3,
            gradient_at: &mut |_| unreachable!("one gradient is enough"),
        });
    }
    let diagonal = optimizer.preconditioner().unwrap();
    (vector(&diagonal), optimizer.weight_decay())
}

/// Returns P^−½ (H + δI) P^−½.
fn dense(hessian: &DMatrix<f64>, p: &DVector<f64>, decay: f64) -> DMatrix<f64> {
    let scale = DMatrix::from_diagonal(&p.map(|p| 1.0 / p.sqrt()));
    let decayed = (hessian + hessian.transpose()) / 2.0 + DMatrix::identity(p.len(), p.len()) * decay;
    &scale * decayed * &scale
}

#[test]
fn preconditioned_sharpness_of_every_network_is_that_of_its_dense_matrix() {
    let adam = |decay| {
        let how = Moments {
            eps: 1e-3,
            ..Moments::default()
        };
        Adam::new(how, decay)
    };
    for (index, known) in PROBLEMS.iter().enumerate() {
        let Known { name, problem, .. } = known;
        // Alternately with Adam and with RMSProp, without and with weight decay.
        let decay = if index % 4 < 2 { 0.0 } else { 0.3 };
        let (p, decay) = if index % 2 == 0 {
            stepped(adam(decay), problem)
        } else {
            stepped(RmsProp::new(0.9, 1e-3, 0.0, decay), problem)
        };
        let matrix = dense(&known.hessian, &p, decay);
        let expected = largest(&matrix);
        let mut go_on = || true;
        let mut hessian = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let mut operator = Preconditioned::new(&mut hessian, &tensor(p.as_slice()), decay);
        let search = Search {
            tolerance: 1e-5,
            min_products: 0,
            max_products: 2_000,
            wanted_vectors: 2,
        };
        let start = tensor(&normal(1, problem.len()));
        let found = largest_eigenvalue(&mut operator, &[start], &search).unwrap();
        assert!(found.converged, "{name}");
        let error = found.value / expected - 1.0;
        assert!(error.abs() < 1e-6, "{name}: {} instead of {expected}", found.value);
        let y = vector(&found.vectors.get(0));
        let residual = (&matrix * &y - &y * found.value).norm();
        let off = (residual - found.residual).abs();
        assert!(
            off < 1e-7 * expected,
            "{name}: says {:e}, is {residual:e}",
            found.residual
        );
        // P^−½u is an eigenvector of P⁻¹(H + δI).
        let x = DVector::from_fn(y.len(), |i, _| y[i] / p[i].sqrt());
        let plain = dense(&known.hessian, &DVector::from_element(p.len(), 1.0), decay) * &x;
        let off = DVector::from_fn(y.len(), |i, _| plain[i] / p[i] - found.value * x[i]).norm();
        assert!(off < 1e-3 * found.value * x.norm(), "{name}: {off:e}");
    }
}

/// Returns a network with batch norm in float32 and in float64 at the same parameters, with the P of twenty steps of Adam
/// in float32. Biases before batch norm have a gradient of 0 up to rounding; there P is `least`.
fn in_both_formats(least: f64) -> [(Problem, Tensor<1>); 2] {
    let model = Model::Mlp { widths: vec![30, 30] };
    let given = settings(model, Activation::Relu, true, Loss::CrossEntropy);
    let [mut single, mut double] = [DType::F32, DType::F64].map(|format| {
        let mut problem = Problem::new(&given, [1, 6, 6], 5, 200, Normalization::Batch);
        problem.examples.images = problem.examples.images.cast(format);
        problem.examples.labels = problem.examples.labels.cast(format);
        problem.parameters = problem.parameters.cast(format);
        problem
    });
    let mut adam = Adam::new(Moments::default(), 0.0);
    for _ in 0..20 {
        let (_, gradient) = single.mean_loss().value_and_gradient(&single.parameters);
        single.parameters = adam.step(Step {
            parameters: single.parameters.clone(),
            gradient,
            learning_rate: 1e-3,
            gradient_at: &mut |_| unreachable!("one gradient is enough"),
        });
    }
    double.parameters = single.parameters.clone().cast(DType::F64);
    let (_, gradient) = double.mean_loss().value_and_gradient(&double.parameters);
    let is_rounding = gradient.abs().lower_elem(1e-12);
    assert_eq!(is_rounding.clone().int().sum().into_scalar::<i64>(), 60);
    let p = adam.preconditioner().unwrap().mask_fill(is_rounding, least);
    let exact = p.clone().cast(DType::F64);
    [(single, p), (double, exact)]
}

#[test]
fn in_float32_biases_before_batch_norm_do_no_harm_at_the_usual_eps_and_never_go_unnoticed() {
    let found = |least: f64| {
        in_both_formats(least).map(|(problem, p)| {
            let mut go_on = || true;
            let mut hessian = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
            let mut operator = Preconditioned::new(&mut hessian, &p, 0.0);
            let search = Search {
                tolerance: 1e-5,
                min_products: 0,
                max_products: 200,
                wanted_vectors: 2,
            };
            largest_eigenvalue(&mut operator, &[p.ones_like()], &search).unwrap()
        })
    };
    // The ε of Adam: float32 is as good as without a preconditioner.
    let [single, double] = found(1e-8);
    assert!(single.converged && double.converged);
    assert!((single.value / double.value - 1.0).abs() < 1e-5);
    // The rounding of H, 1e-7, over P = 1e-12 is larger than any eigenvalue. The residual says so.
    let [single, exact] = found(1e-12);
    assert!(exact.converged && (exact.value / double.value - 1.0).abs() < 1e-2);
    assert!(!single.converged && single.residual > 0.1 * single.value);
}

#[test]
fn a_preconditioner_of_one_changes_nothing_and_a_constant_divides() {
    let matrix = symmetric(5, 30);
    let v = tensor(&normal(2, 30));
    let apply = |p: f64, shift: f64| {
        let mut plain = super::vectors::dense(&matrix);
        let diagonal = v.ones_like() * p;
        vector(&Preconditioned::new(&mut plain, &diagonal, shift).apply(&v).unwrap())
    };
    let expected = &matrix * vector(&v);
    assert!((apply(1.0, 0.0) - &expected).norm() < 1e-12 * expected.norm());
    assert!((apply(4.0, 0.0) * 4.0 - &expected).norm() < 1e-12 * expected.norm());
    let shifted = &expected + vector(&v) * 0.5;
    assert!((apply(4.0, 0.5) * 4.0 - &shifted).norm() < 1e-12 * shifted.norm());
}

#[test]
fn a_tracker_follows_the_preconditioned_sharpness_as_it_follows_lambda_max() {
    let Known { problem, hessian, .. } = &PROBLEMS[0];
    let mut tracker = Tracker::new(Rules::new(1e-4, DType::F64), stream(0, Purpose::Preconditioned(0)));
    for step in 0..5 {
        // A preconditioner that moves, as that of an optimizer does.
        let p = DVector::from_fn(problem.len(), |i, _| {
            0.5 + 0.1 * f64::from(step) + (i as f64).sin().abs()
        });
        let mut go_on = || true;
        let mut product = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let mut operator = Preconditioned::new(&mut product, &tensor(p.as_slice()), 0.1);
        let found = tracker.measure(&mut operator, &problem.parameters, false).unwrap();
        let expected = largest(&dense(hessian, &p, 0.1));
        assert!(found.converged && found.audited == (step == 0));
        assert!(
            (found.value / expected - 1.0).abs() < 1e-6,
            "{} is not {expected}",
            found.value
        );
    }
}
