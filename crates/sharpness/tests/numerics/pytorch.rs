//! Compares with the same networks in PyTorch, as written by `tests/fixtures/pytorch_hessian.py`.

use nalgebra::DVector;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use sharpness::curvature::{
    Block, GaussNewton, Hessian, Negated, Search, SymmetricOperator, hutch_plus_plus, largest_eigenvalue,
    largest_eigenvalues, spectral_density,
};
use sharpness::model::{Activation, Examples, Loss, Normalization, Parts, Pass};

use super::problem::{Model, Problem, settings};
use super::vectors::{normal, numbers, relative_error, tensor, vector};

#[derive(Deserialize)]
struct Case {
    name: String,
    shape: [usize; 3],
    classes: usize,
    widths: Option<Vec<usize>>,
    channels: Option<(usize, usize)>,
    /// A deep network, whose parameters, images and direction are [`noise`].
    model: Option<String>,
    activation: String,
    loss_function: String,
    batch_norm: Option<String>,
    parameters: Vec<Parameter>,
    statistics_before: Vec<LayerStatistics>,
    statistics_after: Vec<LayerStatistics>,
    images: Option<Vec<f32>>,
    labels: Vec<u8>,
    direction: Option<Vec<f64>>,
    loss: f64,
    gradient: Vec<f64>,
    product: Vec<f64>,
    lambda_max: f64,
    /// The six largest eigenvalues of the Hessian.
    largest: Vec<f64>,
    lambda_min: f64,
    trace: f64,
    /// λ_max of the block of each parameter.
    blocks: Vec<f64>,
    /// Of the Gauss–Newton matrix, by curvlinops.
    gauss_newton_product: Vec<f64>,
    gauss_newton_lambda_max: f64,
    gauss_newton_trace: f64,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    shape: Vec<usize>,
    values: Option<Vec<f64>>,
}

impl Parameter {
    fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns its numbers. If the script does not write them, they are computed as in the script, from stream `index`.
    fn values(&self, index: usize) -> Vec<f64> {
        let noise = || noise(index as u32, self.len()).into_iter();
        match &self.values {
            Some(values) => values.clone(),
            None if self.shape.len() > 1 => {
                let scale = (4.0 / self.shape[1..].iter().product::<usize>() as f64).sqrt();
                noise().map(|x| x * scale).collect()
            }
            None => {
                let centre = if self.name.ends_with("weight") { 1.0 } else { 0.0 };
                noise().map(|x| x / 4.0 + centre).collect()
            }
        }
    }
}

/// Returns numbers in [−1, 1) with 24 bits, the same as the script's: a hash of the stream and the position.
fn noise(stream: u32, count: usize) -> Vec<f64> {
    let number = |position: u32| {
        let mut x = (position.wrapping_add(stream.wrapping_mul(1_000_003)).wrapping_add(1)).wrapping_mul(0x9E37_79B1);
        for (shift, factor) in [(15, 0x85EB_CA77), (13, 0xC2B2_AE3D)] {
            x = (x ^ (x >> shift)).wrapping_mul(factor);
        }
        f64::from((x ^ (x >> 16)) >> 8) / f64::from(1 << 23) - 1.0
    };
    (0..count as u32).map(number).collect()
}

#[derive(Deserialize)]
struct LayerStatistics {
    name: String,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

impl Case {
    fn activation(&self) -> Activation {
        match self.activation.as_str() {
            "Relu" => Activation::Relu,
            "Tanh" => Activation::Tanh,
            other => panic!("{}: activation {other}", self.name),
        }
    }

    fn loss_function(&self) -> Loss {
        match self.loss_function.as_str() {
            "CrossEntropy" => Loss::CrossEntropy,
            "SquaredError" => Loss::SquaredError,
            other => panic!("{}: loss {other}", self.name),
        }
    }

    fn problem(&self) -> Problem {
        let model = match (&self.widths, self.channels, &self.model) {
            (Some(widths), None, None) => Model::Mlp { widths: widths.clone() },
            (None, Some(channels), None) => Model::Cnn { channels },
            (None, None, Some(model)) => ron::from_str(model).unwrap(),
            _ => panic!("{}: not one of widths, channels and model", self.name),
        };
        let normalization = match self.batch_norm.as_deref() {
            None | Some("Batch") => Normalization::Batch,
            Some("Running") => Normalization::Running,
            Some(other) => panic!("{}: batch norm {other}", self.name),
        };
        let batch_norm = self.batch_norm.is_some();
        let settings = settings(model, self.activation(), batch_norm, self.loss_function());
        let mut problem = Problem::new(&settings, self.shape, self.classes, self.labels.len(), normalization);
        let options = (problem.parameters.device(), problem.parameters.dtype());
        let pixels = self.labels.len() * self.shape.iter().product::<usize>();
        let images = self.images.clone();
        let images = images.unwrap_or_else(|| noise(3000, pixels).iter().map(|&x| 2.0 * x as f32).collect());
        problem.examples = Examples::upload(&images, &self.labels, self.classes, &options.0, options.1);
        let parameters = self.parameters.iter().enumerate();
        let values: Vec<f64> = parameters.flat_map(|(index, p)| p.values(index)).collect();
        problem.parameters = tensor(&values);
        for (ours, theirs) in problem.running.iter_mut().zip(&self.statistics_before) {
            ours.mean = tensor(&theirs.mean);
            ours.variance = tensor(&theirs.variance);
        }
        problem
    }

