//! Small networks with their parameters and examples, and their Hessian by differences of gradients.

use std::sync::LazyLock;

use burn::tensor::{DType, Tensor};
use nalgebra::{DMatrix, DVector};
use serde::Deserialize;
use sharpness::curvature::MeanLoss;
use sharpness::model::{
    Activation, Architecture, Builder, Cnn, Examples, Hidden, Loss, Mlp, Network, Normalization, Pass, ResNet18,
    ResNet20, RunningStatistics, Vgg11, loss_and_gradient,
};

use super::vectors::{device, normal, numbers, tensor, vector};

/// Step of the differences. Their error h⁴·∂⁵L/30 is far below rounding, and rounding/h is near 1e-11. A larger step
/// would cross kinks of ReLU and max pooling.
const STEP: f64 = 2e-5;

/// One of the library's architectures, without the settings of its hidden layers.
#[derive(Clone, Debug, Deserialize)]
pub enum Model {
    Mlp { widths: Vec<usize> },
    Cnn { channels: (usize, usize) },
    Vgg11 { width: usize },
    ResNet18 { width: usize },
    ResNet20 { width: usize },
}

/// The settings of a problem.
pub struct Settings {
    pub model: Model,
    pub hidden: Hidden,
    pub loss: Loss,
}

pub fn settings(model: Model, activation: Activation, batch_norm: bool, loss: Loss) -> Settings {
    let hidden = Hidden {
        activation,
        batch_norm,
        dropout: 0.0,
    };
    Settings { model, hidden, loss }
}

impl Architecture for Settings {
    fn build(&self, build: &mut Builder, input: [usize; 3], classes: usize) {
        let hidden = self.hidden;
        match self.model.clone() {
            Model::Mlp { widths } => Mlp { widths, hidden }.build(build, input, classes),
            Model::Cnn { channels } => {
                let channels = channels.into();
                Cnn { channels, hidden }.build(build, input, classes);
            }
            Model::Vgg11 { width } => Vgg11 { width, hidden }.build(build, input, classes),
            Model::ResNet18 { width } => ResNet18 { width, hidden }.build(build, input, classes),
            Model::ResNet20 { width } => ResNet20 { width, hidden }.build(build, input, classes),
        }
    }
}

/// A mean loss at one point of parameter space.
pub struct Problem {
    pub network: Network,
    pub loss: Loss,
    pub examples: Examples,
    pub parameters: Tensor<1>,
    pub running: Vec<RunningStatistics>,
    pub normalization: Normalization,
    pub chunk: usize,
}

impl Problem {
    /// Creates random parameters (including γ and β), running statistics and examples, of images [channels, height,
    /// width].
    pub fn new(
        settings: &Settings,
        input: [usize; 3],
        classes: usize,
        examples: usize,
        normalization: Normalization,
    ) -> Self {
        let (device, dtype) = (device(), DType::F64);
        let network = Network::new(settings, input, classes);
        let features = input.iter().product::<usize>();
        let pixels: Vec<f32> = normal(11, examples * features).iter().map(|&x| x as f32).collect();
        let labels: Vec<u8> = (0..examples).map(|i| (i * i % classes) as u8).collect();
        let parameters = network.initial_parameters(3, &device, dtype);
        let noise = tensor(&normal(12, network.layout().len())) * 0.2;
        let mut running = network.initial_statistics(&device, dtype);
        for (layer, statistics) in running.iter_mut().enumerate() {
            let [channels] = statistics.mean.dims();
            statistics.mean = tensor(&normal(20 + layer as u64, channels)) * 0.5;
            statistics.variance = (tensor(&normal(30 + layer as u64, channels)) * 0.4).exp();
        }
        Self {
            loss: settings.loss,
            examples: Examples::upload(&pixels, &labels, classes, &device, dtype),
            parameters: parameters + noise,
            running,
            normalization,
            chunk: examples,
            network,
        }
    }

    pub fn len(&self) -> usize {
        self.network.layout().len()
    }

