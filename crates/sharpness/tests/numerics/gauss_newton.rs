//! Compares products with the Gauss–Newton matrix with JᵀH_ℓJ, where J comes from differences of outputs.

use burn::tensor::Tensor;
use nalgebra::{DMatrix, DVector};
use sharpness::curvature::{GaussNewton, Interrupted, MeanLoss, Search, SymmetricOperator, largest_eigenvalue};
use sharpness::model::{Activation, Examples, Loss, Normalization, Parts, Pass};

use super::problem::{DEEP, Known, Model, PROBLEMS, Problem, every_problem, settings};
use super::vectors::{largest, normal, numbers, relative_error, tensor, vector};

/// Step of the differences of outputs. Their error h²·∂³z/6 is about 1e-10, and rounding/h is near 1e-11. A larger step
/// would cross kinks of ReLU and max pooling.
const STEP: f64 = 2e-5;

fn product(problem: &Problem, v: &DVector<f64>) -> DVector<f64> {
    let mut go_on = || true;
    let mut matrix = GaussNewton::new(problem.mean_loss(), &problem.parameters, &mut go_on);
    vector(&matrix.apply(&tensor(v.as_slice())).unwrap())
}

/// Returns the outputs of `chunk`, [examples · classes].
fn outputs(problem: &Problem, parameters: &Tensor<1>, chunk: &Examples) -> DVector<f64> {
    let mut pass = Pass {
        dropout: None,
        normalization: problem.normalization,
        running: &mut problem.running.clone(),
        observe: false,
    };
    let parts = Parts::of(problem.network.layout(), parameters);
    numbers(&problem.network.forward(&parts, chunk.images.clone(), &mut pass)).into()
}

/// Returns the outputs of all examples at parameters that are moved by `steps` steps along v.
fn all_outputs(problem: &Problem, v: &Tensor<1>, steps: f64) -> DVector<f64> {
    let moved = problem.parameters.clone() + v.clone() * (steps * STEP);
    let chunks = problem.examples.chunks(problem.chunk);
    let all: Vec<f64> = chunks
        .flat_map(|chunk| outputs(problem, &moved, &chunk).as_slice().to_vec())
        .collect();
    all.into()
}

/// Returns J v for the outputs of all examples, by central differences.
fn jacobian_times(problem: &Problem, v: &DVector<f64>) -> DVector<f64> {
    let v = tensor(v.as_slice());
    let at = |steps: f64| all_outputs(problem, &v, steps);
    (at(1.0) - at(-1.0)) / (2.0 * STEP)
}

/// Returns H_ℓ x at the outputs z: for each example diag(p) − ppᵀ with p = softmax(z), or the identity.
fn loss_hessian_times(problem: &Problem, z: &DVector<f64>, x: &DVector<f64>) -> DVector<f64> {
    if problem.loss == Loss::SquaredError {
        return x.clone();
    }
    let classes = z.len() / problem.examples.len();
    let rows = z.as_slice().chunks(classes).zip(x.as_slice().chunks(classes));
    let all: Vec<f64> = rows
        .flat_map(|(z, x)| {
            let total: f64 = z.iter().map(|z| z.exp()).sum();
            let p: DVector<f64> = z.iter().map(|z| z.exp() / total).collect::<Vec<_>>().into();
            let x = DVector::from_column_slice(x);
            let hessian = DMatrix::from_diagonal(&p) - &p * p.transpose();
            (hessian * x).as_slice().to_vec()
        })
        .collect();
    all.into()
}

/// Returns the whole matrix (1/n) JᵀH_ℓJ.
fn dense(problem: &Problem) -> DMatrix<f64> {
    let identity = DMatrix::identity(problem.len(), problem.len());
    let columns: Vec<DVector<f64>> = identity
        .column_iter()
        .map(|e| jacobian_times(problem, &e.into()))
        .collect();
    let z = all_outputs(problem, &problem.parameters, 0.0);
    let weighted: Vec<DVector<f64>> = columns.iter().map(|x| loss_hessian_times(problem, &z, x)).collect();
    DMatrix::from_columns(&columns).transpose() * DMatrix::from_columns(&weighted) / problem.examples.len() as f64
}

#[test]
fn every_product_and_lambda_max_are_those_of_the_dense_matrix() {
    for Known { name, problem, .. } in PROBLEMS.iter() {
        let matrix = dense(problem);
        let v: DVector<f64> = normal(1, problem.len()).into();
        let error = relative_error(&product(problem, &v), &(&matrix * &v));
        assert!(error < 1e-8, "{name}: relative error {error:e}");
        let expected = largest(&matrix);
        let mut go_on = || true;
        let mut operator = GaussNewton::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let search = Search {
            tolerance: 1e-5,
            min_products: 0,
            max_products: 2_000,
            wanted_vectors: 1,
        };
        let start = tensor(&normal(1, problem.len()));
        let found = largest_eigenvalue(&mut operator, &[start], &search).unwrap();
        assert!(found.converged && found.lowest > -1e-12 * expected, "{name}");
        let error = found.value / expected - 1.0;
        assert!(error.abs() < 1e-6, "{name}: {} instead of {expected}", found.value);
    }
}

