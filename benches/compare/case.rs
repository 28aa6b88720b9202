//! One network and batch size on one device, made and used like a cell of a sweep.

use std::hint::black_box;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, anyhow};
use burn::tensor::Tensor;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sharpness::curvature::{Hessian, Measurement, Rules, Tracker};
use sharpness::model::{Examples, Network, Normalization, Pass, RunningStatistics, loss_and_gradient};
use sharpness::optimizer::{Optimizer, Step};
use sharpness::random::{Purpose, stream};
use sharptui::config::{Experiment, Precision, Settings};
use sharptui::data::{Dataset, Images};
use sharptui::device::OpenDevice;
use sharptui::setup;
use sharptui::setup::dtype;
use sharptui::train::{probe_examples, probe_loss, rules};

/// The number of losses that are read from the device at a time, as in a cell.
const LOSSES_READ_AT_ONCE: usize = 32;

/// The networks that are timed.
pub const KINDS: [Kind; 7] = [
    Kind {
        name: "mlp",
        model: "Mlp(widths: [200, 200])",
        batch_norm: false,
        learning_rate: 0.1,
        colour: false,
    },
    Kind {
        name: "mlp256",
        model: "Mlp(widths: [256, 256])",
        batch_norm: false,
        learning_rate: 0.1,
        colour: false,
    },
    // Two 3×3 convolutions, each with a 2×2 pool, and a linear layer.
    Kind {
        name: "cnn",
        model: "Cnn(channels: (8, 16))",
        batch_norm: false,
        learning_rate: 0.1,
        colour: false,
    },
    Kind {
        name: "vgg11",
        model: "Vgg11(width: 16)",
        batch_norm: false,
        learning_rate: 0.02,
        colour: true,
    },
    Kind {
        name: "vgg11_64",
        model: "Vgg11(width: 64)",
        batch_norm: false,
        learning_rate: 0.02,
        colour: true,
    },
    Kind {
        name: "resnet20",
        model: "ResNet20(width: 8)",
        batch_norm: true,
        learning_rate: 0.1,
        colour: true,
    },
    Kind {
        name: "resnet18",
        model: "ResNet18(width: 64)",
        batch_norm: true,
        learning_rate: 0.02,
        colour: true,
    },
];

/// A network that is timed.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name on the command line.
    name: &'static str,
    /// Its text in a configuration.
    model: &'static str,
    batch_norm: bool,
    /// A learning rate at which it trains on both sets of images.
    learning_rate: f64,
    /// Whether it takes images of 3×32×32 instead of 1×28×28.
    colour: bool,
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        let found = KINDS.into_iter().find(|kind| kind.name == name);
        let names = KINDS.map(|kind| kind.name).join(", ");
        found.ok_or_else(|| anyhow!("`{name}` is not a network; expected one of {names}"))
    }
}

/// The sizes and the precision of a case.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub precision: Precision,
    /// Examples in a training step.
    pub batch: usize,
    /// Held-out examples that λ_max is measured on.
    pub probe: usize,
}

impl Size {
    /// Returns a size with 32 bits and a probe as large as the batch.
    #[allow(dead_code, reason = "each bench makes its own sizes")]
    pub fn of(batch: usize) -> Self {
        Self {
            precision: Precision::F32,
            batch,
            probe: batch,
        }
    }
}

/// A network on a device, with its training set and the probe.
pub struct Case {
    pub settings: Settings,
    pub network: Network,
    pub device: OpenDevice,
    /// All 2,000 training images of the embedded subset.
    pub train: Examples,
    /// Held-out examples.
    pub probe: Examples,
    /// The running statistics before training: batch statistics normalize here, so nothing depends on them.
    running: Vec<RunningStatistics>,
}

impl Case {
    /// Makes a case with the default settings of a cell, except network, precision, batch size, learning rate and
    /// probe.
    pub fn new(kind: Kind, size: Size, device: OpenDevice) -> anyhow::Result<Self> {
        let text = format!(
            "(model: {}, batch_norm: {}, precision: {:?}, batch_size: {}, learning_rate: {}, steps: 1, \
             probes: [(from: HeldOut, examples: {})])",
            kind.model, kind.batch_norm, size.precision, size.batch, kind.learning_rate, size.probe
        );
        let experiment = Experiment::parse(&text, Path::new("bench.ron"))?;
        let cell = experiment.cells.into_iter().next();
        let settings = cell.ok_or_else(|| anyhow!("the sweep has no cells"))?.settings;
        let mut set = Dataset::load(&settings.selection(), None)?;
        if kind.colour {
            set = in_colour(&set);
        }
        let format = dtype(&settings);
        let upload = |half: &Images| Examples::upload(&half.pixels, &half.labels, set.classes, &device.device, format);
        let (train, test) = (upload(&set.train), upload(&set.test));
        let network = setup::network(&settings, set.shape, set.classes);
        Ok(Self {
            running: network.initial_statistics(&device.device, format),
            probe: probe_examples(&settings, 0, &train, &test),
            network,
            settings,
            device,
            train,
        })
    }

