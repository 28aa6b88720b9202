//! Tests of failed measurements, which give NaN: products and vectors that are not finite never cause a panic, an
//! endless loop or a wrong value.

use burn::tensor::activation;
use burn::tensor::{DType, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{
    Estimate, Hessian, Measurement, Rules, Search, SymmetricOperator, Tracker, largest_eigenvalue,
};
use sharpness::model::{Activation, Loss, Normalization};

use super::problem::{Model, Problem, settings};
use super::vectors::{device, diagonal, normal, numbers, tensor};

const SEARCH: Search = Search {
    tolerance: 1e-10,
    min_products: 0,
    max_products: 500,
    wanted_vectors: 3,
};

const RULES: Rules = Rules {
    tolerance: 1e-2,
    tolerance_floor: 1e-12,
    max_products: 200,
    audit_every: 0,
    rounded_search: false,
};

const DIMENSION: usize = 80;

fn spectrum() -> Vec<f64> {
    let mut spectrum: Vec<f64> = normal(5, DIMENSION).iter().map(|x| x.abs().min(1.0)).collect();
    spectrum[..3].copy_from_slice(&[10.0, 9.0, 8.0]);
    spectrum
}

/// Returns the operator diag(spectrum) whose products after the first `good` have one entry changed by `bad`.
fn spoilt_after(good: usize, bad: f64) -> impl FnMut(&Tensor<1>) -> Tensor<1> {
    let mut operator = diagonal(&spectrum());
    let mut products = 0;
    move |v| {
        products += 1;
        let product = operator(v);
        if products <= good {
            return product;
        }
        let mut spoilt = vec![0.0; DIMENSION];
        spoilt[7] = bad;
        product + tensor(&spoilt)
    }
}

fn search(mut operator: impl SymmetricOperator, start: &[Tensor<1>]) -> Estimate {
    largest_eigenvalue(&mut operator, start, &SEARCH).unwrap()
}

fn start() -> Tensor<1> {
    tensor(&normal(1, DIMENSION))
}

#[track_caller]
fn assert_nothing(found: &Estimate) {
    assert!(found.value.is_nan() && found.residual.is_nan() && !found.converged);
    assert!(found.vectors.is_empty() && found.images.is_empty() && found.values.is_empty());
}

#[track_caller]
fn assert_not_had(found: &Measurement) {
    assert!(found.value.is_nan() && found.residual.is_nan(), "{found:?}");
    assert!(
        !found.converged && !found.audited && found.corrected_from.is_none(),
        "{found:?}"
    );
}

#[track_caller]
fn assert_had(found: &Measurement, expected: f64) {
    assert!(found.converged, "{found:?}");
    assert!((found.value / expected - 1.0).abs() < 1e-2, "{found:?}");
}

fn measure(tracker: &mut Tracker, operator: &mut impl SymmetricOperator, audit: bool) -> Measurement {
    tracker.measure(operator, &tensor(&[0.0; DIMENSION]), audit).unwrap()
}

fn tracker() -> Tracker {
    Tracker::new(RULES, ChaCha8Rng::seed_from_u64(1))
}

#[test]
fn products_that_stop_being_finite_end_the_search_without_a_number() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        // At the beginning, in the middle, and near a restart.
        for good in [0, 1, 2, 5, 31, 32, 33] {
            let found = search(spoilt_after(good, bad), &[start()]);
            if good >= 31 && found.converged {
                continue;
            }
            assert_nothing(&found);
            assert_eq!(found.products, good as u64 + 1, "{bad} after {good}");
        }
    }
}

#[test]
fn a_start_that_is_not_finite_gives_no_number_and_takes_no_product() {
    for bad in [f64::NAN, f64::INFINITY] {
        let mut values = normal(1, DIMENSION);
        values[3] = bad;
        let found = search(diagonal(&spectrum()), &[tensor(&values)]);
        assert_nothing(&found);
        assert_eq!(found.products, 0);
        // A finite start vector before it does not help: its span may lie below the top.
        assert_nothing(&search(diagonal(&spectrum()), &[start(), tensor(&values)]));
    }
    assert_nothing(&search(diagonal(&spectrum()), &[tensor(&[0.0; DIMENSION])]));
    assert_nothing(&search(diagonal(&spectrum()), &[]));
}

#[test]
fn eigenvalues_at_the_end_of_the_format_are_found_or_not_had_and_never_infinite() {
    for scale in [1e300, 1e307, 1.7e308, -1e308, 5e-324, 1e-310, -1e-310] {
        let values: Vec<f64> = spectrum().iter().map(|x| x / 10.0 * scale).collect();
        let found = search(diagonal(&values), &[start()]);
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if found.value.is_nan() {
            assert_nothing(&found);
        } else {
            assert!(found.value.is_finite() && found.residual.is_finite(), "{scale}");
            let error = (found.value - largest).abs();
            assert!(
                !found.converged || error <= 1e-6 * largest.abs() + 1e-320,
                "{scale}: {}",
                found.value
            );
        }
    }
    // Every entry is finite, but their sums are not.
    let found = search(|v: &Tensor<1>| v.clone().sign() * f64::MAX, &[start()]);
    assert_nothing(&found);
}

#[test]
fn an_operator_of_zeros_has_zero_as_its_eigenvalue() {
    let mut tracker = tracker();
    for audit in [false, false, true] {
        let found = measure(&mut tracker, &mut diagonal(&[0.0; DIMENSION]), audit);
        assert!(
            found.converged && found.value == 0.0 && found.residual == 0.0,
            "{found:?}"
        );
    }
}

