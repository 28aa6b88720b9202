//! Tests of the largest eigenvalue of operators whose spectrum is known.

use std::cell::Cell;

use burn::tensor::{DType, Tensor};
use nalgebra::DMatrix;
use sharpness::curvature::{Estimate, Hessian, Interrupted, Search, SymmetricOperator, largest_eigenvalue};

use super::problem::{Known, PROBLEMS};
use super::vectors::{dense, diagonal, largest, normal, symmetric, tensor, vector};

fn search(tolerance: f64) -> Search {
    Search {
        tolerance,
        min_products: 0,
        max_products: 2_000,
        wanted_vectors: 2,
    }
}

/// Searches from one random vector.
fn solve(mut operator: impl SymmetricOperator, dimension: usize, search: &Search) -> Estimate {
    largest_eigenvalue(&mut operator, &[tensor(&normal(1, dimension))], search).unwrap()
}

#[track_caller]
fn assert_found(estimate: &Estimate, expected: f64, error: f64) {
    assert!(estimate.converged, "residual {:e}", estimate.residual);
    let off = (estimate.value - expected).abs();
    assert!(off <= error, "{} instead of {expected}: off by {off:e}", estimate.value);
}

#[test]
fn lambda_max_of_every_network_is_that_of_its_dense_hessian() {
    for Known { name, problem, hessian } in PROBLEMS.iter() {
        let matrix = (hessian + hessian.transpose()) / 2.0;
        let expected = largest(&matrix);
        let mut go_on = || true;
        let hessian = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let found = solve(hessian, problem.len(), &search(1e-5));
        assert!(found.converged, "{name}");
        let error = found.value / expected - 1.0;
        assert!(error.abs() < 1e-6, "{name}: {} instead of {expected}", found.value);
        let y = vector(&found.vectors.get(0));
        assert!((y.norm() - 1.0).abs() < 1e-12, "{name}");
        let residual = (&matrix * &y - &y * found.value).norm();
        let off = (residual - found.residual).abs();
        assert!(
            off < 1e-8 * expected,
            "{name}: says {:e}, is {residual:e}",
            found.residual
        );
    }
}

/// Kept vectors of a track are nearly orthogonal to one another. The search must treat them as exactly as others.
#[test]
fn a_search_from_nearly_orthogonal_vectors_reaches_a_tight_tolerance() {
    let spectrum: Vec<f64> = (0..60).map(|i| 7.2 - 0.3 * f64::from(i)).collect();
    let mut first = vec![0.0; 60];
    let mut second = vec![0.0; 60];
    (first[0], first[1], first[40]) = (1.0, 0.1, 0.2);
    // The overlap of the two is 5e-4.
    (second[1], second[0], second[50]) = (1.0, 5e-4 - 0.1, 0.1);
    let start = [tensor(&first), tensor(&second)];
    let found = largest_eigenvalue(&mut diagonal(&spectrum), &start, &search(1e-12)).unwrap();
    assert_found(&found, 7.2, 1e-12);
    assert!(found.products < 200, "{}", found.products);
}

#[test]
fn the_largest_is_by_value_not_by_magnitude() {
    assert_found(&solve(diagonal(&[-5.0, 3.0]), 2, &search(1e-8)), 3.0, 1e-12);
    let spectrum: Vec<f64> = (0..100).map(|i| -100.0 + f64::from(i)).collect();
    assert_found(&solve(diagonal(&spectrum), 100, &search(1e-8)), -1.0, 1e-8);
}

#[test]
fn multiples_of_the_identity_take_one_product() {
    for scale in [1.0, -2.5, 0.0] {
        let found = solve(diagonal(&[scale; 50]), 50, &search(1e-8));
        assert_found(&found, scale, 1e-14);
        assert_eq!(found.products, 1);
    }
}

#[test]
fn a_space_of_one_dimension_takes_one_product() {
    for value in [4.0, -4.0, 0.0, 1e-200, 1e200] {
        let found = solve(diagonal(&[value]), 1, &search(1e-8));
        assert_found(&found, value, 0.0);
        assert_eq!((found.products, found.vectors.len()), (1, 1));
    }
}

