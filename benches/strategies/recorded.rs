//! The runs that are measured: small cells of the kinds that the program trains, with its own networks and gradients.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{Hessian, SymmetricOperator};
use sharpness::model::{Examples, Network, Normalization, Pass, RunningStatistics, loss_and_gradient};
use sharpness::random::{Purpose, stream};
use sharptui::config::{Experiment, Extent, Settings};
use sharptui::setup::dtype;
use sharptui::sweep::Datasets;
use sharptui::train::{probe_examples, probe_loss};

use crate::Product;
use sharptui::setup;

/// A cell, and the interval of its measurements.
pub struct Cell {
    /// Its name.
    pub name: &'static str,
    /// Its configuration, in parts.
    config: &'static [&'static str],
    /// Steps between measurements.
    every: u64,
}

/// Full-batch gradient descent on a smooth network: `configs/edge_of_stability.ron` at a quarter of its size.
const EDGE: &str = "model: Mlp(widths: [100, 100]), activation: Tanh, loss: SquaredError, batch_size: Full, \
    train_examples: 500, probes: [(from: Training, examples: Full)]";

/// The cells: edge of stability at three rates, minibatch SGD with all sources of noise, and a convolutional network.
pub const CELLS: &[Cell] = &[
    Cell {
        name: "eos 0.05",
        config: &[EDGE, "learning_rate: 0.05, steps: 1000"],
        every: 10,
    },
    Cell {
        name: "eos 0.04",
        config: &[EDGE, "learning_rate: 0.04, steps: 1500"],
        every: 10,
    },
    Cell {
        name: "eos 0.03",
        config: &[EDGE, "learning_rate: 0.03, steps: 2000"],
        every: 10,
    },
    Cell {
        name: "sgd",
        config: &[
            "model: Mlp(widths: [100, 100]), dropout: 0.2, batch_norm: true, learning_rate: 0.05, steps: 1200",
            "probes: [(from: HeldOut, examples: 500)]",
        ],
        every: 10,
    },
    Cell {
        name: "cnn",
        config: &[
            "model: Cnn(channels: (4, 8)), learning_rate: 0.05, steps: 400",
            "probes: [(from: HeldOut, examples: 200)]",
        ],
        every: 10,
    },
];

/// A cell in training.
pub struct Recorded {
    settings: Settings,
    network: Network,
    train: Examples,
    probe: Examples,
    parameters: Tensor<1>,
    running: Vec<RunningStatistics>,
    dropout: ChaCha8Rng,
    order: ChaCha8Rng,
    queue: Vec<usize>,
    step: u64,
    every: u64,
    started: bool,
}

impl Recorded {
    /// Returns the cell before its first step.
    pub fn new(cell: &Cell) -> Self {
        let config = format!("({})", cell.config.join(", "));
        let mut experiment = Experiment::parse(&config, Path::new("cell.ron")).expect("the cells above are valid");
        let settings = experiment.cells.remove(0).settings;
        let device = Device::flex();
        let mut datasets = Datasets::new(device.clone(), None);
        let data = datasets
            .get(&settings, dtype(&settings))
            .expect("the subset is inside the program");
        let network = setup::network(&settings, data.shape, data.classes);
        Self {
            probe: probe_examples(&settings, 0, &data.train, &data.test),
            train: data.train.clone(),
            parameters: network.initial_parameters(settings.seed, &device, dtype(&settings)),
            running: network.initial_statistics(&device, dtype(&settings)),
            dropout: stream(settings.seed, Purpose::Dropout),
            order: stream(settings.seed, Purpose::Order),
            queue: Vec::new(),
            step: 0,
            every: cell.every,
            started: false,
            network,
            settings,
        }
    }

    /// Trains up to the next measurement; the first one is before the first step. Returns false at the end.
    pub fn advance(&mut self) -> bool {
        if !std::mem::replace(&mut self.started, true) {
            return true;
        }
        if self.step + self.every > self.settings.planned_steps() {
            return false;
        }
        for _ in 0..self.every {
            self.take_step();
        }
        true
    }

    /// Returns the parameters w, `[parameters]`.
    pub fn parameters(&self) -> Tensor<1> {
        self.parameters.clone()
    }

    /// Calls `measure` with the product of the Hessian at the present parameters.
    pub fn with_hessian(&self, measure: impl FnOnce(&mut Product)) {
        let loss = probe_loss(
            &self.settings,
            &self.settings.probes[0],
            &self.network,
            &self.probe,
            &self.running,
        );
        let mut go_on = || true;
        let mut hessian = Hessian::new(loss, &self.parameters, &mut go_on);
        measure(&mut |v| hessian.apply(v).expect("nobody interrupts"));
    }

    fn take_step(&mut self) {
        let batch = self.batch();
        let mut pass = Pass {
            dropout: Some(&mut self.dropout),
            normalization: Normalization::Batch,
            running: &mut self.running,
            observe: true,
        };
        let (_, gradient) = loss_and_gradient(
            &self.network,
            setup::loss(&self.settings),
            &self.parameters,
            &batch,
            &mut pass,
        );
        let scale = self.settings.learning_rate / batch.len() as f64;
        self.parameters = self.parameters.clone() - gradient * scale;
        self.step += 1;
    }

    fn batch(&mut self) -> Examples {
        let Extent::Count(size) = self.settings.batch_size else {
            return self.train.clone();
        };
        if self.queue.is_empty() {
            self.queue = (0..self.train.len()).collect();
            self.queue.shuffle(&mut self.order);
        }
        let rest = self.queue.split_off(size.min(self.queue.len()));
        let indices = std::mem::replace(&mut self.queue, rest);
        self.train.select(&indices)
    }
}
