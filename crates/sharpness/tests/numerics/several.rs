//! Tests of several eigenvalues: the search for them, and their track along a changing operator.

use burn::tensor::{DType, Tensor};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{
    Estimate, Hessian, Interrupted, Measurement, Rules, Search, SymmetricOperator, Tracker, largest_eigenvalue,
    largest_eigenvalues,
};
use sharpness::model::{Activation, Loss, Normalization};

use super::problem::{Known, Model, PROBLEMS, Problem, settings};
use super::vectors::{apply, dense, diagonal, normal, orthogonal, rotated, square, symmetric, tensor, vector};

fn search(tolerance: f64) -> Search {
    Search {
        tolerance,
        min_products: 0,
        max_products: 2_000,
        wanted_vectors: 2,
    }
}

fn starts(count: usize, dimension: usize) -> Vec<Tensor<1>> {
    (0..count as u64)
        .map(|seed| tensor(&normal(seed + 1, dimension)))
        .collect()
}

fn values(found: &Estimate) -> Vec<f64> {
    found.eigenvalues.iter().map(|found| found.value).collect()
}

/// Returns the eigenvalues of a symmetric matrix, the largest first.
fn spectrum_of(matrix: &DMatrix<f64>) -> Vec<f64> {
    let mut values: Vec<f64> = matrix.symmetric_eigenvalues().iter().copied().collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64], error: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= error, "{found} instead of {expected}");
    }
}

#[test]
fn the_largest_eigenvalues_of_networks_are_those_of_the_dense_hessian() {
    for Known { name, problem, hessian } in PROBLEMS.iter().step_by(6) {
        let matrix = (hessian + hessian.transpose()) / 2.0;
        let expected = spectrum_of(&matrix);
        let mut go_on = || true;
        let mut operator = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let found = largest_eigenvalues(&mut operator, &starts(4, problem.len()), 4, &search(1e-5)).unwrap();
        assert!(found.converged && found.eigenvalues.len() == 4, "{name}");
        assert_near(&values(&found), &expected[..4], 1e-6 * expected[0]);
        assert_eq!((found.value, found.vectors.len()), (found.eigenvalues[0].value, 4));
        for (y, pair) in found.vectors.iter().zip(&found.eigenvalues) {
            let y = vector(&y);
            let residual = (&matrix * &y - &y * pair.value).norm();
            assert!(
                (residual - pair.residual).abs() < 1e-7 * expected[0],
                "{name}: {residual:e}"
            );
        }
    }
}

#[test]
fn many_eigenvalues_of_a_dense_matrix_are_found_through_restarts() {
    let matrix = symmetric(4, 100);
    let expected = spectrum_of(&matrix);
    for count in [2, 7] {
        let found = largest_eigenvalues(&mut dense(&matrix), &starts(count, 100), count, &search(1e-8)).unwrap();
        assert!(
            found.converged && found.products > 31 + count as u64,
            "{}",
            found.products
        );
        assert_near(&values(&found), &expected[..count], 1e-9);
    }
}

#[test]
fn no_value_exceeds_the_eigenvalue_of_its_rank() {
    for seed in 0..10 {
        let n = 4 + 5 * seed as usize;
        let matrix = symmetric(seed, n);
        let expected = spectrum_of(&matrix);
        for most in [4, 8, 20] {
            let limits = Search {
                max_products: most,
                ..search(1e-10)
            };
            let found = largest_eigenvalues(&mut dense(&matrix), &starts(3, n), 3, &limits).unwrap();
            assert!(found.products <= most && found.eigenvalues.len() == 3);
            for (found, expected) in values(&found).iter().zip(&expected) {
                assert!(*found <= expected + 1e-12, "n = {n}: {found} > {expected}");
            }
        }
    }
}

