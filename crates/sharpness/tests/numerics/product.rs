//! Compares exact Hessian-vector products with differences of gradients.

use nalgebra::DVector;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{Hessian, Interrupted, MeanLoss, SymmetricOperator};
use sharpness::model::{Activation, Loss, Normalization, Parts, Pass, loss_and_gradient, loss_sum};

use super::problem::{DEEP, Known, Model, PROBLEMS, Problem, every_problem, settings};
use super::vectors::{differentiates_strides, normal, relative_error, tensor, vector};

const MLP: fn() -> Model = || Model::Mlp { widths: vec![7, 5] };

fn random(seed: u64, problem: &Problem) -> DVector<f64> {
    normal(seed, problem.len()).into()
}

/// Returns a direction of length 1. Differences along it cross no kink of a deep network's pools, and the error from
/// fifth derivatives is negligible.
fn short(seed: u64, problem: &Problem) -> DVector<f64> {
    random(seed, problem).normalize()
}

#[test]
fn every_product_equals_the_dense_hessian_times_the_vector() {
    for Known { name, problem, hessian } in PROBLEMS.iter() {
        for seed in 0..2 {
            let v = random(seed, problem);
            let error = relative_error(&problem.product(&v), &(hessian * &v));
            assert!(error < 1e-8, "{name}: relative error {error:e}");
        }
    }
}

#[test]
fn products_of_deep_networks_are_differences_of_gradients() {
    for (name, problem) in DEEP.iter().filter(|(name, _)| name.contains("Tanh")) {
        let v = short(0, problem);
        let error = relative_error(&problem.product(&v), &problem.differences(&v));
        assert!(error < 1e-8, "{name}: relative error {error:e}");
    }
}

#[test]
fn every_gradient_is_the_slope_of_the_loss() {
    for (name, problem) in every_problem().filter(|(name, _)| name.contains("Tanh")) {
        let v = short(3, problem);
        let direction = tensor(v.as_slice());
        let loss = |step: f64| {
            let moved = problem.parameters.clone() + direction.clone() * step;
            problem.loss_and_gradient(&moved).0
        };
        let h = 3e-5;
        let slope = ((loss(h) - loss(-h)) * 8.0 - (loss(2.0 * h) - loss(-2.0 * h))) / (12.0 * h);
        let expected = problem.loss_and_gradient(&problem.parameters).1.dot(&v);
        let off = (slope - expected).abs();
        assert!(off < 1e-9, "{name}: slope {slope} instead of {expected}");
    }
}

/// burn's automatic differentiation rounds the reciprocal of a divisor to 32 bits, which affects batch norm's means.
/// The comparison of the same gradients with PyTorch has the tolerance 1e-12.
const AUTODIFF_ERROR: f64 = 1e-7;

#[test]
fn every_gradient_is_that_of_automatic_differentiation() {
    let can = |name: &str| differentiates_strides() || !name.contains("ResNet20");
    for (name, problem) in every_problem().filter(|(name, _)| can(name)) {
        let tracked = problem.parameters.clone().autodiff().require_grad();
        let mut pass = Pass {
            dropout: None,
            normalization: problem.normalization,
            running: &mut problem.running.clone(),
            observe: false,
        };
        let parts = Parts::of(problem.network.layout(), &tracked);
        let outputs = problem
            .network
            .forward(&parts, problem.examples.images.clone(), &mut pass);
        let sum = loss_sum(problem.loss, outputs, &problem.examples.labels);
        let expected = vector(&tracked.grad(&sum.backward()).unwrap()) / problem.examples.len() as f64;
        let (_, gradient) = problem.loss_and_gradient(&problem.parameters);
        let error = relative_error(&gradient, &expected);
        assert!(error < AUTODIFF_ERROR, "{name}: relative error {error:e}");
    }
}

#[test]
fn dropout_has_the_gradient_of_automatic_differentiation_under_the_same_mask() {
    for (model, batch_norm) in [
        (MLP(), false),
        (Model::Cnn { channels: (2, 3) }, true),
        (Model::Vgg11 { width: 2 }, false),
        (Model::ResNet18 { width: 1 }, true),
        (Model::ResNet20 { width: 1 }, false),
    ] {
        if matches!(model, Model::ResNet20 { .. }) && !differentiates_strides() {
            continue;
        }
        let mut settings = settings(model, Activation::Relu, batch_norm, Loss::CrossEntropy);
        settings.hidden.dropout = 0.4;
        let problem = Problem::new(&settings, [1, 8, 8], 3, 9, Normalization::Batch);
        let (network, examples) = (&problem.network, &problem.examples);
        let mut running = problem.running.clone();
        let mut masks = [0, 0].map(|_| ChaCha8Rng::seed_from_u64(4));
        let [ours, theirs] = masks.each_mut();
        let mut pass = Pass {
            dropout: Some(ours),
            normalization: Normalization::Batch,
            running: &mut running,
            observe: false,
        };
        let (_, gradient) = loss_and_gradient(network, problem.loss, &problem.parameters, examples, &mut pass);
        pass.dropout = Some(theirs);
        let tracked = problem.parameters.clone().autodiff().require_grad();
        let outputs = network.forward(
            &Parts::of(network.layout(), &tracked),
            examples.images.clone(),
            &mut pass,
        );
        let sum = loss_sum(problem.loss, outputs, &examples.labels);
        let expected = tracked.grad(&sum.backward()).unwrap();
        let error = relative_error(&vector(&gradient), &vector(&expected));
        assert!(error < AUTODIFF_ERROR, "relative error {error:e}");
    }
}