#[test]
fn nearly_equal_top_eigenvalues_are_told_to_the_tolerance() {
    let mut spectrum: Vec<f64> = (0..500).map(|i| f64::from(i) / 1000.0).collect();
    spectrum[17] = 1.0;
    spectrum[400] = 1.0 - 1e-6;
    let found = solve(diagonal(&spectrum), 500, &search(1e-5));
    assert_found(&found, 1.0, 1e-6);
}

#[test]
fn a_dense_random_matrix_agrees_with_a_direct_method() {
    let matrix = symmetric(4, 300);
    let expected = largest(&matrix);
    let found = solve(dense(&matrix), 300, &search(1e-9));
    assert!(found.products > 32, "meant to restart, took {}", found.products);
    assert_found(&found, expected, 1e-9);
    let y = vector(&found.vectors.get(0));
    let residual = (&matrix * &y - &y * found.value).norm();
    assert!((residual - found.residual).abs() < 1e-12);
    let second = vector(&found.vectors.get(1));
    assert!(y.dot(&second).abs() < 1e-12);
    assert!((second.norm() - 1.0).abs() < 1e-12);
}

#[test]
fn clustered_spectra_converge_through_many_restarts() {
    // Clusters of width 1e-2 at 1, 2, …, 10, and at the top 10.02 and 10.04, which are close to each other compared
    // with the spread of 10.
    let mut spectrum: Vec<f64> = normal(9, 2_000)
        .iter()
        .enumerate()
        .map(|(i, x)| (1 + i % 10) as f64 + 1e-2 * x.tanh())
        .collect();
    spectrum[3] = 10.02;
    spectrum[1_500] = 10.04;
    let found = solve(diagonal(&spectrum), 2_000, &search(1e-10));
    assert!(found.products > 64, "meant to restart, took {}", found.products);
    assert_found(&found, 10.04, 1e-12);
    assert!(found.residual <= 1e-10 * 10.04);
}

#[test]
fn twenty_random_spectra_never_give_more_than_the_largest_eigenvalue() {
    for seed in 0..20 {
        let n = 2 + 3 * seed as usize;
        let matrix = symmetric(seed, n);
        let expected = largest(&matrix);
        for products in [1, 3, 10, 40] {
            let limits = Search {
                max_products: products,
                ..search(1e-10)
            };
            let found = solve(dense(&matrix), n, &limits);
            assert!(found.value <= expected + 1e-12, "n = {n}: {} > {expected}", found.value);
            assert!(found.products <= products);
        }
        assert_found(&solve(dense(&matrix), n, &search(1e-10)), expected, 1e-10);
    }
}

#[test]
fn dimensions_about_the_size_of_the_basis_are_searched_to_the_end() {
    for n in 30..36 {
        let spectrum: Vec<f64> = (0..n).map(f64::from).collect();
        let limits = Search {
            min_products: 100,
            ..search(0.0)
        };
        let found = solve(diagonal(&spectrum), spectrum.len(), &limits);
        assert!((found.value - f64::from(n - 1)).abs() < 1e-12);
    }
}

#[test]
fn an_invariant_subspace_that_fills_the_basis_ends_the_search() {
    // The start lies in a space of 32 dimensions, as many as the basis holds. At the restart no new direction is left.
    let spectrum: Vec<f64> = (0..60).map(|i| if i < 32 { f64::from(i + 1) } else { 0.0 }).collect();
    let mut start = normal(1, 60);
    start[32..].fill(0.0);
    let limits = Search {
        min_products: 100,
        ..search(0.0)
    };
    let found = largest_eigenvalue(&mut diagonal(&spectrum), &[tensor(&start)], &limits).unwrap();
    assert!((found.value - 32.0).abs() < 1e-10);
    assert_eq!(found.vectors.len(), 2);
}

#[test]
fn a_full_basis_whose_top_is_exact_ends_the_search() {
    let spectrum: Vec<f64> = (0..60).map(f64::from).collect();
    let starts: Vec<Tensor<1>> = (0..32)
        .map(|i| tensor(&(0..60).map(|j| f64::from(u8::from(i == j))).collect::<Vec<_>>()))
        .collect();
    let limits = Search {
        min_products: 100,
        ..search(0.0)
    };
    let found = largest_eigenvalue(&mut diagonal(&spectrum), &starts, &limits).unwrap();
    assert_eq!((found.value, found.residual), (31.0, 0.0));
    for (y, value) in found.vectors.iter().zip([31, 30]) {
        assert_eq!(vector(&y).map(f64::abs)[value], 1.0);
    }
    assert_eq!(found.vectors.len(), 2);
}

