//! The same networks in PyTorch, as written by `tests/fixtures/pytorch_hessian.py`.

use nalgebra::DVector;
use serde::Deserialize;
use sharptui::config::{Activation, Loss, Model};
use sharptui::curvature::{Hessian, Search, largest_eigenvalue};
use sharptui::model::{Normalization, Parts, Pass};

use crate::problem::{Problem, settings};
use crate::vectors::{normal, numbers, relative_error, tensor, vector};

#[derive(Deserialize)]
struct Case {
    name: String,
    shape: [usize; 3],
    classes: usize,
    widths: Option<Vec<usize>>,
    channels: Option<(usize, usize)>,
    activation: Activation,
    loss_function: Loss,
    batch_norm: Option<String>,
    parameters: Vec<Parameter>,
    statistics_before: Vec<LayerStatistics>,
    statistics_after: Vec<LayerStatistics>,
    images: Vec<f32>,
    labels: Vec<u8>,
    direction: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
    product: Vec<f64>,
    lambda_max: f64,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    shape: Vec<usize>,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct LayerStatistics {
    name: String,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

impl Case {
    fn problem(&self) -> Problem {
        let model = match (&self.widths, self.channels) {
            (Some(widths), None) => Model::Mlp { widths: widths.clone() },
            (None, Some(channels)) => Model::Cnn { channels },
            _ => panic!("{}: neither or both of widths and channels", self.name),
        };
        let normalization = match self.batch_norm.as_deref() {
            None | Some("Batch") => Normalization::Batch,
            Some("Running") => Normalization::Running,
            Some(other) => panic!("{}: batch norm {other}", self.name),
        };
        let batch_norm = self.batch_norm.is_some();
        let settings = settings(model, self.activation, batch_norm, self.loss_function);
        let mut problem = Problem::new(&settings, self.shape, self.classes, self.labels.len(), normalization);
        let options = (&problem.parameters.device(), problem.parameters.dtype());
        problem.examples =
            sharptui::model::Examples::upload(&self.images, &self.labels, self.classes, options.0, options.1);
        let values: Vec<f64> = self.parameters.iter().flat_map(|p| p.values.clone()).collect();
        problem.parameters = tensor(&values);
        for (ours, theirs) in problem.running.iter_mut().zip(&self.statistics_before) {
            ours.mean = tensor(&theirs.mean);
            ours.variance = tensor(&theirs.variance);
        }
        problem
    }
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../fixtures/pytorch_hessian.json")).unwrap();
    assert!(cases.len() >= 10);
    cases
}

#[test]
fn parameters_have_pytorchs_names_shapes_and_order() {
    for case in cases() {
        let problem = case.problem();
        let mut offset = 0;
        let entries = problem.network.layout().entries();
        assert_eq!(entries.len(), case.parameters.len(), "{}", case.name);
        for (ours, theirs) in entries.iter().zip(&case.parameters) {
            assert_eq!(
                (&ours.name, &ours.shape),
                (&theirs.name, &theirs.shape),
                "{}",
                case.name
            );
            assert_eq!(ours.offset, offset, "{}: {}", case.name, ours.name);
            offset += theirs.values.len();
        }
        assert_eq!(problem.len(), offset, "{}", case.name);
        let names: Vec<&String> = problem.running.iter().map(|r| &r.name).collect();
        let expected: Vec<&String> = case.statistics_before.iter().map(|s| &s.name).collect();
        assert_eq!(names, expected, "{}", case.name);
    }
}

#[test]
fn loss_and_gradient_are_pytorchs() {
    for case in cases() {
        let problem = case.problem();
        let (loss, gradient) = problem.loss_and_gradient(&problem.parameters);
        assert!((loss / case.loss - 1.0).abs() < 1e-12, "{}: loss {loss}", case.name);
        let error = relative_error(&gradient, &case.gradient.clone().into());
        assert!(error < 1e-12, "{}: gradient off by {error:e}", case.name);
    }
}

#[test]
fn hessian_vector_products_are_pytorchs_double_backward() {
    for case in cases() {
        let product = case.problem().product(&case.direction.clone().into());
        let error = relative_error(&product, &case.product.clone().into());
        assert!(error < 1e-10, "{}: product off by {error:e}", case.name);
    }
}

#[test]
fn lambda_max_is_that_of_pytorchs_whole_hessian() {
    for case in cases() {
        let problem = case.problem();
        let mut go_on = || true;
        let mut hessian = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let search = Search {
            tolerance: 1e-7,
            min_products: 10,
            max_products: 500,
            wanted_vectors: 1,
        };
        let start = tensor(&normal(1, problem.len()));
        let found = largest_eigenvalue(&mut hessian, &[start], &search).unwrap();
        assert!(found.converged, "{}: residual {:e}", case.name, found.residual);
        let error = found.value / case.lambda_max - 1.0;
        assert!(error.abs() < 1e-8, "{}: λ_max off by {error:e}", case.name);
    }
}

#[test]
fn running_statistics_after_one_batch_are_pytorchs() {
    for case in cases().iter().filter(|c| c.batch_norm.is_some()) {
        let mut problem = case.problem();
        let leaves = Parts::of(problem.network.layout(), &problem.parameters);
        let mut pass = Pass {
            dropout: None,
            normalization: problem.normalization,
            running: &mut problem.running,
            observe: true,
        };
        let _ = problem
            .network
            .forward(&leaves, problem.examples.images.clone(), &mut pass);
        for (ours, theirs) in problem.running.iter().zip(&case.statistics_after) {
            let mean = relative_error(&vector(&ours.mean), &DVector::from(theirs.mean.clone()));
            let variance = relative_error(&vector(&ours.variance), &DVector::from(theirs.variance.clone()));
            assert!(mean < 1e-13 && variance < 1e-13, "{}: {}", case.name, ours.name);
            assert_eq!(numbers(&ours.mean).len(), theirs.mean.len());
        }
    }
}