#[test]
fn further_products_of_one_operator_are_the_same_bits_whether_or_not_it_keeps_its_passes() {
    for (name, problem) in every_problem() {
        let mean_loss = MeanLoss {
            chunk: 4,
            ..problem.mean_loss()
        };
        let (mut go_on, mut go_on_too) = (|| true, || true);
        let mut keeping = Hessian::new(mean_loss, &problem.parameters, &mut go_on).keeping(9);
        let mut forgetful = Hessian::new(mean_loss, &problem.parameters, &mut go_on_too).keeping(8);
        for seed in 0..3 {
            let v = tensor(random(seed, problem).as_slice());
            let [kept, forgotten] = [keeping.apply(&v), forgetful.apply(&v)].map(|p| vector(&p.unwrap()));
            assert_eq!(kept, forgotten, "{name}");
        }
    }
}

#[test]
fn every_product_is_symmetric_and_linear() {
    for (name, problem) in every_problem() {
        let (u, v) = (random(1, problem), random(2, problem));
        let (hu, hv) = (problem.product(&u), problem.product(&v));
        let scale = u.norm() * hv.norm();
        assert!((u.dot(&hv) - v.dot(&hu)).abs() < 1e-12 * scale, "{name}: not symmetric");
        let sum = problem.product(&(&u * 3.0 - &v * 0.5));
        let error = relative_error(&sum, &(hu * 3.0 - hv * 0.5));
        assert!(error < 1e-12, "{name}: not linear, {error:e}");
        let zero = problem.product(&DVector::zeros(problem.len()));
        assert!(zero.iter().all(|&x| x == 0.0), "{name}: H0 is not 0");
    }
}

#[test]
fn chunks_that_do_not_divide_the_examples_change_nothing_without_batch_statistics() {
    for normalization in [None, Some(Normalization::Running)] {
        let settings = settings(MLP(), Activation::Relu, normalization.is_some(), Loss::CrossEntropy);
        let normalization = normalization.unwrap_or(Normalization::Batch);
        let mut problem = Problem::new(&settings, [1, 2, 3], 3, 11, normalization);
        let v = random(5, &problem);
        let whole = problem.product(&v);
        for chunk in [0, 1, 2, 4, 10, 12, 1000] {
            problem.chunk = chunk;
            let error = relative_error(&problem.product(&v), &whole);
            assert!(error < 1e-13, "chunk {chunk}: {error:e}");
        }
    }
}

#[test]
fn examples_that_share_batch_statistics_are_averaged_over_their_groups() {
    for (model, input) in [
        (MLP(), [1, 2, 3]),
        (Model::Cnn { channels: (2, 3) }, [1, 8, 8]),
        (Model::Vgg11 { width: 1 }, [1, 8, 8]),
        (Model::ResNet18 { width: 1 }, [1, 8, 8]),
        (Model::ResNet20 { width: 1 }, [1, 8, 8]),
    ] {
        let settings = settings(model, Activation::Tanh, true, Loss::CrossEntropy);
        let mut problem = Problem::new(&settings, input, 3, 11, Normalization::Batch);
        let v = short(6, &problem);
        let whole = problem.product(&v);
        for group in [4, 8] {
            problem.chunk = group;
            let product = problem.product(&v);
            let error = relative_error(&product, &problem.differences(&v));
            assert!(error < 1e-8, "group {group}: {error:e}");
            let change = relative_error(&product, &whole);
            assert!(change > 1e-3, "group {group}: the group has no influence");
        }
    }
}

#[test]
fn dropout_in_the_settings_leaves_the_product_alone() {
    for model in [
        MLP(),
        Model::Cnn { channels: (2, 3) },
        Model::Vgg11 { width: 1 },
        Model::ResNet20 { width: 1 },
    ] {
        let mut settings = settings(model, Activation::Tanh, false, Loss::CrossEntropy);
        let without = Problem::new(&settings, [1, 8, 8], 3, 9, Normalization::Batch);
        settings.hidden.dropout = 0.7;
        let with = Problem::new(&settings, [1, 8, 8], 3, 9, Normalization::Batch);
        let v = random(7, &with);
        assert_eq!(with.product(&v), without.product(&v));
    }
}

