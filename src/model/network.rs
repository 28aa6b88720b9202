//! The layers of a configuration's network, in order.

use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::activation::activate;
use super::batch_norm::BatchNorm;
use super::conv::Conv2d;
use super::dropout::drop_units;
use super::linear::{Linear, flat, signal};
use super::node::{Node, Signal};
use super::pool::{max_pool, pooled};
use super::{Layout, Normalization, Parts, Purpose, RunningStatistics, stream};
use crate::config::{Activation, Model, Settings};

/// Side of the convolutions' square kernels.
const KERNEL: usize = 3;

enum Layer {
    Linear(Linear),
    Conv2d(Conv2d),
    BatchNorm(BatchNorm),
    Activation(Activation),
    MaxPool,
    Dropout(f64),
}

/// A network: its layers and where their parameters lie, but not the parameters.
pub struct Network {
    layers: Vec<Layer>,
    layout: Layout,
    /// [channels, height, width] of an input image.
    input: [usize; 3],
    normalized: Vec<(String, usize)>,
}

/// How a forward pass treats dropout and batch norm.
pub struct Pass<'a> {
    /// The source of dropout masks; `None` leaves dropout off.
    pub dropout: Option<&'a mut ChaCha8Rng>,
    /// Which statistics batch norm uses.
    pub normalization: Normalization,
    /// The running statistics, one a batch-norm layer.
    pub running: &'a mut [RunningStatistics],
    /// Whether batch statistics are taken into the running ones.
    pub observe: bool,
}

/// Builds layers while keeping count of names.
struct Builder<'a> {
    settings: &'a Settings,
    layers: Vec<Layer>,
    layout: Layout,
    normalized: Vec<(String, usize)>,
}

impl Builder<'_> {
    /// Batch norm, if any, and the activation that follow an affine map of `channels` outputs.
    fn hidden(&mut self, channels: usize) {
        if self.settings.batch_norm {
            let index = self.normalized.len();
            let name = format!("bn{}", index + 1);
            let layer = BatchNorm::new(&mut self.layout, &name, channels, index);
            self.layers.push(Layer::BatchNorm(layer));
            self.normalized.push((name, channels));
        }
        self.layers.push(Layer::Activation(self.settings.activation));
    }

    fn dropout(&mut self) {
        if self.settings.dropout > 0.0 {
            self.layers.push(Layer::Dropout(self.settings.dropout));
        }
    }

    fn linear(&mut self, name: &str, inputs: usize, outputs: usize) {
        let layer = Linear::new(&mut self.layout, name, inputs, outputs);
        self.layers.push(Layer::Linear(layer));
    }

    fn conv(&mut self, name: &str, inputs: usize, outputs: usize) {
        let layer = Conv2d::new(&mut self.layout, name, inputs, outputs, KERNEL);
        self.layers.push(Layer::Conv2d(layer));
    }
}

impl Network {
    /// The network of `settings` for images of shape `input` [channels, height, width].
    ///
    /// `Mlp`: (linear, batch norm?, activation, dropout?) for each width, then linear.
    /// `Cnn`: (conv 3×3, batch norm?, activation, pool 2×2, dropout?) twice, then linear.
    pub fn new(settings: &Settings, input: [usize; 3], classes: usize) -> Self {
        let mut build = Builder {
            settings,
            layers: Vec::new(),
            layout: Layout::default(),
            normalized: Vec::new(),
        };
        let [mut channels, mut height, mut width] = input;
        match &settings.model {
            Model::Mlp { widths } => {
                let mut features = channels * height * width;
                for (index, &outputs) in widths.iter().enumerate() {
                    build.linear(&format!("fc{}", index + 1), features, outputs);
                    build.hidden(outputs);
                    build.dropout();
                    features = outputs;
                }
                build.linear(&format!("fc{}", widths.len() + 1), features, classes);
            }
            Model::Cnn {
                channels: (first, second),
            } => {
                for (index, &outputs) in [first, second].into_iter().enumerate() {
                    build.conv(&format!("conv{}", index + 1), channels, outputs);
                    build.hidden(outputs);
                    build.layers.push(Layer::MaxPool);
                    build.dropout();
                    (channels, height, width) = (outputs, pooled(height), pooled(width));
                }
                build.linear("fc", channels * height * width, classes);
            }
        }
        Self {
            layers: build.layers,
            layout: build.layout,
            input,
            normalized: build.normalized,
        }
    }