    fn direction(&self) -> DVector<f64> {
        let length = self.parameters.iter().map(Parameter::len).sum();
        self.direction.clone().unwrap_or_else(|| noise(4000, length)).into()
    }
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../fixtures/pytorch_hessian.json")).unwrap();
    assert!(cases.len() >= 18);
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
            offset += theirs.len();
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
        let product = case.problem().product(&case.direction());
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

fn search() -> Search {
    Search {
        tolerance: 1e-5,
        min_products: 10,
        max_products: 500,
        wanted_vectors: 1,
    }
}

#[test]
fn products_and_lambda_max_of_the_gauss_newton_matrix_are_those_of_curvlinops() {
    for case in cases() {
        let problem = case.problem();
        let mut go_on = || true;
        let mut matrix = GaussNewton::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let product = vector(&matrix.apply(&tensor(case.direction().as_slice())).unwrap());
        let error = relative_error(&product, &case.gauss_newton_product.clone().into());
        assert!(error < 1e-10, "{}: product off by {error:e}", case.name);
        let start = tensor(&normal(1, problem.len()));
        let found = largest_eigenvalue(&mut matrix, &[start], &search()).unwrap();
        let error = found.value / case.gauss_newton_lambda_max - 1.0;
        assert!(
            found.converged && error.abs() < 1e-8,
            "{}: λ_max off by {error:e}",
            case.name
        );
    }
}

#[test]
fn eigenvalues_at_both_ends_and_of_blocks_are_those_of_pytorchs_hessian() {
    // Every other case has every kind of layer and both losses.
    for (index, case) in cases().into_iter().step_by(2).enumerate() {
        let problem = case.problem();
        let scale = case.lambda_max.max(-case.lambda_min);
        let mut go_on = || true;
        let mut hessian = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let start: Vec<_> = (1..5).map(|seed| tensor(&normal(seed, problem.len()))).collect();
        let limits = Search {
            tolerance: 1e-4,
            ..search()
        };
        let found = largest_eigenvalues(&mut hessian, &start, 4, &limits).unwrap();
        assert!(found.converged, "{}: {:?}", case.name, found.eigenvalues);
        for (pair, expected) in found.eigenvalues.iter().zip(&case.largest) {
            let off = (pair.value - expected).abs();
            assert!(off < 1e-7 * scale, "{}: {} is not {expected}", case.name, pair.value);
        }
        let found = largest_eigenvalue(&mut Negated::new(&mut hessian), &start[..1], &search()).unwrap();
        let off = (found.value + case.lambda_min).abs();
        assert!(off < 1e-7 * scale, "{}: λ_min off by {off:e}", case.name);
        let entries = if index % 3 == 0 { usize::MAX } else { 1 };
        for (entry, expected) in problem
            .network
            .layout()
            .entries()
            .iter()
            .zip(&case.blocks)
            .take(entries)
        {
            let mut block = Block::new(&mut hessian, entry.range(), problem.len());
            let limits = Search {
                max_products: 60,
                ..limits
            };
            let found = largest_eigenvalue(&mut block, &[tensor(&normal(1, entry.len()))], &limits).unwrap();
            let off = (found.value - expected).abs();
            assert!(off < 1e-6 * scale, "{}, {}: off by {off:e}", case.name, entry.name);
        }
    }
}

#[test]
fn traces_are_those_of_pytorch_and_curvlinops_within_their_errors() {
    for case in cases() {
        let problem = case.problem();
        let mut go_on = || true;
        let mut hessian = Hessian::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let mut go_on = || true;
        let mut gauss_newton = GaussNewton::new(problem.mean_loss(), &problem.parameters, &mut go_on);
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let like = &problem.parameters;
        let of_hessian = hutch_plus_plus(&mut hessian, like, 6, 12, &mut rng).unwrap().trace;
        let of_gauss_newton = hutch_plus_plus(&mut gauss_newton, like, 6, 12, &mut rng).unwrap().trace;
        let spectrum = spectral_density(&mut hessian, like, 12, 2, &mut rng).unwrap();
        let expected = case.trace / problem.len() as f64;
        for (found, expected) in [
            (of_hessian, case.trace),
            (of_gauss_newton, case.gauss_newton_trace),
            (spectrum.moment(1), expected),
        ] {
            let off = (found.value - expected).abs();
            assert!(
                off < 4.0 * found.standard_error,
                "{}: {found:?}, not {expected}",
                case.name
            );
        }
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