#[test]
fn graded_and_rank_deficient_spectra_end_and_are_right() {
    let graded: Vec<f64> = (0..200).map(|i| 10_f64.powi(-i)).collect();
    assert_found(&solve(diagonal(&graded), 200, &search(1e-10)), 1.0, 1e-10);
    let mut lonely = vec![0.0; 200];
    lonely[5] = 3.0;
    assert_found(&solve(diagonal(&lonely), 200, &search(1e-10)), 3.0, 1e-12);
    lonely[6] = -3.0;
    assert_found(&solve(diagonal(&lonely), 200, &search(1e-10)), 3.0, 1e-12);
}

#[test]
fn the_scale_of_the_operator_does_not_matter() {
    let spectrum: Vec<f64> = normal(2, 100);
    let expected = spectrum.iter().copied().fold(f64::MIN, f64::max);
    for scale in [1e-250, 1e-170, 1e-100, 1e-20, 1e20, 1e100, 1e160, 1e250] {
        let scaled: Vec<f64> = spectrum.iter().map(|x| x * scale).collect();
        let found = solve(diagonal(&scaled), 100, &search(1e-6));
        assert_found(&found, expected * scale, 1e-6 * scale);
        assert!(found.products > 5, "scale {scale:e}: stopped after {}", found.products);
    }
}

#[test]
fn a_tiny_hessian_in_float32_does_not_seem_converged_at_once() {
    let spectrum: Vec<f64> = normal(2, 100);
    let expected = spectrum.iter().copied().fold(f64::MIN, f64::max);
    for scale in [1e-28, 1e-24, 1e-20, 1e-10, 1.0, 1e10, 1e20, 1e28] {
        let mut scaled = diagonal(&spectrum.iter().map(|x| x * scale).collect::<Vec<_>>());
        let operator = |v: &Tensor<1>| scaled(&v.clone().cast(DType::F64)).cast(DType::F32);
        let start = tensor(&normal(1, 100)).cast(DType::F32);
        let found = largest_eigenvalue(&mut { operator }, &[start], &search(1e-4)).unwrap();
        assert_found(&found, expected * scale, 1e-4 * expected * scale);
        assert!(found.products > 5, "scale {scale:e}: stopped after {}", found.products);
    }
}

#[test]
fn thirty_restarts_in_float32_do_not_drift_above_the_largest_eigenvalue() {
    // The tolerance cannot be met, so the search continues to restart at the level of rounding. The eigenvalues are so
    // close that the residual is not only rounding error before the last product.
    let spectrum: Vec<f64> = (0..4_000).map(|i| f64::from(i) / 4_000.0).collect();
    let values = tensor(&spectrum).cast(DType::F32);
    let mut operator = |v: &Tensor<1>| v.clone() * values.clone();
    let start = tensor(&normal(1, 4_000)).cast(DType::F32);
    let limits = Search {
        max_products: 600,
        ..search(0.0)
    };
    let found = largest_eigenvalue(&mut operator, &[start], &limits).unwrap();
    assert!(!found.converged && found.products > 500, "{}", found.products);
    let off = found.value - spectrum[3_999];
    assert!(off.abs() < 2e-6, "off by {off:e}");
    // The residual from the kept images must be the true residual.
    let y = found.vectors.get(0);
    let residual = vector(&(operator(&y) - y.clone() * found.value)).norm();
    assert!(
        (residual - found.residual).abs() < 2e-6,
        "{residual:e}, says {:e}",
        found.residual
    );
    assert!((vector(&y).norm() - 1.0).abs() < 2e-6);
}

#[test]
fn a_top_eigenvalue_of_zero_is_never_said_to_have_converged_by_luck() {
    let mut spectrum: Vec<f64> = normal(3, 100).iter().map(|x| -x.abs()).collect();
    spectrum[50] = 0.0;
    let limits = Search {
        max_products: 300,
        ..search(1e-2)
    };
    let found = solve(diagonal(&spectrum), 100, &limits);
    assert!(found.value.abs() < 1e-10, "{}", found.value);
    assert!(!found.converged || found.residual <= 1e-2 * found.value.abs());
}

