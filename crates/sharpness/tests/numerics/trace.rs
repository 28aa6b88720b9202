//! Tests of the estimators of traces, and of the smallest eigenvalue.

use burn::tensor::Tensor;
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{
    Hessian, Interrupted, Negated, Search, SymmetricOperator, Trace, hutch_plus_plus, hutchinson, largest_eigenvalue,
};

use super::problem::{Known, PROBLEMS};
use super::vectors::{dense, diagonal, normal, orthogonal, rotated, symmetric, tensor};

fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Asserts that the interval of ± `errors` standard errors covers the trace.
#[track_caller]
fn assert_covers(found: &Trace, expected: f64, errors: f64) {
    let off = (found.trace.value - expected).abs();
    assert!(off <= errors * found.trace.standard_error, "{found:?}, not {expected}");
}

#[test]
fn traces_of_networks_are_those_of_the_dense_hessian() {
    for Known { name, problem, hessian } in PROBLEMS.iter().step_by(6) {
        let mut go_on = || true;
        let mut operator = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let plain = hutchinson(&mut operator, &problem.parameters, 40, &mut random(1)).unwrap();
        let better = hutch_plus_plus(&mut operator, &problem.parameters, 12, 16, &mut random(1)).unwrap();
        assert_covers(&plain, hessian.trace(), 3.5);
        assert_covers(&better, hessian.trace(), 3.5);
        assert!(plain.products == 40 && better.products <= 40, "{name}");
        let variance = 2.0 * (hessian.norm_squared() - hessian.diagonal().norm_squared());
        let ratio = plain.trace.standard_error / (variance / 40.0).sqrt();
        assert!(ratio > 0.5 && ratio < 2.0, "{name}: {ratio}");
        assert_eq!(
            (plain.trace.degrees_of_freedom, better.trace.degrees_of_freedom),
            (39, 15)
        );
    }
}

#[test]
fn hutchinsons_error_is_the_one_of_its_formula() {
    // Each sample has the variance 2 Σ Hᵢⱼ² over i ≠ j.
    let matrix = symmetric(3, 50);
    let variance: f64 = 2.0 * (matrix.norm_squared() - matrix.diagonal().norm_squared());
    let found = hutchinson(&mut dense(&matrix), &tensor(&[0.0; 50]), 2_000, &mut random(4)).unwrap();
    let expected = (variance / 2_000.0).sqrt();
    assert!(
        (found.trace.standard_error / expected - 1.0).abs() < 0.06,
        "{found:?}, not {expected}"
    );
    assert_covers(&found, matrix.trace(), 2.0);
}

#[test]
fn hutchinson_is_exact_for_diagonal_matrices() {
    let values = normal(3, 100);
    let found = hutchinson(&mut diagonal(&values), &tensor(&values), 3, &mut random(1)).unwrap();
    assert!((found.trace.value - values.iter().sum::<f64>()).abs() < 1e-12);
    assert!(found.trace.standard_error < 1e-13);
}

#[test]
fn hutch_plus_plus_is_exact_for_matrices_of_low_rank_and_for_complete_sketches() {
    let n = 60;
    let mut spectrum = vec![0.0; n];
    spectrum[..4].copy_from_slice(&[5.0, -3.0, 2.0, 1.0]);
    let q = orthogonal(2, n);
    let found = hutch_plus_plus(&mut rotated(&q, &spectrum), &tensor(&spectrum), 6, 5, &mut random(1)).unwrap();
    assert!((found.trace.value - 5.0).abs() < 1e-10 && found.trace.standard_error < 1e-10);
    // Six images, of which four are independent: ten products and five samples.
    assert_eq!(found.products, 15);
    let matrix = symmetric(5, 10);
    let found = hutch_plus_plus(&mut dense(&matrix), &tensor(&[0.0; 10]), 14, 2, &mut random(1)).unwrap();
    assert!((found.trace.value - matrix.trace()).abs() < 1e-10 && found.trace.standard_error < 1e-10);
}

