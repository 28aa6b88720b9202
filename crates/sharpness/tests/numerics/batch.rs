//! Tests of curvatures along directions against dense matrices.

use sharpness::curvature::{Along, Hessian, Interrupted};

use super::problem::{Known, PROBLEMS};
use super::vectors::{normal, tensor};

#[test]
fn the_curvature_along_a_gradient_is_that_of_the_dense_matrix() {
    for Known { name, problem, hessian } in PROBLEMS.iter() {
        let (_, gradient) = problem.loss_and_gradient(&problem.parameters);
        let along = Along::gradient(problem.mean_loss(), &problem.parameters, &mut || true).unwrap();
        let expected = (gradient.transpose() * hessian * &gradient)[0] / gradient.norm_squared();
        let error = (along.curvature() - expected).abs() / expected.abs().max(1.0);
        assert!(error < 1e-7, "{name}: {} and not {expected}", along.curvature());
        assert!(
            (along.squared_norm / gradient.norm_squared() - 1.0).abs() < 1e-12,
            "{name}"
        );
    }
}

#[test]
fn the_curvature_along_any_direction_is_its_rayleigh_quotient() {
    let Known { problem, hessian, .. } = &PROBLEMS[0];
    let d = nalgebra::DVector::from_vec(normal(3, problem.len()));
    let mut go_on = || true;
    let mut operator = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
    let along = Along::direction(&mut operator, &tensor(d.as_slice())).unwrap();
    let expected = (d.transpose() * hessian * &d)[0] / d.norm_squared();
    assert!((along.curvature() - expected).abs() < 1e-7 * expected.abs().max(1.0));
    let stopped = Along::gradient(problem.mean_loss(), &problem.parameters, &mut || false);
    assert_eq!(stopped, Err(Interrupted));
}