#[test]
fn a_measurement_after_one_that_could_not_be_had_starts_cold_and_is_right() {
    for good in [0, 1, 2] {
        let mut tracker = tracker();
        assert_had(&measure(&mut tracker, &mut diagonal(&spectrum()), false), 10.0);
        assert!(!tracker.audit_is_due());
        for _ in 0..2 {
            let lost = measure(&mut tracker, &mut spoilt_after(good, f64::NAN), false);
            assert_not_had(&lost);
            assert!(lost.products > 0);
            assert!(tracker.audit_is_due(), "what was kept is dropped");
        }
        let after = measure(&mut tracker, &mut diagonal(&spectrum()), false);
        assert_had(&after, 10.0);
        assert!(after.audited && after.corrected_from.is_none());
        assert_had(&measure(&mut tracker, &mut diagonal(&spectrum()), false), 10.0);
    }
}

#[test]
fn kept_vectors_that_lead_to_nothing_are_replaced_by_a_cold_start_at_once() {
    let mut tracker = tracker();
    measure(&mut tracker, &mut diagonal(&spectrum()), false);
    // Only the first product, which belongs to the warm start, is spoilt.
    let mut good = diagonal(&spectrum());
    let mut products = 0;
    let mut operator = |v: &Tensor<1>| {
        products += 1;
        good(v) * if products == 1 { f64::NAN } else { 1.0 }
    };
    let found = measure(&mut tracker, &mut operator, false);
    assert_had(&found, 10.0);
    assert!(found.audited && found.corrected_from.is_none(), "{found:?}");
    assert_eq!(found.products, products, "the useless product is counted");
    let next = measure(&mut tracker, &mut diagonal(&spectrum()), false);
    assert_had(&next, 10.0);
    assert!(!next.audited && next.products < 10, "{next:?}");
}

#[test]
fn an_audit_that_leads_to_nothing_leaves_the_warm_value_unaudited() {
    let mut tracker = tracker();
    measure(&mut tracker, &mut diagonal(&spectrum()), false);
    let warm = measure(&mut tracker, &mut diagonal(&spectrum()), false).products;
    let found = measure(
        &mut tracker,
        &mut spoilt_after(usize::try_from(warm).unwrap() + 3, f64::NAN),
        true,
    );
    assert_had(&found, 10.0);
    assert!(!found.audited && found.corrected_from.is_none(), "{found:?}");
}

#[test]
fn a_search_that_may_not_take_enough_products_is_marked_and_finite() {
    let rules = Rules {
        tolerance: 1e-12,
        max_products: 2,
        ..RULES
    };
    let mut tracker = Tracker::new(rules, ChaCha8Rng::seed_from_u64(1));
    for _ in 0..3 {
        let found = measure(&mut tracker, &mut diagonal(&spectrum()), true);
        assert!(!found.converged && !found.audited, "{found:?}");
        assert!(found.value.is_finite() && found.value <= 10.0 + 1e-12 && found.residual > 0.0);
    }
}

#[test]
fn a_network_whose_loss_has_exploded_has_a_lambda_max_or_none_and_never_a_wrong_one() {
    for loss in [Loss::SquaredError, Loss::CrossEntropy] {
        let settings = settings(Model::Mlp { widths: vec![7, 5] }, Activation::Relu, false, loss);
        for scale in [1e40, 1e110, 1e200, f64::MAX, f64::INFINITY, f64::NAN] {
            let mut problem = Problem::new(&settings, [1, 2, 3], 3, 9, Normalization::Batch);
            problem.parameters = problem.parameters * scale;
            let mut go_on = || true;
            let mut hessian = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
            let mut tracker = tracker();
            let found = tracker.measure(&mut hessian, &problem.parameters, true).unwrap();
            assert_eq!(
                found.value.is_nan(),
                found.residual.is_nan(),
                "{loss:?} × {scale}: {found:?}"
            );
            assert!(!found.value.is_infinite() && !found.residual.is_infinite());
            if !scale.is_finite() {
                assert_not_had(&found);
            }
        }
    }
}

/// Checks 32 bits, the format of networks: vector instructions for the maximum of two 32-bit numbers ignore a NaN on
/// one side.
#[test]
fn what_is_not_a_number_stays_so_through_relu_in_32_bits() {
    let not_numbers = |length: usize| {
        let data = TensorData::new(vec![f32::NAN; length], [length]);
        Tensor::<1>::from_data(data, (&device(), DType::F32))
    };
    let all_nan = |x: Tensor<1>| numbers(&x).iter().all(|value| value.is_nan());
    for length in [1, 7, 33, 4_096] {
        assert!(all_nan(activation::relu(not_numbers(length))), "relu of {length}");
    }
}

#[test]
fn a_single_parameter_that_is_not_a_number_cannot_hide_behind_a_layer() {
    for (model, input) in [
        (Model::Mlp { widths: vec![7, 5] }, [1, 2, 3]),
        (Model::Cnn { channels: (2, 3) }, [1, 4, 4]),
    ] {
        for activation in [Activation::Relu, Activation::Tanh] {
            for batch_norm in [false, true] {
                let settings = settings(model.clone(), activation, batch_norm, Loss::CrossEntropy);
                let mut problem = Problem::new(&settings, input, 3, 9, Normalization::Batch);
                let mut values = numbers(&problem.parameters);
                values[0] = f64::NAN;
                problem.parameters = tensor(&values);
                let (loss, _) = problem.loss_and_gradient(&problem.parameters);
                assert!(
                    loss.is_nan(),
                    "{model:?}, {activation:?}, batch norm {batch_norm}: {loss}"
                );
                let mut go_on = || true;
                let mut hessian = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
                let found = tracker().measure(&mut hessian, &problem.parameters, false).unwrap();
                assert_not_had(&found);
            }
        }
    }
}
