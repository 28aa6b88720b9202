//! The layers of a configuration's network, in order.

use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::activation::activate;
use super::batch_norm::BatchNorm;
use super::conv::Conv2d;
use super::dropout::drop_units;
use super::linear::Linear;
use super::pool::{max_pool, pooled};
use super::{Dual, Layout, Leaves, Normalization, Purpose, RunningStatistics, Signal, stream};
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
    pub fn forward(&self, leaves: &Leaves, images: Tensor<2>, pass: &mut Pass) -> Dual<2> {
        let mut signal = match self.layers.first() {
            Some(Layer::Conv2d(_)) => {
                let [examples, _] = images.dims();
                let [channels, height, width] = self.input;
                Signal::Image(Dual::constant(images.reshape([examples, channels, height, width])))
            }
            _ => Signal::Flat(Dual::constant(images)),
        };
        for layer in &self.layers {
            signal = layer.forward(leaves, signal, pass);
        }
        signal.into_flat()
    }
}

impl Layer {
    fn forward(&self, leaves: &Leaves, signal: Signal, pass: &mut Pass) -> Signal {
        match (self, signal) {
            (Self::Linear(linear), signal) => Signal::Flat(linear.forward(leaves, signal.into_flat())),
            (Self::Conv2d(conv), Signal::Image(x)) => Signal::Image(conv.forward(leaves, x)),
            (Self::MaxPool, Signal::Image(x)) => Signal::Image(max_pool(x)),
            (Self::BatchNorm(norm), Signal::Flat(x)) => Signal::Flat(pass.normalize(norm, leaves, x)),
            (Self::BatchNorm(norm), Signal::Image(x)) => Signal::Image(pass.normalize(norm, leaves, x)),
            (Self::Activation(function), Signal::Flat(x)) => Signal::Flat(activate(*function, x)),
            (Self::Activation(function), Signal::Image(x)) => Signal::Image(activate(*function, x)),
            (Self::Dropout(p), Signal::Flat(x)) => Signal::Flat(pass.drop_units(*p, x)),
            (Self::Dropout(p), Signal::Image(x)) => Signal::Image(pass.drop_units(*p, x)),
            // `Network::new` puts convolutions and pools before anything that flattens.
            (Self::Conv2d(_) | Self::MaxPool, Signal::Flat(_)) => {
                unreachable!("a convolution or a pool follows a flat layer")
            }
        }
    }
}

impl Pass<'_> {
    fn normalize<const D: usize>(&mut self, norm: &BatchNorm, leaves: &Leaves, x: Dual<D>) -> Dual<D> {
        norm.forward(
            leaves,
            x,
            self.normalization,
            &mut self.running[norm.index],
            self.observe,
        )
    }

    fn drop_units<const D: usize>(&mut self, p: f64, x: Dual<D>) -> Dual<D> {
        match self.dropout.as_deref_mut() {
            Some(rng) => drop_units(p, rng, x),
            None => x,
        }
    }
}