#[test]
fn eigenvalues_of_high_multiplicity_are_found_as_often_as_they_occur() {
    let mut spectrum: Vec<f64> = (0..100).map(|i| f64::from(i) / 200.0).collect();
    spectrum[20..23].fill(3.0);
    spectrum[60..62].fill(2.0);
    let found = largest_eigenvalues(&mut diagonal(&spectrum), &starts(6, 100), 6, &search(1e-8)).unwrap();
    assert!(found.converged);
    assert_near(&values(&found), &[3.0, 3.0, 3.0, 2.0, 2.0, 0.495], 1e-8);
    let found = largest_eigenvalues(&mut diagonal(&[-2.5; 50]), &starts(4, 50), 4, &search(1e-8)).unwrap();
    assert!(found.converged && found.products == 4);
    assert_near(&values(&found), &[-2.5; 4], 1e-13);
    // From one vector the search finds one copy, and what rounding adds; it never says that it found others.
    let mut two = vec![1.0; 50];
    two[7] = 2.0;
    let alone = largest_eigenvalues(&mut diagonal(&two), &starts(1, 50), 4, &search(1e-8)).unwrap();
    let expected = [2.0, 1.0, 1.0, 1.0];
    assert_near(&values(&alone), &expected[..alone.eigenvalues.len()], 1e-12);
    assert_eq!(alone.converged, alone.eigenvalues.len() == 4);
}

#[test]
fn up_to_all_eigenvalues_can_be_had_and_no_more() {
    let matrix = symmetric(8, 12);
    let expected = spectrum_of(&matrix);
    for count in [10, 11, 12, 13, 40] {
        let found = largest_eigenvalues(&mut dense(&matrix), &starts(2, 12), count, &search(1e-8)).unwrap();
        assert!(found.products <= 12);
        assert_near(&values(&found), &expected[..count.min(12)], 1e-12);
        assert!(found.converged, "{:?}", found.eigenvalues);
    }
    let found = largest_eigenvalues(&mut diagonal(&[3.0]), &starts(3, 1), 3, &search(1e-8)).unwrap();
    assert_near(&values(&found), &[3.0], 0.0);
    assert!(found.converged && found.products == 1);
}

#[test]
fn for_one_eigenvalue_everything_is_as_it_was() {
    let matrix = symmetric(2, 80);
    let one = largest_eigenvalue(&mut dense(&matrix), &starts(2, 80), &search(1e-6)).unwrap();
    for count in [0, 1] {
        let same = largest_eigenvalues(&mut dense(&matrix), &starts(2, 80), count, &search(1e-6)).unwrap();
        assert_eq!(
            (same.value, same.residual, same.products),
            (one.value, one.residual, one.products)
        );
    }
    let spectrum = outliers(300, &[10.0, 8.0]);
    let (mut plain, mut following) = (tracker(3), tracker(3).following(1));
    for _ in 0..8 {
        let [a, b] = [&mut plain, &mut following].map(|tracker| measure(tracker, &mut diagonal(&spectrum), 300));
        assert_eq!(a, b);
        assert_eq!((a.numbers.as_slice(), a.eigenvalues.len()), ([0].as_slice(), 1));
        assert_eq!(
            (a.value, a.residual),
            (a.eigenvalues[0].value, a.eigenvalues[0].residual)
        );
        assert!(plain.state().numbers.is_empty());
    }
}

fn tracker(audit_every: u64) -> Tracker {
    let rules = Rules {
        tolerance_floor: 1e-12,
        audit_every,
        ..Rules::new(1e-2, DType::F64)
    };
    Tracker::new(rules, ChaCha8Rng::seed_from_u64(1))
}

fn measure(tracker: &mut Tracker, operator: &mut impl SymmetricOperator, dimension: usize) -> Measurement {
    let like = tensor(&vec![0.0; dimension]);
    tracker.measure(operator, &like, false).unwrap()
}

/// Returns a spectrum with a few eigenvalues above a bulk in [0, 1].
fn outliers(dimension: usize, top: &[f64]) -> Vec<f64> {
    let mut spectrum: Vec<f64> = normal(5, dimension).iter().map(|x| x.abs().min(1.0)).collect();
    spectrum[..top.len()].copy_from_slice(top);
    spectrum
}

