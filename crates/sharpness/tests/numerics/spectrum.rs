//! Tests of the spectral density against known spectra.

use std::f64::consts::PI;

use burn::tensor::{DType, Tensor};
use nalgebra::DVector;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{Hessian, Interrupted, Sampled, SymmetricOperator, spectral_density};

use super::problem::{Known, PROBLEMS};
use super::vectors::{dense, diagonal, normal, orthogonal, rotated, symmetric, tensor, vector};

fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

#[track_caller]
fn assert_covers(found: Sampled, expected: f64, errors: f64) {
    let off = (found.value - expected).abs();
    assert!(off <= errors * found.standard_error, "{found:?}, not {expected}");
}

#[test]
fn moments_of_a_diagonal_spectrum_are_exact_up_to_twice_the_steps() {
    // vᵀDᵏv is the same for every vector v of signs.
    let values: Vec<f64> = normal(3, 200).iter().map(|x| x.clamp(-2.0, 2.0)).collect();
    let found = spectral_density(&mut diagonal(&values), &tensor(&values), 3, 6, &mut random(1)).unwrap();
    assert_eq!((found.products, found.dimension, found.quadratures.len()), (18, 200, 3));
    for k in 0..12 {
        let expected = values.iter().map(|x| x.powi(k)).sum::<f64>() / 200.0;
        let moment = found.moment(k);
        assert!(
            (moment.value - expected).abs() < 1e-10 && moment.standard_error < 1e-10,
            "{k}: {moment:?}"
        );
        assert_eq!(moment.degrees_of_freedom, 2);
    }
    let beyond = values.iter().map(|x| x.powi(12)).sum::<f64>() / 200.0;
    assert!(
        (found.moment(12).value - beyond).abs() > 1e-6,
        "six steps are not enough"
    );
}

#[test]
fn each_quadrature_has_the_moments_of_its_vector() {
    let n = 60;
    let matrix = symmetric(4, n);
    let mut plain = dense(&matrix);
    let mut firsts: Vec<DVector<f64>> = Vec::new();
    let mut calls = 0;
    let mut operator = |v: &Tensor<1>| {
        if calls % 5 == 0 {
            firsts.push(vector(v));
        }
        calls += 1;
        plain(v)
    };
    let found = spectral_density(&mut operator, &tensor(&vec![0.0; n]), 2, 5, &mut random(1)).unwrap();
    for (quadrature, v) in found.quadratures.iter().zip(&firsts) {
        let mut image = v.clone();
        for k in 0..10 {
            let expected = v.dot(&image);
            assert!((quadrature.sum(|x| x.powi(k)) - expected).abs() < 1e-10, "moment {k}");
            image = &matrix * image;
        }
        assert!(quadrature.nodes.is_sorted_by(|a, b| a >= b) && quadrature.weights.iter().all(|&w| w >= 0.0));
    }
}

#[test]
fn with_as_many_steps_as_dimensions_the_nodes_are_the_eigenvalues() {
    let matrix = symmetric(5, 20);
    let mut expected: Vec<f64> = matrix.symmetric_eigenvalues().iter().copied().collect();
    expected.sort_by(|a, b| b.total_cmp(a));
    let found = spectral_density(&mut dense(&matrix), &tensor(&[0.0; 20]), 2, 50, &mut random(1)).unwrap();
    assert_eq!(found.products, 40);
    for quadrature in &found.quadratures {
        for (node, expected) in quadrature.nodes.iter().zip(&expected) {
            assert!((node - expected).abs() < 1e-10, "{node}, not {expected}");
        }
    }
}

#[test]
fn a_spectrum_of_few_different_eigenvalues_ends_the_steps_early() {
    let n = 90;
    let spectrum: Vec<f64> = (0..n).map(|i| [1.0, -2.0, 0.0][i % 3]).collect();
    let mut operator = rotated(&orthogonal(1, n), &spectrum);
    let found = spectral_density(&mut operator, &tensor(&spectrum), 40, 20, &mut random(1)).unwrap();
    assert_eq!(found.products, 120, "three steps each");
    for (x, share) in [(0.5, 1.0 / 3.0), (-1.0, 2.0 / 3.0)] {
        assert_covers(found.mass_above(x), share, 3.0);
    }
    assert!((found.mass_above(-3.0).value - 1.0).abs() < 1e-12);
    assert!(found.mass_above(1.1).value.abs() < 1e-12);
    let zero = spectral_density(&mut diagonal(&[0.0; 7]), &tensor(&[0.0; 7]), 1, 5, &mut random(1)).unwrap();
    assert_eq!(
        (zero.products, zero.quadratures[0].nodes.as_slice()),
        (1, [0.0].as_slice())
    );
}

