//! The layers of a configuration's network, in order.

use burn::tensor::{DType, Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use super::builder::Builder;
use super::layer::Layer;
use super::linear::{flat, signal};
use super::node::{Node, Signal};
use super::plain::{cnn, mlp};
use super::resnet::{resnet18, resnet20};
use super::vgg::vgg11;
use super::wiring::Wiring;
use super::{Layout, Normalization, Parts, Purpose, RunningStatistics, stream};
use crate::config::{Model, Settings};

/// A network: its layers and where their parameters lie, but not the parameters.
pub struct Network {
    layers: Vec<Layer>,
    wiring: Wiring,
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

impl Network {
    /// The network of `settings` for images of shape `input` [channels, height, width].
    ///
    /// Parameters have the names, shapes and order that `named_parameters()` of a PyTorch module would give, with the
    /// modules in the order of this list; a running statistic has its batch norm's name.
    ///
    /// - `Mlp`: (linear `fc1`, batch norm? `bn1`, activation, dropout?) for each width, then linear.
    /// - `Cnn`: (conv 3×3 `conv1`, batch norm? `bn1`, activation, pool 2×2, dropout?) twice, then linear `fc`.
    /// - `Vgg11`: torchvision's `vgg11` or `vgg11_bn` without the average pool: (conv 3×3 `features.0`, batch norm?
    ///   `features.1`, activation, pool 2×2?) with w, 2w, 4w, 4w, 8w, 8w, 8w and 8w channels, a pool after the 1st, 2nd,
    ///   4th, 6th and 8th unless the image has a single row or column there; then the channels' images flattened, (linear
    ///   to 8w, activation, dropout?) `classifier.0` and `classifier.3`, and linear `classifier.6`. Numbers count every
    ///   module of torchvision's, also the pools and dropouts that are left out. Convolutions have biases with batch norm,
    ///   too.
    /// - `ResNet18`: torchvision's `resnet18` with a stem for small images: conv 3×3 `conv1` of stride 1, batch norm?
    ///   `bn1`, activation, no pool; `layer1` to `layer4` of two blocks with w, 2w, 4w and 8w channels; the mean over each
    ///   image; linear `fc`. A block `layer2.0` is conv 3×3 `conv1`, batch norm? `bn1`, activation, dropout?, conv 3×3
    ///   `conv2`, batch norm? `bn2`, plus its input, then activation. The first block of `layer2` to `layer4` has stride
    ///   2 in `conv1`, and its input goes through conv 1×1 `downsample.0` of stride 2 and batch norm? `downsample.1`.
    /// - `ResNet20`: the same with `layer1` to `layer3` of three blocks, of w, 2w and 4w channels. Where the shape changes
    ///   the input x of c channels becomes `F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, c))`, which has no parameters.
    ///
    /// Convolutions of the residual networks have biases without batch norm only.
    pub fn new(settings: &Settings, input: [usize; 3], classes: usize) -> Self {
        let mut build = Builder::new(settings);
        match &settings.model {
            Model::Mlp { widths } => mlp(&mut build, widths, input, classes),
            &Model::Cnn {
                channels: (first, second),
            } => cnn(&mut build, [first, second], input, classes),
            &Model::Vgg11 { width } => vgg11(&mut build, width, input, classes),
            &Model::ResNet18 { width } => resnet18(&mut build, width, input[0], classes),
            &Model::ResNet20 { width } => resnet20(&mut build, width, input[0], classes),
        }
        Self {
            layers: build.layers,
            wiring: build.wiring,
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

    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// How the layers are joined; an MLP takes an image as a row of features.
    pub(super) fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// Whether any layer normalizes by batch statistics.
    pub fn has_batch_norm(&self) -> bool {
        !self.normalized.is_empty()
    }

    /// The parameters before training, `[parameters]`, for ReLU and tanh alike; γ = 1 and β = 0 in batch norm.
    ///
    /// - `Mlp`, `Cnn`, and the last layer of the others: PyTorch's default, weights and biases uniform in ±1/√fan-in.
    /// - Other weights of `Vgg11`: He et al. (2015), normal with mean 0 and variance 2/fan-in; biases 0.
    /// - Other weights of `ResNet18` and `ResNet20`: the same with variance 2/fan-out, as in torchvision.
    /// - Residual networks without batch norm: Fixup (Zhang, Dauphin and Ma 2019). The first convolution of each branch is
    ///   He's divided by √L for L blocks, the last one is 0, and so is the last layer of the network. The biases of the
    ///   convolutions serve for Fixup's scalar biases; its scalar multipliers are left out.
    pub fn initial_parameters(&self, seed: u64, device: &Device, dtype: DType) -> Tensor<1> {
        let mut rng = stream(seed, Purpose::Parameters);
        let mut values: Vec<f64> = Vec::with_capacity(self.layout.len());
        for entry in self.layout.entries() {
            entry.initial.draw(entry.len(), &mut rng, &mut values);
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
        self.pass(parameters, images, pass, |_| ())
    }

    /// The same, with what every layer remembers of it.
    pub(super) fn trace(&self, parameters: &Parts, images: Tensor<2>, pass: &mut Pass) -> Trace<'_> {
        let mut nodes = Vec::with_capacity(self.layers.len());
        let outputs = self.pass(parameters, images, pass, |node| nodes.push(node));
        Trace {
            nodes,
            wiring: &self.wiring,
            outputs,
        }
    }

    fn pass(
        &self,
        parameters: &Parts,
        images: Tensor<2>,
        pass: &mut Pass,
        mut keep: impl FnMut(Box<dyn Node>),
    ) -> Tensor<2> {
        let mut layer = |index: usize, x| {
            let (y, node) = self.layers[index].forward(parameters, x, pass);
            keep(node);
            y
        };
        flat(self.wiring.forward(self.signal(images), &mut layer, &|y, x| y + x))
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
pub(super) struct Trace<'a> {
    /// Its layers, in the order of their indices.
    pub(super) nodes: Vec<Box<dyn Node>>,
    /// How they are joined.
    pub(super) wiring: &'a Wiring,
    /// Outputs (logits), [examples, classes].
    pub(super) outputs: Tensor<2>,
}