#[test]
fn curves_that_cross_keep_their_numbers() {
    let n = 100;
    let q = orthogonal(3, n);
    let mut tracker = tracker(20).following(4);
    let mut products = 0;
    for step in 0..100 {
        let phase = f64::from(step) * std::f64::consts::PI / 25.0;
        // The curves of four eigenvectors, three of which take turns at the top.
        let curves = [0.0, 2.1, 4.2].map(|shift| 10.0 + (phase + shift).cos());
        let curves = [curves[1], curves[0], 5.0 + f64::from(step) / 100.0, curves[2]];
        let found = measure(&mut tracker, &mut rotated(&q, &outliers(n, &curves)), n);
        assert!(found.converged && found.corrections.iter().all(Option::is_none));
        // At first in descending order.
        let curve_of = [1, 3, 0, 2];
        for (pair, &number) in found.eigenvalues.iter().zip(&found.numbers) {
            let expected = curves[curve_of[number as usize]];
            assert!(pair.value <= expected + 1e-2, "step {step}: {pair:?} is not {expected}");
            assert!(pair.value > 0.99 * expected, "step {step}: {pair:?} is not {expected}");
        }
        let descending = found.eigenvalues.is_sorted_by(|a, b| a.value >= b.value);
        assert!(descending && found.eigenvalues.len() == 4);
        products += found.products;
    }
    assert!(products < 100 * 11, "{products} in 100");
}

#[test]
fn who_falls_out_leaves_its_number_to_the_newcomer() {
    let n = 200;
    let mut tracker = tracker(0).following(3);
    let mut numbers = Vec::new();
    for step in 0..60 {
        // The fourth rises above the second and the third.
        let top = [10.0, 8.0, 7.0, 5.0 + 0.1 * f64::from(step)];
        let found = measure(&mut tracker, &mut diagonal(&outliers(n, &top)), n);
        let mut expected = top.to_vec();
        expected.sort_by(|a, b| b.total_cmp(a));
        let values: Vec<f64> = found.eigenvalues.iter().map(|pair| pair.value).collect();
        assert_near(&values, &expected[..3], 0.1);
        numbers.push(found.numbers);
    }
    assert_eq!(numbers[0], [0, 1, 2]);
    assert_eq!(numbers[19], [0, 1, 2]);
    // At 7 it takes the number of the third, and keeps it above the second and the first.
    assert_eq!(numbers[25], [0, 1, 2]);
    assert_eq!(numbers[35], [0, 2, 1]);
    assert_eq!(numbers[59], [2, 0, 1]);
}

#[test]
fn an_audit_corrects_any_of_the_eigenvalues() {
    let n = 2_000;
    let before = outliers(n, &[10.0, 8.0, 5.0]);
    for (new, rank) in [(6.0, 2), (9.0, 1), (12.0, 0)] {
        let mut after = before.clone();
        after[1_234] = new;
        let mut tracker = tracker(3).following(3);
        assert!(measure(&mut tracker, &mut diagonal(&before), n).audited);
        for _ in 0..2 {
            let missed = measure(&mut tracker, &mut diagonal(&after), n);
            assert!(missed.converged && !missed.audited && missed.corrections == [None; 3]);
        }
        let found = measure(&mut tracker, &mut diagonal(&after), n);
        assert!(found.audited && found.converged);
        let corrected: Vec<bool> = found.corrections.iter().map(Option::is_some).collect();
        let expected: Vec<bool> = (0..3).map(|index| index >= rank).collect();
        assert_eq!(corrected, expected, "{found:?}");
        assert!((found.corrections[2].unwrap() - 5.0).abs() < 0.05);
        assert_eq!(found.corrected_from.is_some(), rank == 0);
        assert!((found.eigenvalues[rank].value - new).abs() < 1e-3);
        // What fell out had the number 2.
        assert_eq!(found.numbers[rank], 2);
        let next = measure(&mut tracker, &mut diagonal(&after), n);
        assert!((next.eigenvalues[rank].value - new).abs() < 1e-2 && next.numbers == found.numbers);
    }
}