#[test]
fn the_density_of_a_random_matrix_is_wigners_semicircle() {
    let n = 500;
    let matrix = symmetric(11, n);
    let found = spectral_density(&mut dense(&matrix), &tensor(&vec![0.0; n]), 20, 30, &mut random(2)).unwrap();
    let grid: Vec<f64> = (0..=24).map(|i| -2.4 + 0.2 * f64::from(i)).collect();
    for (x, density) in grid.iter().zip(found.density(&grid, 0.15)) {
        // The semicircle convolved with the kernel.
        let expected: f64 = (-2_000..2_000)
            .map(|i| f64::from(i) / 1_000.0 + 5e-4)
            .map(|t| (4.0 - t * t).sqrt() / (2.0 * PI) * (-0.5 * ((x - t) / 0.15).powi(2)).exp() * 1e-3)
            .sum();
        let expected = expected / (0.15 * (2.0 * PI).sqrt());
        let off = (density.value - expected).abs();
        assert!(off < 0.02, "{x}: {density:?}, not {expected}");
        assert!(density.standard_error > 0.0 && off < 4.0 * density.standard_error + 0.005);
    }
    // The integral of the semicircle above x, and the Catalan numbers as its moments.
    for x in [-1.0_f64, 0.0, 0.5, 1.5] {
        let expected = 0.5 - x * (4.0 - x * x).sqrt() / (4.0 * PI) - (x / 2.0).asin() / PI;
        let above = found.mass_above(x).value;
        assert!((above - expected).abs() < 0.03, "{above}, not {expected}");
    }
    for (k, catalan) in [(2, 1.0), (4, 2.0), (6, 5.0)] {
        let moment = found.moment(k);
        let off = (moment.value - catalan).abs();
        assert!(
            off < 4.0 * moment.standard_error + 0.03 * catalan,
            "{moment:?}, not {catalan}"
        );
    }
    // The density has the integral 1.
    let fine: Vec<f64> = (0..800).map(|i| -4.0 + 0.01 * f64::from(i)).collect();
    let integral: f64 = found.density(&fine, 0.15).iter().map(|d| 0.01 * d.value).sum();
    assert!((integral - 1.0).abs() < 1e-6);
}

#[test]
fn means_over_the_spectrum_of_networks_are_those_of_the_dense_hessian() {
    for Known { name, problem, hessian } in PROBLEMS.iter().step_by(6) {
        let n = problem.len() as f64;
        let mut go_on = || true;
        let mut operator = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let found = spectral_density(&mut operator, &problem.parameters, 16, 12, &mut random(3)).unwrap();
        assert_eq!(found.products, 16 * 12, "{name}");
        assert_covers(found.moment(1), hessian.trace() / n, 3.5);
        assert_covers(found.moment(2), hessian.norm_squared() / n, 3.5);
        let largest = found.quadratures.iter().map(|of| of.nodes[0]).fold(f64::MIN, f64::max);
        let expected = hessian.clone().symmetric_eigenvalues().max();
        assert!(
            largest <= expected * (1.0 + 1e-7) && largest > 0.9 * expected,
            "{name}: {largest} of {expected}"
        );
    }
}

#[test]
fn orthogonality_holds_over_many_steps_also_in_float32() {
    // Without orthogonalization against all vectors the isolated eigenvalue would appear several times.
    let n = 1_000;
    let mut spectrum = normal(1, n);
    spectrum[3] = 60.0;
    for format in [DType::F32, DType::F64] {
        let values = tensor(&spectrum).cast(format);
        let mut operator = |v: &Tensor<1>| v.clone() * values.clone();
        let found = spectral_density(&mut operator, &values, 1, 60, &mut random(1)).unwrap();
        let quadrature = &found.quadratures[0];
        let copies = quadrature.nodes.iter().filter(|&&node| node > 50.0).count();
        assert_eq!((copies, quadrature.nodes.len()), (1, 60), "{format:?}");
        assert!((quadrature.weights[0] - 1e-3).abs() < 1e-6);
        assert!((quadrature.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

/// The 97.5 % quantile of Student's t with 15 degrees of freedom (Fisher and Yates).
const T_15: f64 = 2.131;

#[test]
fn intervals_of_95_percent_cover_moments_in_91_to_98_percent_of_200_seeds() {
    let n = 40;
    let matrix = symmetric(1, n);
    let (trace, squares) = (matrix.trace() / n as f64, matrix.norm_squared() / n as f64);
    let (mut first, mut second) = (0, 0);
    for seed in 0..200 {
        let found = spectral_density(&mut dense(&matrix), &tensor(&vec![0.0; n]), 16, 2, &mut random(seed)).unwrap();
        let covers = |of: Sampled, expected: f64| u32::from((of.value - expected).abs() < T_15 * of.standard_error);
        first += covers(found.moment(1), trace);
        second += covers(found.moment(2), squares);
    }
    assert!((182..=196).contains(&first), "first moment: {first} of 200");
    assert!((182..=196).contains(&second), "second moment: {second} of 200");
}

/// An operator that was asked to stop.
struct Stopped;

impl SymmetricOperator for Stopped {
    fn apply(&mut self, _: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        Err(Interrupted)
    }
}

#[test]
fn what_is_not_finite_is_nan_and_an_interruption_is_one() {
    let lost = spectral_density(&mut diagonal(&[f64::NAN; 9]), &tensor(&[0.0; 9]), 2, 5, &mut random(1)).unwrap();
    assert!(lost.products == 2 && lost.moment(1).value.is_nan() && lost.density(&[0.0], 1.0)[0].value.is_nan());
    assert_eq!(
        spectral_density(&mut Stopped, &tensor(&[0.0; 9]), 2, 5, &mut random(1)),
        Err(Interrupted)
    );
}
