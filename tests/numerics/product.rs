//! Exact Hessian-vector products against differences of gradients.

use nalgebra::DVector;
use sharptui::config::{Activation, Loss, Model};
use sharptui::curvature::{Interrupted, MeanLoss};
use sharptui::model::Normalization;

use crate::problem::{Known, PROBLEMS, Problem, settings};
use crate::vectors::{normal, relative_error, tensor, vector};

const MLP: fn() -> Model = || Model::Mlp { widths: vec![7, 5] };

fn random(seed: u64, problem: &Problem) -> DVector<f64> {
    normal(seed, problem.len()).into()
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
fn every_product_is_symmetric_and_linear() {
    for Known { name, problem, .. } in PROBLEMS.iter() {
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
    for (model, input) in [(MLP(), [1, 2, 3]), (Model::Cnn { channels: (2, 3) }, [1, 8, 8])] {
        let settings = settings(model, Activation::Tanh, true, Loss::CrossEntropy);
        let mut problem = Problem::new(&settings, input, 3, 11, Normalization::Batch);
        let v = random(6, &problem);
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
    for model in [MLP(), Model::Cnn { channels: (2, 3) }] {
        let mut settings = settings(model, Activation::Tanh, false, Loss::CrossEntropy);
        let without = Problem::new(&settings, [1, 8, 8], 3, 9, Normalization::Batch);
        settings.dropout = 0.7;
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
    // fc1.bias so low that no first hidden unit is ever on.
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
    for (model, input) in [(MLP(), [1, 2, 3]), (Model::Cnn { channels: (2, 3) }, [1, 8, 8])] {
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