#[test]
fn products_of_deep_networks_are_inner_products_of_differences_of_outputs() {
    for (name, problem) in DEEP.iter().filter(|(name, _)| name.contains("Tanh")) {
        let [u, v] = [1, 2].map(|seed| DVector::from(normal(seed, problem.len())).normalize());
        let [ju, jv] = [&u, &v].map(|x| jacobian_times(problem, x));
        let z = all_outputs(problem, &problem.parameters, 0.0);
        let hu = loss_hessian_times(problem, &z, &ju);
        let count = problem.examples.len() as f64;
        let (expected, long) = (hu.dot(&jv) / count, (hu.dot(&ju) / count));
        let got = u.dot(&product(problem, &v));
        assert!(
            (got - expected).abs() < 1e-8 * long,
            "{name}: {got} instead of {expected}"
        );
        let long_got = u.dot(&product(problem, &u));
        assert!(
            (long_got - long).abs() < 1e-8 * long,
            "{name}: {long_got} instead of {long}"
        );
    }
}

#[test]
fn every_product_is_symmetric_linear_and_the_same_bits_with_kept_passes() {
    for (name, problem) in every_problem() {
        let [u, v] = [1, 2].map(|seed| DVector::from(normal(seed, problem.len())));
        let (gu, gv) = (product(problem, &u), product(problem, &v));
        let scale = u.norm() * gv.norm();
        assert!((u.dot(&gv) - v.dot(&gu)).abs() < 1e-12 * scale, "{name}: not symmetric");
        assert!(v.dot(&gv) >= 0.0, "{name}: negative");
        let error = relative_error(&product(problem, &(&u * 3.0 - &v * 0.5)), &(&gu * 3.0 - &gv * 0.5));
        assert!(error < 1e-12, "{name}: not linear, {error:e}");
        let mean_loss = MeanLoss {
            chunk: 4,
            ..problem.mean_loss()
        };
        let (mut go_on, mut go_on_too) = (|| true, || true);
        let mut keeping = GaussNewton::new(mean_loss, &problem.parameters, &mut go_on).keeping(9);
        let mut forgetful = GaussNewton::new(mean_loss, &problem.parameters, &mut go_on_too).keeping(8);
        for v in [&u, &v] {
            let v = tensor(v.as_slice());
            let [kept, forgotten] = [keeping.apply(&v), forgetful.apply(&v)].map(|p| vector(&p.unwrap()));
            assert_eq!(kept, forgotten, "{name}");
        }
    }
}

#[test]
fn groups_of_examples_dropout_and_interruption_are_treated_as_by_the_hessian() {
    let model = Model::Cnn { channels: (2, 3) };
    let mut given = settings(model, Activation::Tanh, true, Loss::CrossEntropy);
    let mut problem = Problem::new(&given, [1, 8, 8], 3, 11, Normalization::Batch);
    let v = DVector::from(normal(6, problem.len())).normalize();
    for group in [4, 8] {
        problem.chunk = group;
        let z = all_outputs(&problem, &problem.parameters, 0.0);
        let expected = loss_hessian_times(&problem, &z, &jacobian_times(&problem, &v));
        let expected = expected.dot(&jacobian_times(&problem, &v)) / 11.0;
        let got = v.dot(&product(&problem, &v));
        assert!(
            (got - expected).abs() < 1e-8 * expected,
            "group {group}: {got} instead of {expected}"
        );
    }
    let without = product(&problem, &v);
    given.hidden.dropout = 0.7;
    let mut with = Problem::new(&given, [1, 8, 8], 3, 11, Normalization::Batch);
    with.chunk = problem.chunk;
    assert_eq!(product(&with, &v), without);
    let mut asked = 0;
    let mut go_on = || {
        asked += 1;
        asked < 2
    };
    let mut stopped = GaussNewton::new(problem.mean_loss(), &problem.parameters, &mut go_on);
    assert_eq!(stopped.apply(&tensor(v.as_slice())).err(), Some(Interrupted));
    assert_eq!(asked, 2);
}

#[test]
fn gauss_newton_is_the_hessian_where_the_network_is_linear() {
    let linear = PROBLEMS.iter().find(|known| known.name == "linear classifier").unwrap();
    let v = DVector::from(normal(3, linear.problem.len()));
    let error = relative_error(&product(&linear.problem, &v), &linear.problem.product(&v));
    assert!(error < 1e-13, "{error:e}");
}
