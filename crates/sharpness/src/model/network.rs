//! A network: its layers in order.

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::architecture::Architecture;
use super::builder::Builder;
use super::layer::Layer;
use super::node::{Kept, Node, Signal, flat, sum};
use super::parameters::{Layout, Parts};
use super::pass::{Pass, RunningStatistics};
use super::wiring::Wiring;
use crate::random::{Purpose, stream};

/// A network f(x; w): its layers, and the layout of their parameters. The parameters w are a separate vector.
pub struct Network {
    layers: Vec<Box<dyn Layer>>,
    wiring: Wiring,
    layout: Layout,
    /// [channels, height, width] of an input image.
    input: [usize; 3],
    normalized: Vec<(String, usize)>,
}

impl Network {
    /// Returns the network of an architecture for images of shape `input` [channels, height, width].
    pub fn new(architecture: &dyn Architecture, input: [usize; 3], classes: usize) -> Self {
        Self::build(input, |build| architecture.build(build, input, classes))
    }

    /// Returns the network of the layers that `layers` adds, for images of shape `input` [channels, height, width].
    ///
    /// The first layer receives images [examples, channels, height, width]. The last layer's output is flattened into
    /// outputs [examples, classes].
    ///
    /// ```
    /// use sharpness::model::{Activation, Network};
    ///
    /// let network = Network::build([1, 4, 4], |build| {
    ///     build.default_linear("fc1", 16, 5);
    ///     build.activation(Activation::Tanh);
    ///     build.default_linear("fc2", 5, 3);
    /// });
    /// let names: Vec<&str> = network.layout().entries().iter().map(|entry| entry.name.as_str()).collect();
    /// assert_eq!(names, ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);
    /// assert_eq!(network.layout().len(), 16 * 5 + 5 + 5 * 3 + 3);
    /// ```
    pub fn build(input: [usize; 3], layers: impl FnOnce(&mut Builder)) -> Self {
        let mut build = Builder::default();
        layers(&mut build);
        Self {
            layers: build.layers,
            wiring: build.wiring,
            layout: build.layout,
            input,
            normalized: build.normalized,
        }
    }

    /// Returns the layout of the parameters.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the shape of an input image, [channels, height, width].
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    pub(super) fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }

    /// Returns the connections between the layers.
    pub(super) fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// Returns whether the network has batch norm.
    pub fn has_batch_norm(&self) -> bool {
        !self.normalized.is_empty()
    }

    /// Returns the parameters before training, `[parameters]`, drawn from the initial distributions of the layers.
    ///
    /// They are the same on every machine and back end, up to rounding to `dtype`.
    pub fn initial_parameters(&self, seed: u64, device: &Device, dtype: DType) -> Tensor<1> {
        let mut rng = stream(seed, Purpose::Parameters);
        let mut values: Vec<f64> = Vec::with_capacity(self.layout.len());
        for entry in self.layout.entries() {
            entry.initial.draw(entry.len(), &mut rng, &mut values);
        }
        let length = values.len();
        Tensor::from_data(TensorData::new(values, [length]), (device, dtype))
    }

    /// Returns the running statistics before any batch: mean 0, variance 1.
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

    /// Returns the outputs (logits), [examples, classes], of images given as [examples, channels·height·width].
    pub fn forward(&self, parameters: &Parts, images: Tensor<2>, pass: &mut Pass) -> Tensor<2> {
        // The nodes are dropped during the pass.
        self.pass(parameters, images, pass, |_| ())
    }

    /// Returns the outputs of [`Network::forward`], together with the nodes of all layers.
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
        let [examples, _] = images.dims();
        let [channels, height, width] = self.input;
        let images: Signal = images.reshape([examples, channels, height, width]);
        flat(self.wiring.forward(images, &mut layer, &|y, x| y + x))
    }
}

/// A forward pass through a network.
pub(super) struct Trace<'a> {
    /// The nodes of the layers, in the order of the layers' indices.
    pub(super) nodes: Vec<Box<dyn Node>>,
    /// The connections between the layers.
    pub(super) wiring: &'a Wiring,
    /// Outputs (logits), [examples, classes].
    pub(super) outputs: Tensor<2>,
}

impl Trace<'_> {
    /// Returns J v, the tangent of the outputs along `v`; `None` if the outputs do not depend on the parameters. Calls
    /// `keep` with the tensors that each layer's tangent keeps, in the order of the layers' indices.
    pub(super) fn tangent(&self, v: &Parts, mut keep: impl FnMut(Kept)) -> Option<Signal> {
        let mut layer = |index: usize, dx: Option<Signal>| {
            let (dy, kept) = self.nodes[index].tangent(v, dx.as_ref());
            keep(kept);
            dy
        };
        self.wiring.forward(None, &mut layer, &sum)
    }
}