#[test]
fn if_warm_search_and_audit_each_missed_something_both_are_joined() {
    let n = 500;
    let spectrum = |second: f64, third: f64| outliers(n, &[10.0, second, third]);
    let products_of = |audit: bool, late: &[f64]| {
        let mut tracker = tracker(0).following(3);
        measure(&mut tracker, &mut diagonal(&spectrum(9.0, 5.0)), n);
        let (mut early, mut late) = (diagonal(&spectrum(9.0, 5.0)), diagonal(late));
        let mut products = 0;
        // The warm search takes five products. The operator then changes, as if the audit were wrong.
        let mut operator = |v: &Tensor<1>| {
            products += 1;
            if products <= 5 { early(v) } else { late(v) }
        };
        tracker.measure(&mut operator, &tensor(&vec![0.0; n]), audit).unwrap()
    };
    assert_eq!(products_of(false, &spectrum(9.0, 5.0)).products, 5, "as assumed below");
    let agreed = products_of(true, &spectrum(9.0, 5.0));
    let joined = products_of(true, &spectrum(8.0, 6.0));
    assert!(joined.products > agreed.products, "{joined:?}");
    assert_eq!(
        joined.corrections.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, false, true]
    );
    let values: Vec<f64> = joined.eigenvalues.iter().map(|pair| pair.value).collect();
    assert_near(&values, &[10.0, 8.0, 6.0], 1e-2);
}

#[test]
fn a_track_continues_bit_for_bit_and_also_from_a_state_without_numbers() {
    let n = 300;
    let at = |step: u32| {
        let swing = (f64::from(step) / 3.0).cos();
        diagonal(&outliers(n, &[10.0 - swing, 10.0 + swing, 9.0, 8.8 + swing]))
    };
    let mut tracker = tracker(4).following(3);
    for step in 0..10 {
        measure(&mut tracker, &mut at(step), n);
    }
    let state = tracker.state();
    assert_eq!(state.numbers.iter().flatten().count(), 3);
    let mut other = self::tracker(4).following(3);
    other.go_on_from(state.clone());
    let mut old = self::tracker(4).following(3);
    let mut without = state;
    without.numbers.clear();
    old.go_on_from(without);
    for step in 10..30 {
        let [a, b, c] = [&mut tracker, &mut other, &mut old].map(|tracker| measure(tracker, &mut at(step), n));
        assert_eq!(a, b, "step {step}");
        assert_eq!(a.eigenvalues, c.eigenvalues, "step {step}");
        if step == 10 {
            assert_eq!(c.numbers, [0, 1, 2]);
        }
        let mut numbers = c.numbers;
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2]);
    }
}

#[test]
fn a_state_of_one_eigenvalue_goes_on_with_several() {
    let n = 200;
    let mut operator = diagonal(&outliers(n, &[10.0, 9.0, 8.0, 7.0]));
    let mut tracker = tracker(0);
    measure(&mut tracker, &mut operator, n);
    let mut several = self::tracker(0).following(4);
    several.go_on_from(tracker.state());
    let found = measure(&mut several, &mut operator, n);
    let values: Vec<f64> = found.eigenvalues.iter().map(|pair| pair.value).collect();
    assert_near(&values, &[10.0, 9.0, 8.0, 7.0], 1e-2);
    assert_eq!(found.numbers, [0, 1, 2, 3]);
}