#[test]
fn an_operator_that_is_not_finite_ends_the_search_unconverged() {
    for bad in [f64::NAN, f64::INFINITY] {
        for good_products in [0, 5] {
            let calls = Cell::new(0);
            let mut spectrum = diagonal(&normal(5, 100));
            let operator = |v: &Tensor<1>| {
                calls.set(calls.get() + 1);
                let image = spectrum(v);
                if calls.get() > good_products {
                    image * bad
                } else {
                    image
                }
            };
            let found = solve(operator, 100, &search(1e-8));
            assert!(found.value.is_nan() && !found.converged && found.vectors.is_empty());
            assert_eq!((found.products, calls.get()), (good_products + 1, good_products + 1));
        }
    }
}

#[test]
fn the_most_products_are_kept_to_exactly() {
    let spectrum: Vec<f64> = (0..1_000).map(f64::from).collect();
    for most in [1, 2, 31, 32, 33, 50] {
        let calls = Cell::new(0);
        let mut exact = diagonal(&spectrum);
        let operator = |v: &Tensor<1>| {
            calls.set(calls.get() + 1);
            exact(v)
        };
        let limits = Search {
            max_products: most,
            ..search(1e-12)
        };
        let found = solve(operator, 1_000, &limits);
        assert_eq!((found.products, calls.get()), (most, most));
        assert!(!found.converged && found.residual > 1e-12 * found.value);
    }
}

#[test]
fn the_least_products_are_made_even_if_the_residual_is_small_before() {
    // From this start the residual is small from the beginning, at the lower of two eigenvalues.
    let mut spectrum = vec![0.1; 200];
    spectrum[0] = 1.0;
    spectrum[1] = 2.0;
    let mut start = vec![1e-6; 200];
    start[0] = 1.0;
    let early = largest_eigenvalue(&mut diagonal(&spectrum), &[tensor(&start)], &search(1e-2)).unwrap();
    assert!((early.value - 1.0).abs() < 1e-3 && early.converged);
    let limits = Search {
        min_products: 10,
        ..search(1e-2)
    };
    let late = largest_eigenvalue(&mut diagonal(&spectrum), &[tensor(&start)], &limits).unwrap();
    assert_found(&late, 2.0, 1e-4);
}

#[test]
fn a_start_orthogonal_to_the_top_eigenvector_cannot_find_it() {
    // No residual shows this limit. It is the reason for noise and audits in the tracker.
    let mut start = normal(6, 100);
    start[99] = 0.0;
    let spectrum: Vec<f64> = (0..100).map(f64::from).collect();
    let found = largest_eigenvalue(&mut diagonal(&spectrum), &[tensor(&start)], &search(1e-9)).unwrap();
    assert_found(&found, 98.0, 1e-9);
}

#[test]
fn starts_without_a_direction_give_no_value() {
    let nothing: [&[Tensor<1>]; 3] = [&[], &[tensor(&[0.0; 5])], &[tensor(&[f64::NAN; 5])]];
    for start in nothing {
        let found = largest_eigenvalue(&mut diagonal(&[1.0; 5]), start, &search(1e-3)).unwrap();
        assert!(found.value.is_nan() && !found.converged);
        assert_eq!(found.products, 0);
    }
    let none = Search {
        max_products: 0,
        ..search(1e-3)
    };
    assert!(solve(diagonal(&[1.0; 5]), 5, &none).value.is_nan());
}

#[test]
fn starts_that_depend_on_each_other_cost_one_product() {
    let start = tensor(&normal(7, 50));
    let twice = [start.clone(), start * -3.0];
    let limits = Search {
        max_products: 1,
        ..search(1e-3)
    };
    let found = largest_eigenvalue(&mut diagonal(&normal(8, 50)), &twice, &limits).unwrap();
    assert_eq!((found.products, found.vectors.len()), (1, 1));
}

/// An operator that stops after a given number of products.
struct Patience(u64, DMatrix<f64>);

impl SymmetricOperator for Patience {
    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        self.0 = self.0.checked_sub(1).ok_or(Interrupted)?;
        dense(&self.1).apply(v)
    }
}

#[test]
fn an_interruption_ends_the_search() {
    for products in [0, 1, 2, 40] {
        let mut operator = Patience(products, symmetric(1, 100));
        let starts = [tensor(&normal(1, 100)), tensor(&normal(2, 100))];
        let ended = largest_eigenvalue(&mut operator, &starts, &search(1e-12));
        assert_eq!(ended.err(), Some(Interrupted));
    }
}