#[test]
fn a_product_leaves_the_running_statistics_alone() {
    for normalization in [Normalization::Batch, Normalization::Running] {
        let settings = settings(MLP(), Activation::Tanh, true, Loss::CrossEntropy);
        let problem = Problem::new(&settings, [1, 2, 3], 3, 9, normalization);
        let mean = vector(&problem.running[0].mean);
        problem.product(&random(8, &problem));
        assert_eq!(vector(&problem.running[0].mean), mean);
    }
}

#[test]
fn units_that_are_off_for_every_example_give_zeros_not_nan() {
    let settings = settings(MLP(), Activation::Relu, false, Loss::CrossEntropy);
    let mut problem = Problem::new(&settings, [1, 2, 3], 3, 9, Normalization::Batch);
    // fc1.bias is so low that no unit of the first hidden layer is ever on.
    let mut parameters = vector(&problem.parameters);
    parameters.rows_mut(7 * 6, 7).fill(-100.0);
    problem.parameters = tensor(parameters.as_slice());
    let v = random(9, &problem);
    let product = problem.product(&v);
    assert!(product.rows(0, 7 * 7).iter().all(|&x| x == 0.0));
    assert!(relative_error(&product, &problem.differences(&v)) < 1e-8);
}

#[test]
fn one_example_alone_with_batch_statistics_stays_finite() {
    let settings = settings(MLP(), Activation::Tanh, true, Loss::CrossEntropy);
    let problem = Problem::new(&settings, [1, 2, 3], 3, 1, Normalization::Batch);
    let v = random(9, &problem);
    let error = relative_error(&problem.product(&v), &problem.differences(&v));
    assert!(error < 1e-8, "{error:e}");
}

#[test]
fn outputs_far_into_saturation_stay_finite() {
    for loss in [Loss::CrossEntropy, Loss::SquaredError] {
        let settings = settings(MLP(), Activation::Relu, false, loss);
        let mut problem = Problem::new(&settings, [1, 2, 3], 3, 9, Normalization::Batch);
        problem.parameters = problem.parameters * 60.0;
        let (value, gradient) = problem.loss_and_gradient(&problem.parameters);
        assert!(value > 700.0 && gradient.norm().is_finite());
        assert!(problem.product(&random(9, &problem)).norm().is_finite());
    }
}

#[test]
fn a_single_nan_among_the_parameters_reaches_the_loss_and_the_product() {
    for (model, input) in [
        (MLP(), [1, 2, 3]),
        (Model::Cnn { channels: (2, 3) }, [1, 8, 8]),
        (Model::Vgg11 { width: 1 }, [1, 8, 8]),
        (Model::ResNet18 { width: 1 }, [1, 8, 8]),
        (Model::ResNet20 { width: 1 }, [1, 8, 8]),
    ] {
        for activation in [Activation::Relu, Activation::Tanh] {
            let settings = settings(model.clone(), activation, false, Loss::CrossEntropy);
            let mut problem = Problem::new(&settings, input, 3, 9, Normalization::Batch);
            let mut parameters = vector(&problem.parameters);
            parameters[0] = f64::NAN;
            problem.parameters = tensor(parameters.as_slice());
            let (value, _) = problem.loss_and_gradient(&problem.parameters);
            assert!(value.is_nan(), "{model:?}, {activation:?}: loss {value}");
            let product = problem.product(&random(9, &problem));
            assert!(product.norm().is_nan(), "{model:?}, {activation:?}");
        }
    }
}

#[test]
fn the_mean_over_no_examples_is_nan() {
    let settings = settings(MLP(), Activation::Tanh, false, Loss::CrossEntropy);
    let mut problem = Problem::new(&settings, [1, 2, 3], 3, 9, Normalization::Batch);
    problem.examples = problem.examples.slice(0..0);
    assert!(problem.product(&random(9, &problem)).iter().all(|x| x.is_nan()));
}

#[test]
fn a_product_asked_to_stop_stops_before_its_next_chunk() {
    let settings = settings(MLP(), Activation::Tanh, false, Loss::CrossEntropy);
    let problem = Problem::new(&settings, [1, 2, 3], 3, 9, Normalization::Batch);
    let mean_loss = MeanLoss {
        chunk: 2,
        ..problem.mean_loss()
    };
    let v = tensor(random(9, &problem).as_slice());
    let mut asked = 0;
    let stopped = mean_loss.hessian_vector_product(&problem.parameters, &v, &mut || {
        asked += 1;
        asked < 3
    });
    assert_eq!(stopped.err(), Some(Interrupted));
    assert_eq!(asked, 3);
}