#[test]
fn gradient_descent_is_followed_in_three_eigenvalues_with_orthonormal_vectors() {
    let model = Model::Mlp { widths: vec![7, 5] };
    let settings = settings(model, Activation::Tanh, false, Loss::SquaredError);
    let mut problem = Problem::new(&settings, [1, 2, 3], 3, 9, Normalization::Batch);
    let mut tracker = tracker(10).following(3);
    let mut products = 0;
    for step in 0..120 {
        if step % 5 == 0 {
            let mut go_on = || true;
            let mut hessian = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
            let found = measure(&mut tracker, &mut hessian, problem.len());
            assert!(found.converged, "step {step}");
            products += found.products;
            let matrix = problem.product_hessian();
            let expected = spectrum_of(&matrix);
            for (pair, expected_value) in found.eigenvalues.iter().zip(&expected) {
                assert!(pair.value <= expected_value + 1e-12, "step {step}: overstated");
                let low = (expected_value - pair.value) / expected[0];
                assert!(low < 1e-3, "step {step}: {} of {expected_value}", pair.value);
            }
            let vectors: Vec<_> = tracker.eigenvectors().iter().map(vector).collect();
            assert_eq!(vectors.len(), 3);
            for (i, (x, pair)) in vectors.iter().zip(&found.eigenvalues).enumerate() {
                for (j, y) in vectors.iter().enumerate() {
                    let off = x.dot(y) - f64::from(u8::from(i == j));
                    assert!(off.abs() < 1e-3, "{off:e}");
                }
                let residual = (&matrix * x - x * pair.value).norm();
                assert!(residual < 2e-2 * expected[0], "{residual:e}");
            }
        }
        let (_, gradient) = problem.loss_and_gradient(&problem.parameters);
        problem.parameters = problem.parameters - tensor((gradient * 0.2).as_slice());
    }
    assert!(products < 24 * 20, "{products} in 24");
}

/// A matrix whose products are made in float32 where rounding is allowed.
struct Single(Tensor<2>, bool);

impl SymmetricOperator for Single {
    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        if self.1 {
            let product = apply(&self.0.clone().cast(DType::F32), &v.clone().cast(DType::F32));
            return Ok(product.cast(DType::F64));
        }
        Ok(apply(&self.0, v))
    }

    fn allow_rounding(&mut self, allowed: bool) {
        self.1 = allowed;
    }
}

#[test]
fn rounded_products_first_give_exact_eigenvalues() {
    let n = 120;
    let matrix = symmetric(3, n);
    let expected = spectrum_of(&matrix);
    let rules = Rules {
        rounded_search: true,
        ..Rules::new(1e-4, DType::F64)
    };
    let mut tracker = Tracker::new(rules, ChaCha8Rng::seed_from_u64(1)).following(3);
    let found = measure(&mut tracker, &mut Single(square(&matrix), false), n);
    assert!(found.converged && found.rounded_products > 10, "{found:?}");
    assert!(found.products - found.rounded_products < 12, "{found:?}");
    let values: Vec<f64> = found.eigenvalues.iter().map(|pair| pair.value).collect();
    assert_near(&values, &expected[..3], 1e-6);
}

#[test]
fn a_measurement_without_a_number_has_no_eigenvalues() {
    let mut tracker = tracker(0).following(3);
    let lost = measure(&mut tracker, &mut diagonal(&[f64::NAN; 50]), 50);
    assert!(lost.value.is_nan() && !lost.converged);
    assert!(lost.eigenvalues.is_empty() && lost.numbers.is_empty() && lost.corrections.is_empty());
    assert!(tracker.eigenvectors().is_empty());
    let again = measure(&mut tracker, &mut diagonal(&outliers(50, &[10.0, 9.0, 8.0])), 50);
    assert!(again.converged && again.numbers == [0, 1, 2]);
}

#[test]
fn eigenvalues_near_zero_converge_and_are_not_corrected_by_audits_that_agree() {
    let n = 300;
    let mut spectrum: Vec<f64> = normal(5, n).iter().map(|x| 0.1 * x.clamp(-1.0, 0.0)).collect();
    spectrum[..2].copy_from_slice(&[10.0, 8.0]);
    let mut tracker = tracker(1).following(4);
    for _ in 0..10 {
        let found = measure(&mut tracker, &mut diagonal(&spectrum), n);
        assert!(found.converged && found.audited && found.products < 60, "{found:?}");
        assert_eq!(found.corrections, [None; 4]);
        assert!(found.eigenvalues[3].value.abs() < 0.05, "{found:?}");
    }
}