    /// Returns a training run before its first step.
    pub fn start(&self) -> Training<'_> {
        let format = dtype(&self.settings);
        Training {
            case: self,
            parameters: self
                .network
                .initial_parameters(self.settings.seed, &self.device.device, format),
            running: self.running.clone(),
            optimizer: setup::optimizer(&self.settings),
            order: Order {
                rng: stream(self.settings.seed, Purpose::Order),
                indices: (0..self.train.len()).collect(),
                next: 0,
            },
            losses: Vec::new(),
        }
    }

    /// Returns the gradient of the mean loss on `batch`, `[parameters]`.
    pub fn gradient(&self, parameters: &Tensor<1>, batch: &Examples) -> Tensor<1> {
        self.loss_and_gradient(parameters, batch, &mut self.running.clone(), false)
            .1
    }

    /// Returns the mean loss on `batch`, `[1]`, and its gradient, `[parameters]`, in training mode.
    fn loss_and_gradient(
        &self,
        parameters: &Tensor<1>,
        batch: &Examples,
        running: &mut [RunningStatistics],
        observe: bool,
    ) -> (Tensor<1>, Tensor<1>) {
        let mut pass = Pass {
            dropout: None,
            normalization: Normalization::Batch,
            running,
            observe,
        };
        let (loss, gradient) =
            loss_and_gradient(&self.network, setup::loss(&self.settings), parameters, batch, &mut pass);
        let count = batch.len() as f64;
        (loss / count, gradient / count)
    }

    /// Returns the Hessian of the probe's mean loss.
    pub fn hessian<'a>(&'a self, parameters: &'a Tensor<1>, go_on: &'a mut dyn FnMut() -> bool) -> Hessian<'a> {
        let probe = &self.settings.probes[0];
        let mean_loss = probe_loss(&self.settings, probe, &self.network, &self.probe, &self.running);
        Hessian::new(mean_loss, parameters, go_on).keeping(self.settings.chunk_size)
    }

    /// Returns a tracker that starts cold and never audits, so that each later measurement is warm.
    pub fn tracker(&self, seed: u64) -> Tracker {
        let rules = Rules {
            audit_every: 0,
            ..rules(&self.settings, self.settings.lambda_tolerance)
        };
        Tracker::new(rules, stream(seed, Purpose::Eigenvector(0)))
    }

    /// Measures λ_max at `parameters`.
    pub fn measure(&self, tracker: &mut Tracker, parameters: &Tensor<1>) -> anyhow::Result<Measurement> {
        let mut go_on = || true;
        let mut hessian = self.hessian(parameters, &mut go_on);
        Ok(tracker.measure(&mut hessian, parameters, false)?)
    }

    /// Returns a direction for products: the gradient, not normalized.
    pub fn direction(&self, parameters: &Tensor<1>) -> Tensor<1> {
        self.gradient(parameters, &self.probe)
    }

    /// Waits until the device has finished its work.
    pub fn wait(&self) -> anyhow::Result<()> {
        self.device.device.sync().context("the device failed")
    }
}

/// Returns the same images as 3×32×32: with a frame of two black pixels, and the one channel repeated three times.
fn in_colour(set: &Dataset) -> Dataset {
    const SIDE: usize = 28;
    const FRAME: usize = 2;
    const FRAMED: usize = SIDE + 2 * FRAME;
    let framed = |half: &Images| {
        let mut pixels = Vec::with_capacity(half.len() * 3 * FRAMED * FRAMED);
        for image in half.pixels.chunks_exact(SIDE * SIDE) {
            let mut plane = vec![set.black[0]; FRAMED * FRAMED];
            for (row, line) in image.chunks_exact(SIDE).enumerate() {
                let start = (row + FRAME) * FRAMED + FRAME;
                plane[start..start + SIDE].copy_from_slice(line);
            }
            (0..3).for_each(|_| pixels.extend_from_slice(&plane));
        }
        Images {
            pixels,
            labels: half.labels.clone(),
        }
    };
    Dataset {
        train: framed(&set.train),
        test: framed(&set.test),
        shape: [3, FRAMED, FRAMED],
        ..set.clone()
    }
}

/// A training run of a case.
pub struct Training<'a> {
    case: &'a Case,
    /// The present parameters, `[parameters]`.
    pub parameters: Tensor<1>,
    /// The running statistics of batch norm.
    pub running: Vec<RunningStatistics>,
    optimizer: Box<dyn Optimizer>,
    order: Order,
    /// The losses of the last steps' batches, still on the device.
    losses: Vec<Tensor<1>>,
}

impl Training<'_> {
    /// Takes one optimizer step as a cell of a sweep does: gathers a batch from the training set, computes its
    /// gradient, updates running statistics and parameters, and reads the losses every [`LOSSES_READ_AT_ONCE`] steps.
    pub fn step(&mut self) {
        let case = self.case;
        let size = case.settings.batch_size.of(case.train.len());
        let batch = case.train.select(self.order.take(size));
        let (loss, gradient) = case.loss_and_gradient(&self.parameters, &batch, &mut self.running, true);
        self.parameters = self.optimizer.step(Step {
            parameters: self.parameters.clone(),
            gradient,
            learning_rate: case.settings.learning_rate,
            gradient_at: &mut |_| unreachable!("no case has SAM"),
        });
        self.losses.push(loss);
        if self.losses.len() == LOSSES_READ_AT_ONCE {
            black_box(Tensor::cat(std::mem::take(&mut self.losses), 0).into_data_as::<f64>());
        }
    }

    /// Takes `steps` steps.
    pub fn advance(&mut self, steps: u64) {
        for _ in 0..steps {
            self.step();
        }
    }
}

/// The order in which examples are used.
struct Order {
    rng: ChaCha8Rng,
    indices: Vec<usize>,
    next: usize,
}

impl Order {
    /// Returns the next `size` examples. Every epoch has a new random order. Examples left over at the end of an epoch
    /// are skipped, so that all batches have the same size.
    fn take(&mut self, size: usize) -> &[usize] {
        if self.next + size > self.indices.len() {
            self.next = 0;
        }
        if self.next == 0 {
            self.indices.shuffle(&mut self.rng);
        }
        let start = self.next;
        self.next = start + size;
        &self.indices[start..self.next]
    }
}
