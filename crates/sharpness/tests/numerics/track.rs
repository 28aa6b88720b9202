//! Tests of tracking λ_max along a changing operator.

use burn::tensor::DType;
use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{Hessian, Interrupted, Measurement, Rules, SymmetricOperator, Tracker};
use sharpness::model::{Activation, Loss, Normalization};

use super::problem::{Model, Problem, settings};
use super::vectors::{dense, diagonal, largest, normal, orthogonal, rotated, symmetric, tensor};

fn tracker(audit_every: u64) -> Tracker {
    let rules = Rules {
        tolerance: 1e-2,
        tolerance_floor: 1e-12,
        max_products: 200,
        audit_every,
        rounded_search: false,
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
fn a_loose_tolerance_does_not_make_cold_starts_loose() {
    // A bulk up to 0.9 of the top. With it, an early small residual often belongs to the second eigenvalue.
    let n = 1_000;
    let mut spectrum: Vec<f64> = outliers(n, &[]).iter().map(|x| 9.0 * (1.0 - x * x)).collect();
    spectrum[..2].copy_from_slice(&[10.0, 9.8]);
    let low = (0..50).filter(|&seed| {
        let rules = Rules {
            tolerance: 0.2,
            tolerance_floor: 1e-12,
            max_products: 200,
            audit_every: 0,
            rounded_search: false,
        };
        let mut tracker = Tracker::new(rules, ChaCha8Rng::seed_from_u64(seed));
        measure(&mut tracker, &mut diagonal(&spectrum), n).value < 9.9
    });
    let low = low.count();
    assert!(low <= 1, "{low} of 50 stopped at the second eigenvalue");
}

#[test]
fn a_cold_start_is_ten_times_tighter_than_what_was_asked_for() {
    let spectrum = outliers(300, &[1.3, 1.25]);
    for seed in 0..5 {
        let rules = Rules {
            tolerance: 1e-4,
            tolerance_floor: 1e-12,
            ..Rules::new(1e-4, DType::F64)
        };
        let mut tracker = Tracker::new(rules, ChaCha8Rng::seed_from_u64(seed));
        let found = measure(&mut tracker, &mut diagonal(&spectrum), spectrum.len());
        assert!(
            found.converged && found.residual <= 1e-5 * found.value,
            "seed {seed}: {found:?}"
        );
    }
}

#[test]
fn an_audit_that_agrees_within_the_tolerance_corrects_nothing_below_zero_either() {
    let spectrum: Vec<f64> = outliers(300, &[]).iter().map(|x| -1.0 - x).collect();
    let rules = Rules {
        tolerance: 0.2,
        audit_every: 1,
        ..Rules::new(0.2, DType::F64)
    };
    let mut tracker = Tracker::new(rules, ChaCha8Rng::seed_from_u64(3));
    for _ in 0..10 {
        let found = measure(&mut tracker, &mut diagonal(&spectrum), spectrum.len());
        assert!(found.audited && found.corrected_from.is_none(), "{found:?}");
    }
}

#[test]
fn rules_of_a_tolerance_are_as_documented() {
    for (format, tolerance_floor) in [(DType::F32, 1e-5), (DType::F64, 1e-13)] {
        let expected = Rules {
            tolerance: 0.01,
            tolerance_floor,
            max_products: 200,
            audit_every: 10,
            rounded_search: false,
        };
        assert_eq!(Rules::new(0.01, format), expected);
    }
}

#[test]
fn gradient_descent_at_the_edge_of_stability_is_followed_within_the_tolerance() {
    let model = Model::Mlp { widths: vec![7, 5] };
    let settings = settings(model, Activation::Tanh, false, Loss::SquaredError);
    let mut problem = Problem::new(&settings, [1, 2, 3], 3, 9, Normalization::Batch);
    let mut tracker = tracker(0);
    let (mut seen, mut products) = (Vec::new(), 0);
    let learning_rate = 0.2;
    for step in 0..400 {
        if step % 5 == 0 {
            let mut go_on = || true;
            let mut hessian = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
            let found = measure(&mut tracker, &mut hessian, problem.len());
            products += found.products;
            assert!(found.converged, "step {step}");
            if step % 20 == 0 {
                let expected = largest(&problem.product_hessian());
                assert!(found.value <= expected * (1.0 + 1e-12), "step {step}: overstated");
                let low = 1.0 - found.value / expected;
                assert!(low < 1e-2, "step {step}: {} of {expected}", found.value);
                seen.push(expected * learning_rate);
            }
        }
        let (_, gradient) = problem.loss_and_gradient(&problem.parameters);
        problem.parameters = problem.parameters - tensor((gradient * learning_rate).as_slice());
    }
    let (first, last) = (seen[0], seen[seen.len() - 1]);
    assert!(first < 1.5 && last > 1.9, "ηλ went from {first} to {last}, not to 2");
    assert!(products < 80 * 4, "{products} in 80");
}

#[test]
fn the_first_measurement_is_cold_and_audited() {
    let mut tracker = tracker(0);
    assert!(tracker.audit_is_due());
    let first = measure(&mut tracker, &mut diagonal(&outliers(300, &[10.0, 8.0])), 300);
    assert!(first.audited && first.converged && first.corrected_from.is_none());
    assert!(first.products >= 10);
    assert!((first.value - 10.0).abs() < 1e-4);
    assert!(!tracker.audit_is_due());
}

#[test]
fn a_slow_drift_is_followed_with_few_products_and_never_overstated() {
    let n = 60;
    let base = DMatrix::from_diagonal(&DVector::from(outliers(n, &[10.0, 9.0, 5.0])));
    let drift = symmetric(2, n) * 0.05;
    let mut tracker = tracker(0);
    let cold = measure(&mut tracker, &mut dense(&base), n).products;
    let mut warm = 0;
    for step in 1..=40 {
        let matrix = &base + &drift * f64::from(step);
        let expected = largest(&matrix);
        let found = measure(&mut tracker, &mut dense(&matrix), n);
        assert!(found.converged && !found.audited);
        assert!(found.value <= expected + 1e-12, "step {step}: overstated");
        assert!(
            found.value >= expected * 0.99,
            "step {step}: {} of {expected}",
            found.value
        );
        warm += found.products;
    }
    assert!(cold >= 10 && warm < 40 * 4, "cold {cold}, warm {warm} in 40");
}

#[test]
fn two_directions_that_cross_are_followed_without_missing_the_larger() {
    let n = 100;
    let q = orthogonal(3, n);
    let mut tracker = tracker(0);
    for step in 0..200 {
        // The order of the first two changes every 20 steps; the eigenvectors stay the same.
        let swing = (f64::from(step) * std::f64::consts::PI / 20.0).cos();
        let spectrum = outliers(n, &[10.0 + swing, 10.0 - swing, 4.0]);
        let expected = 10.0 + swing.abs();
        let found = measure(&mut tracker, &mut rotated(&q, &spectrum), n);
        assert!(found.converged);
        assert!(found.value <= expected + 1e-12);
        assert!(
            found.value >= expected * 0.98,
            "step {step}: {} of {expected}",
            found.value
        );
    }
}

#[test]
fn a_second_direction_that_overtakes_after_a_long_rest_is_not_missed() {
    let n = 400;
    let mut tracker = tracker(0);
    for _ in 0..500 {
        measure(&mut tracker, &mut diagonal(&outliers(n, &[10.0, 8.0])), n);
    }
    for step in 0..40 {
        let second = 8.0 + 0.1 * f64::from(step);
        let found = measure(&mut tracker, &mut diagonal(&outliers(n, &[10.0, second])), n);
        let expected = second.max(10.0);
        assert!(
            found.value >= expected * 0.98,
            "step {step}: {} of {expected}",
            found.value
        );
    }
}

#[test]
fn a_direction_that_rises_slowly_from_outside_the_kept_span_is_found_within_a_few_measurements() {
    // Eight eigenvalues, of which the tracker keeps six, above the bulk. The new one rises out of the bulk.
    let n = 2_000;
    let top: Vec<f64> = [10.0, 9.0, 8.0, 7.8, 7.6, 7.4, 7.2, 7.0].into();
    let mut spectrum = outliers(n, &top);
    let mut tracker = tracker(0);
    let (mut products, mut late) = (0, 0);
    for step in 0..200 {
        // This eigenvalue overtakes at step 150.
        spectrum[1_234] = 1.0 + 0.06 * f64::from(step);
        let found = measure(&mut tracker, &mut diagonal(&spectrum), n);
        let expected = spectrum[1_234].max(10.0);
        assert!(found.converged && found.value <= expected + 1e-12);
        late += u32::from(found.value < expected * 0.99);
        assert!(
            found.value > expected * 0.97,
            "step {step}: {} of {expected}",
            found.value
        );
        products += found.products;
    }
    assert!(late <= 3, "more than 1 % low {late} times");
    assert!(products < 200 * 4, "{products} in 200");
}

#[test]
fn three_directions_that_take_turns_at_the_top_are_followed() {
    let n = 100;
    let q = orthogonal(3, n);
    let mut tracker = tracker(0);
    let mut products = 0;
    for step in 0..200 {
        let phase = f64::from(step) * std::f64::consts::PI / 25.0;
        let top = [0.0, 2.1, 4.2].map(|shift| 10.0 + (phase + shift).cos());
        let spectrum = outliers(n, &[top[0], top[1], top[2], 8.0, 7.0]);
        let expected = top.into_iter().fold(f64::MIN, f64::max);
        let found = measure(&mut tracker, &mut rotated(&q, &spectrum), n);
        assert!(found.converged && found.value <= expected + 1e-12);
        assert!(
            found.value >= expected * 0.99,
            "step {step}: {} of {expected}",
            found.value
        );
        products += found.products;
    }
    assert!(products < 200 * 4, "{products} in 200");
}

#[test]
fn negative_curvature_beyond_the_top_does_not_disturb_the_track() {
    let n = 400;
    for lowest in [-10.0, -29.0, -100.0] {
        let mut tracker = tracker(0);
        let mut products = 0;
        for _ in 0..100 {
            let spectrum = outliers(n, &[10.0, 8.0, lowest, 0.9 * lowest]);
            products += measure(&mut tracker, &mut diagonal(&spectrum), n).products;
        }
        for step in 0..40 {
            let second = 8.0 + 0.1 * f64::from(step);
            let spectrum = outliers(n, &[10.0, second, lowest, 0.9 * lowest]);
            let found = measure(&mut tracker, &mut diagonal(&spectrum), n);
            let expected = second.max(10.0);
            assert!(found.converged && found.value <= expected + 1e-12);
            assert!(
                found.value >= expected * 0.98,
                "λ_min {lowest}, step {step}: {}",
                found.value
            );
            products += found.products;
        }
        assert!(products < 140 * 5, "λ_min {lowest}: {products} in 140");
    }
}

#[test]
fn a_new_top_direction_that_the_warm_track_cannot_see_is_found_by_the_audit_when_due() {
    let n = 2_000;
    let before = outliers(n, &[10.0, 5.0]);
    let mut after = before.clone();
    after[1_234] = 10.5;
    let mut tracker = tracker(5);
    assert!(measure(&mut tracker, &mut diagonal(&before), n).audited);
    for _ in 0..4 {
        assert!(!tracker.audit_is_due());
        let missed = measure(&mut tracker, &mut diagonal(&after), n);
        assert!(!missed.audited && missed.converged && missed.corrected_from.is_none());
        assert!((missed.value - 10.0).abs() < 1e-2, "{}", missed.value);
    }
    assert!(tracker.audit_is_due());
    let found = measure(&mut tracker, &mut diagonal(&after), n);
    assert!(found.audited && found.converged);
    assert!((found.value - 10.5).abs() < 1e-3);
    let old = found.corrected_from.unwrap();
    assert!((old - 10.0).abs() < 1e-2);
    let next = measure(&mut tracker, &mut diagonal(&after), n);
    assert!(!next.audited && next.corrected_from.is_none());
    assert!((next.value - 10.5).abs() < 1e-2);
    assert!(next.products < 5);
}

#[test]
fn a_new_top_direction_is_found_in_time_even_without_audits() {
    let n = 2_000;
    let before = outliers(n, &[10.0, 5.0]);
    let mut after = before.clone();
    after[1_234] = 10.5;
    let mut tracker = tracker(0);
    measure(&mut tracker, &mut diagonal(&before), n);
    let (mut products, mut value) = (0, 0.0);
    for _ in 0..40 {
        let found = measure(&mut tracker, &mut diagonal(&after), n);
        assert!(!found.audited && found.converged);
        products += found.products;
        value = found.value;
    }
    assert!(value > 10.4, "{value}");
    assert!(products < 40 * 4, "{products} in 40");
}

#[test]
fn an_audit_on_demand_finds_it_at_once_and_restarts_the_count() {
    let n = 2_000;
    let before = outliers(n, &[10.0, 5.0]);
    let mut after = before.clone();
    after[1_234] = 10.5;
    let mut tracker = tracker(5);
    for _ in 0..4 {
        measure(&mut tracker, &mut diagonal(&before), n);
    }
    let found = tracker
        .measure(&mut diagonal(&after), &tensor(&vec![0.0; n]), true)
        .unwrap();
    assert!(found.audited && found.corrected_from.is_some());
    assert!((found.value - 10.5).abs() < 1e-3);
    for _ in 0..4 {
        assert!(!measure(&mut tracker, &mut diagonal(&after), n).audited);
    }
    assert!(measure(&mut tracker, &mut diagonal(&after), n).audited);
}

#[test]
fn an_audit_that_agrees_corrects_nothing() {
    let mut tracker = tracker(1);
    let spectrum = outliers(500, &[10.0, 9.9]);
    for _ in 0..10 {
        let found = measure(&mut tracker, &mut diagonal(&spectrum), 500);
        assert!(found.audited && found.converged && found.corrected_from.is_none());
        assert!(found.value <= 10.0 + 1e-12 && found.value > 9.99);
    }
}

#[test]
fn without_audits_only_the_first_measurement_is_audited() {
    let mut tracker = tracker(0);
    let spectrum = outliers(100, &[10.0]);
    let audited: Vec<bool> = (0..50)
        .map(|_| measure(&mut tracker, &mut diagonal(&spectrum), 100).audited)
        .collect();
    assert!(audited[0] && !audited[1..].contains(&true));
}

#[test]
fn a_value_that_ran_out_of_products_is_marked() {
    let rules = Rules {
        tolerance: 1e-6,
        tolerance_floor: 1e-12,
        max_products: 3,
        audit_every: 1,
        rounded_search: false,
    };
    let mut tracker = Tracker::new(rules, ChaCha8Rng::seed_from_u64(1));
    let spectrum: Vec<f64> = (0..500).map(f64::from).collect();
    let first = measure(&mut tracker, &mut diagonal(&spectrum), 500);
    assert!(!first.converged && first.products == 3);
    let second = measure(&mut tracker, &mut diagonal(&spectrum), 500);
    assert!(!second.converged && second.products == 6);
    assert!(second.value >= first.value, "more products cannot give a lower value");
}

#[test]
fn an_audit_that_ran_out_of_products_vouches_for_nothing() {
    let spectrum: Vec<f64> = (0..500).map(f64::from).collect();
    let rules = Rules {
        tolerance: 1e-2,
        tolerance_floor: 1e-12,
        max_products: 6,
        audit_every: 1,
        rounded_search: false,
    };
    let mut tracker = Tracker::new(rules, ChaCha8Rng::seed_from_u64(1));
    let mut found = measure(&mut tracker, &mut diagonal(&spectrum), 500);
    assert!(!found.converged && !found.audited);
    for _ in 0..10 {
        found = measure(&mut tracker, &mut diagonal(&spectrum), 500);
    }
    // By now the warm search converges, while six products of a cold start are still too few.
    assert!(found.converged && !found.audited && found.value > 0.98 * 499.0);
}

#[test]
fn a_cold_search_that_ran_out_of_products_is_not_converged_however_loose_the_rules() {
    let spectrum: Vec<f64> = (0..500).map(f64::from).collect();
    for max_products in [2, 5, 8, 12] {
        let rules = Rules {
            tolerance: 0.3,
            tolerance_floor: 1e-12,
            max_products,
            audit_every: 1,
            rounded_search: false,
        };
        let mut tracker = Tracker::new(rules, ChaCha8Rng::seed_from_u64(2));
        let found = measure(&mut tracker, &mut diagonal(&spectrum), 500);
        assert!(
            found.residual <= 0.3 * found.value,
            "the loose tolerance is met: {found:?}"
        );
        assert!(!found.converged && !found.audited, "{found:?}");
    }
}

#[test]
fn after_a_value_that_is_not_finite_the_track_starts_anew() {
    let mut tracker = tracker(0);
    let spectrum = outliers(100, &[10.0]);
    measure(&mut tracker, &mut diagonal(&spectrum), 100);
    let lost = measure(&mut tracker, &mut diagonal(&[f64::NAN; 100]), 100);
    assert!(lost.value.is_nan() && !lost.converged && lost.products <= 2);
    assert!(tracker.audit_is_due());
    let again = measure(&mut tracker, &mut diagonal(&spectrum), 100);
    assert!(again.audited && (again.value - 10.0).abs() < 1e-3);
}

#[test]
fn an_interrupted_measurement_leaves_the_track_where_it_was() {
    struct Stopped;
    impl SymmetricOperator for Stopped {
        fn apply(&mut self, _: &burn::tensor::Tensor<1>) -> Result<burn::tensor::Tensor<1>, Interrupted> {
            Err(Interrupted)
        }
    }
    let mut tracker = tracker(0);
    let spectrum = outliers(100, &[10.0]);
    measure(&mut tracker, &mut diagonal(&spectrum), 100);
    let like = tensor(&[0.0; 100]);
    assert_eq!(tracker.measure(&mut Stopped, &like, true), Err(Interrupted));
    let next = measure(&mut tracker, &mut diagonal(&spectrum), 100);
    assert!(!next.audited && next.products < 5 && next.converged);
}
