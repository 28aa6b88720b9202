//! One network and batch size on one device, made and used as a cell of a sweep is.

use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, anyhow, bail};
use burn::tensor::Tensor;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use sharptui::config::{Experiment, Settings};
use sharptui::curvature::{Hessian, Measurement, Rules, Tracker};
use sharptui::data::{Dataset, Images};
use sharptui::device::{self, DeviceChoice, OpenDevice};
use sharptui::model::{Examples, Network, Normalization, Pass, Purpose, loss_and_gradient, stream};
use sharptui::train::{HeavyBall, dtype, probe_examples, probe_loss, rules};

/// The networks that are timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 784-200-200-10.
    Mlp,
    /// Two 3×3 convolutions of 8 and 16 channels, each with a 2×2 pool, and a linear layer.
    Cnn,
}

impl Kind {
    /// As a configuration has it.
    fn model(self) -> &'static str {
        match self {
            Self::Mlp => "Mlp(widths: [200, 200])",
            Self::Cnn => "Cnn(channels: (8, 16))",
        }
    }
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        match name {
            "mlp" => Ok(Self::Mlp),
            "cnn" => Ok(Self::Cnn),
            _ => bail!("`{name}` is not a network; expected mlp or cnn"),
        }
    }
}

/// The devices that this build and this machine have.
pub fn devices() -> Vec<OpenDevice> {
    let all = [
        DeviceChoice::Flex,
        DeviceChoice::LibTorch,
        DeviceChoice::LibTorchCuda(0),
    ];
    all.into_iter().filter_map(|choice| device::open(choice).ok()).collect()
}

/// A network, what it trains on and what λ_max is measured on, on a device.
pub struct Case {
    pub settings: Settings,
    pub network: Network,
    pub device: OpenDevice,
    /// All 2,000 training images of the embedded subset.
    pub train: Examples,
    /// As many held-out examples as a batch has.
    pub probe: Examples,
}

impl Case {
    /// The default settings of a cell but for network, batch size and probe.
    pub fn new(kind: Kind, batch: usize, device: OpenDevice) -> anyhow::Result<Self> {
        let text = format!(
            "(model: {}, batch_size: {batch}, learning_rate: 0.1, steps: 1, probes: [(from: HeldOut, examples: {batch})])",
            kind.model()
        );
        let experiment = Experiment::parse(&text, Path::new("bench.ron"))?;
        let cell = experiment.cells.into_iter().next();
        let settings = cell.ok_or_else(|| anyhow!("a sweep without cells"))?.settings;
        let set = Dataset::load(settings.selection(), None)?;
        let upload = |half: &Images| {
            let on = (&device.device, dtype(&settings));
            Examples::upload(&half.pixels, &half.labels, set.classes, on.0, on.1)
        };
        let (train, test) = (upload(&set.train), upload(&set.test));
        Ok(Self {
            network: Network::new(&settings, set.shape, set.classes),
            probe: probe_examples(&settings, 0, &train, &test),
            settings,
            device,
            train,
        })
    }

    /// A training run that has not begun.
    pub fn start(&self) -> Training<'_> {
        let format = dtype(&self.settings);
        Training {
            case: self,
            parameters: self
                .network
                .initial_parameters(self.settings.seed, &self.device.device, format),
            optimizer: HeavyBall::new(self.settings.learning_rate, self.settings.momentum, 0.0),
            order: stream(self.settings.seed, Purpose::Order),
        }
    }

    /// The mean loss's gradient on `batch`, `[parameters]`.
    pub fn gradient(&self, parameters: &Tensor<1>, batch: &Examples) -> Tensor<1> {
        let mut pass = Pass {
            dropout: None,
            normalization: Normalization::Batch,
            running: &mut [],
            observe: false,
        };
        let (_, gradient) = loss_and_gradient(&self.network, self.settings.loss, parameters, batch, &mut pass);
        gradient / batch.len() as f64
    }

    /// The Hessian of the probe's mean loss.
    pub fn hessian<'a>(&'a self, parameters: &'a Tensor<1>, go_on: &'a mut dyn FnMut() -> bool) -> Hessian<'a> {
        let probe = &self.settings.probes[0];
        let mean_loss = probe_loss(&self.settings, probe, &self.network, &self.probe, &[]);
        Hessian::new(mean_loss, parameters, go_on).keeping(self.settings.chunk_size)
    }

    /// A tracker that begins cold and never audits itself, so that each later measurement is a warm one.
    pub fn tracker(&self, seed: u64) -> Tracker {
        let rules = Rules {
            audit_every: 0,
            ..rules(&self.settings, self.settings.lambda_tolerance)
        };
        Tracker::new(rules, stream(seed, Purpose::Eigenvector(0)))
    }

    /// λ_max at `parameters`.
    pub fn measure(&self, tracker: &mut Tracker, parameters: &Tensor<1>) -> anyhow::Result<Measurement> {
        let mut go_on = || true;
        let mut hessian = self.hessian(parameters, &mut go_on);
        Ok(tracker.measure(&mut hessian, parameters, false)?)
    }

    /// A direction for products: the gradient, as long as it is.
    pub fn direction(&self, parameters: &Tensor<1>) -> Tensor<1> {
        self.gradient(parameters, &self.probe)
    }

    /// Waits for the device to end its work.
    pub fn wait(&self) -> anyhow::Result<()> {
        self.device.device.sync().context("the device failed")
    }
}

/// A training run of a case.
pub struct Training<'a> {
    case: &'a Case,
    /// Where it is, `[parameters]`.
    pub parameters: Tensor<1>,
    optimizer: HeavyBall,
    order: ChaCha8Rng,
}

impl Training<'_> {
    /// One optimizer step on a batch gathered from the training set.
    pub fn step(&mut self) {
        let size = self.case.settings.batch_size.of(self.case.train.len());
        let indices = index::sample(&mut self.order, self.case.train.len(), size).into_vec();
        let batch = self.case.train.select(&indices);
        let gradient = self.case.gradient(&self.parameters, &batch);
        self.parameters = self.optimizer.step(self.parameters.clone(), gradient);
    }

    /// Some of them.
    pub fn advance(&mut self, steps: u64) {
        for _ in 0..steps {
            self.step();
        }
    }
}