#[test]
fn with_a_few_large_eigenvalues_hutch_plus_plus_has_the_smaller_error_and_without_a_sketch_it_is_hutchinsons() {
    let n = 200;
    let q = orthogonal(3, n);
    let mut spectrum: Vec<f64> = normal(4, n).iter().map(|x| 0.05 * x).collect();
    spectrum[..5].copy_from_slice(&[30.0, 20.0, 12.0, 8.0, 5.0]);
    let like = tensor(&spectrum);
    let mut operator = rotated(&q, &spectrum);
    let plain = hutchinson(&mut operator, &like, 60, &mut random(1)).unwrap();
    let better = hutch_plus_plus(&mut operator, &like, 20, 20, &mut random(1)).unwrap();
    assert_covers(&plain, spectrum.iter().sum(), 3.5);
    assert_covers(&better, spectrum.iter().sum(), 3.5);
    assert!(better.products == 60 && better.trace.standard_error < 0.1 * plain.trace.standard_error);
    let without = hutch_plus_plus(&mut operator, &like, 0, 60, &mut random(1)).unwrap();
    assert_eq!(without, plain);
}

/// The 97.5 % quantiles of Student's t with 15 and 20 degrees of freedom (Fisher and Yates).
const T_15: f64 = 2.131;
const T_20: f64 = 2.086;

#[test]
fn intervals_of_95_percent_cover_the_trace_in_91_to_98_percent_of_200_seeds() {
    let n = 40;
    let mut spectrum = normal(9, n);
    spectrum[..3].copy_from_slice(&[12.0, 7.0, -4.0]);
    let q = orthogonal(6, n);
    let outlying = &q * DMatrix::from_diagonal(&spectrum.into()) * q.transpose();
    for matrix in [symmetric(1, n), outlying] {
        let like = tensor(&vec![0.0; n]);
        let expected = matrix.trace();
        let (mut plain, mut better) = (0, 0);
        for seed in 0..200 {
            let found = hutchinson(&mut dense(&matrix), &like, 21, &mut random(seed))
                .unwrap()
                .trace;
            plain += u32::from((found.value - expected).abs() < T_20 * found.standard_error);
            let found = hutch_plus_plus(&mut dense(&matrix), &like, 4, 16, &mut random(seed))
                .unwrap()
                .trace;
            better += u32::from((found.value - expected).abs() < T_15 * found.standard_error);
        }
        assert!((182..=196).contains(&plain), "Hutchinson: {plain} of 200");
        assert!((182..=196).contains(&better), "Hutch++: {better} of 200");
    }
}

/// An operator that was asked to stop.
struct Stopped;

impl SymmetricOperator for Stopped {
    fn apply(&mut self, _: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        Err(Interrupted)
    }
}

#[test]
fn what_cannot_be_had_is_nan_and_an_interruption_is_one() {
    let like = tensor(&[0.0; 20]);
    let lost = hutchinson(&mut diagonal(&[f64::NAN; 20]), &like, 3, &mut random(1)).unwrap();
    assert!(lost.trace.value.is_nan() && lost.trace.standard_error.is_nan());
    let lost = hutch_plus_plus(&mut diagonal(&[f64::NAN; 20]), &like, 2, 3, &mut random(1)).unwrap();
    assert!(lost.trace.value.is_nan());
    let single = hutchinson(&mut diagonal(&[1.0; 20]), &like, 1, &mut random(1)).unwrap();
    assert!(single.trace.value == 20.0 && single.trace.standard_error.is_nan());
    assert!(
        hutchinson(&mut diagonal(&[1.0; 20]), &like, 0, &mut random(1))
            .unwrap()
            .trace
            .value
            .is_nan()
    );
    assert_eq!(hutchinson(&mut Stopped, &like, 3, &mut random(1)), Err(Interrupted));
    assert_eq!(
        hutch_plus_plus(&mut Stopped, &like, 1, 3, &mut random(1)),
        Err(Interrupted)
    );
}

#[test]
fn the_smallest_eigenvalue_of_networks_is_that_of_the_dense_hessian() {
    for Known { name, problem, hessian } in PROBLEMS.iter().step_by(6) {
        let matrix = (hessian + hessian.transpose()) / 2.0;
        let values = matrix.symmetric_eigenvalues();
        let mut go_on = || true;
        let mut operator = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let search = Search {
            tolerance: 1e-5,
            min_products: 0,
            max_products: 2_000,
            wanted_vectors: 1,
        };
        let start = tensor(&normal(1, problem.len()));
        let found = largest_eigenvalue(&mut Negated::new(&mut operator), &[start], &search).unwrap();
        let off = -found.value - values.min();
        assert!(off.abs() < 1e-6 * values.amax(), "{name}: off by {off:e}");
    }
}