    /// Where each parameter lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// [channels, height, width] of an image it is for.
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// Whether any layer normalizes by batch statistics.
    pub fn has_batch_norm(&self) -> bool {
        !self.normalized.is_empty()
    }

    /// PyTorch's default initialization, `[parameters]`: weights and biases uniform in ±1/√fan-in, γ = 1, β = 0.
    pub fn initial_parameters(&self, seed: u64, device: &Device, dtype: DType) -> Tensor<1> {
        let mut rng = stream(seed, Purpose::Parameters);
        let mut values: Vec<f64> = Vec::with_capacity(self.layout.len());
        for entry in self.layout.entries() {
            match entry.fan_in {
                Some(fan_in) => {
                    let bound = 1.0 / (fan_in as f64).sqrt();
                    values.extend((0..entry.len()).map(|_| rng.random_range(-bound..bound)));
                }
                None => values.extend(std::iter::repeat_n(entry.constant, entry.len())),
            }
        }
        let length = values.len();
        Tensor::from_data(TensorData::new(values, [length]), (device, dtype))
    }

    /// Running statistics before any batch: mean 0, variance 1.
    pub fn initial_statistics(&self, device: &Device, dtype: DType) -> Vec<RunningStatistics> {
        self.normalized
            .iter()
            .map(|(name, channels)| RunningStatistics {
                name: name.clone(),
                mean: Tensor::zeros([*channels], (device, dtype)),
                variance: Tensor::ones([*channels], (device, dtype)),
                batches: 0,
            })
            .collect()
    }

    /// Outputs (logits), [examples, classes], of images given as [examples, channels·height·width].
    pub fn forward(&self, parameters: &Parts, images: Tensor<2>, pass: &mut Pass) -> Tensor<2> {
        // What the layers remember is dropped on the way.
        let outputs = self
            .layers
            .iter()
            .fold(self.signal(images), |x, layer| layer.forward(parameters, x, pass).0);
        flat(outputs)
    }

    /// The same, with what every layer remembers of it.
    pub(super) fn trace(&self, parameters: &Parts, images: Tensor<2>, pass: &mut Pass) -> Trace {
        let mut nodes = Vec::with_capacity(self.layers.len());
        let mut x = self.signal(images);
        for layer in &self.layers {
            let (y, node) = layer.forward(parameters, x, pass);
            nodes.push(node);
            x = y;
        }
        Trace {
            nodes,
            outputs: flat(x),
        }
    }

    fn signal(&self, images: Tensor<2>) -> Signal {
        match self.layers.first() {
            Some(Layer::Conv2d(_)) => {
                let [examples, _] = images.dims();
                let [channels, height, width] = self.input;
                images.reshape([examples, channels, height, width])
            }
            _ => signal(images),
        }
    }
}

/// A pass through a network.
pub(super) struct Trace {
    /// Its layers, the first one first.
    pub(super) nodes: Vec<Box<dyn Node>>,
    /// Outputs (logits), [examples, classes].
    pub(super) outputs: Tensor<2>,
}

impl Layer {
    fn forward(&self, parameters: &Parts, x: Signal, pass: &mut Pass) -> (Signal, Box<dyn Node>) {
        match self {
            Self::Linear(linear) => remembered(linear.forward(parameters, x)),
            Self::Conv2d(conv) => remembered(conv.forward(parameters, x)),
            Self::MaxPool => remembered(max_pool(x)),
            Self::BatchNorm(norm) => {
                let running = &mut pass.running[norm.index];
                remembered(norm.forward(parameters, x, pass.normalization, running, pass.observe))
            }
            Self::Activation(function) => remembered(activate(*function, x)),
            Self::Dropout(p) => remembered(drop_units(*p, pass.dropout.as_deref_mut(), x)),
        }
    }
}

fn remembered(passed: (Signal, impl Node + 'static)) -> (Signal, Box<dyn Node>) {
    (passed.0, Box::new(passed.1))
}