    pub fn mean_loss(&self) -> MeanLoss<'_> {
        MeanLoss {
            network: &self.network,
            loss: self.loss,
            examples: &self.examples,
            chunk: self.chunk,
            normalization: self.normalization,
            running: &self.running,
        }
    }

    /// Returns H v, computed by the code under test.
    pub fn product(&self, v: &DVector<f64>) -> DVector<f64> {
        let product = self
            .mean_loss()
            .hessian_vector_product(&self.parameters, &tensor(v.as_slice()), &mut || true);
        vector(&product.unwrap())
    }

    /// Returns the mean loss and its gradient, by reverse mode only.
    pub fn loss_and_gradient(&self, parameters: &Tensor<1>) -> (f64, DVector<f64>) {
        let mut running = self.running.clone();
        let mut total = (0.0, DVector::zeros(self.len()));
        for chunk in self.examples.chunks(self.chunk) {
            let mut pass = Pass {
                dropout: None,
                normalization: self.normalization,
                running: &mut running,
                observe: false,
            };
            let (loss, gradient) = loss_and_gradient(&self.network, self.loss, parameters, &chunk, &mut pass);
            total.0 += numbers(&loss)[0];
            total.1 += vector(&gradient);
        }
        let examples = self.examples.len() as f64;
        (total.0 / examples, total.1 / examples)
    }

    /// Returns H v as (8(g(w+hv) − g(w−hv)) − (g(w+2hv) − g(w−2hv)))/12h.
    pub fn differences(&self, v: &DVector<f64>) -> DVector<f64> {
        let v = tensor(v.as_slice());
        let gradient = |steps: f64| {
            let moved = self.parameters.clone() + v.clone() * (steps * STEP);
            self.loss_and_gradient(&moved).1
        };
        ((gradient(1.0) - gradient(-1.0)) * 8.0 - (gradient(2.0) - gradient(-2.0))) / (12.0 * STEP)
    }

    /// Returns the whole Hessian by exact products, for tests that do not test these products.
    pub fn product_hessian(&self) -> DMatrix<f64> {
        let identity = DMatrix::identity(self.len(), self.len());
        let columns: Vec<DVector<f64>> = identity.column_iter().map(|e| self.product(&e.into())).collect();
        let hessian = DMatrix::from_columns(&columns);
        (&hessian + hessian.transpose()) / 2.0
    }

    /// Returns the whole Hessian by differences, column by column.
    pub fn dense_hessian(&self) -> DMatrix<f64> {
        let n = self.len();
        let columns: Vec<DVector<f64>> = (0..n)
            .map(|i| self.differences(&DVector::from_fn(n, |row, _| f64::from(u8::from(row == i)))))
            .collect();
        DMatrix::from_columns(&columns)
    }
}

/// A problem with its Hessian.
pub struct Known {
    pub name: String,
    pub problem: Problem,
    /// The Hessian by differences, column by column.
    pub hessian: DMatrix<f64>,
}

/// Networks that together have every layer of small networks, with both losses.
pub static PROBLEMS: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let problems = problems().into_iter();
    problems
        .map(|(name, problem)| Known {
            hessian: problem.dense_hessian(),
            name,
            problem,
        })
        .collect()
});

fn problems() -> Vec<(String, Problem)> {
    let mlp = Model::Mlp { widths: vec![7, 5] };
    let cnn = Model::Cnn { channels: (2, 3) };
    let flat = [1, 2, 3];
    let even = [1, 8, 8];
    // The first pooling ignores a row, the second a column.
    let odd = [2, 7, 6];
    let mut problems = Vec::new();
    for loss in [Loss::CrossEntropy, Loss::SquaredError] {
        for activation in [Activation::Tanh, Activation::Relu] {
            for (model, input) in [(&mlp, flat), (&cnn, even), (&cnn, odd)] {
                for statistics in [None, Some(Normalization::Batch), Some(Normalization::Running)] {
                    let settings = settings(model.clone(), activation, statistics.is_some(), loss);
                    let normalization = statistics.unwrap_or(Normalization::Batch);
                    let name = format!("{model:?} on {input:?}, {activation:?}, {loss:?}, {statistics:?}");
                    problems.push((name, Problem::new(&settings, input, 3, 9, normalization)));
                }
            }
        }
    }
    let linear = settings(
        Model::Mlp { widths: vec![] },
        Activation::Relu,
        false,
        Loss::CrossEntropy,
    );
    let problem = Problem::new(&linear, flat, 4, 9, Normalization::Batch);
    problems.push(("linear classifier".to_owned(), problem));
    problems
}

/// Narrow deep networks. Their whole Hessian by differences would take minutes. With ReLU they have so many kinks that
/// differences are used for tanh only.
pub static DEEP: LazyLock<Vec<(String, Problem)>> = LazyLock::new(|| {
    let models = [
        (Model::Vgg11 { width: 2 }, [1, 8, 8]),
        // Four of the pools are left out or ignore a row.
        (Model::Vgg11 { width: 1 }, [2, 7, 3]),
        (Model::ResNet18 { width: 2 }, [1, 8, 8]),
        (Model::ResNet18 { width: 1 }, [2, 7, 6]),
        (Model::ResNet20 { width: 2 }, [1, 8, 8]),
        // Strides reduce the images to 4×3 and 2×2.
        (Model::ResNet20 { width: 1 }, [2, 7, 6]),
    ];
    let mut problems = Vec::new();
    for (index, (model, input)) in models.into_iter().enumerate() {
        for (activation, loss) in [
            (Activation::Tanh, Loss::CrossEntropy),
            (Activation::Relu, Loss::SquaredError),
        ] {
            for statistics in [None, Some(Normalization::Batch), Some(Normalization::Running)] {
                // Running statistics with tanh only, and ReLU without running statistics; odd networks have neither.
                let running = statistics == Some(Normalization::Running);
                let relu = activation == Activation::Relu;
                if running && relu || index % 2 == 1 && (running || relu) {
                    continue;
                }
                let settings = settings(model.clone(), activation, statistics.is_some(), loss);
                let normalization = statistics.unwrap_or(Normalization::Batch);
                let name = format!("{model:?} on {input:?}, {activation:?}, {loss:?}, {statistics:?}");
                problems.push((name, Problem::new(&settings, input, 3, 7, normalization)));
            }
        }
    }
    problems
});

/// Returns every network with its name.
pub fn every_problem() -> impl Iterator<Item = (&'static str, &'static Problem)> {
    let small = PROBLEMS.iter().map(|known| (known.name.as_str(), &known.problem));
    small.chain(DEEP.iter().map(|(name, problem)| (name.as_str(), problem)))
}
