//! Building a network layer by layer, in the order of a pass and of PyTorch's `parameters()`.

use std::mem;

use super::initial::Initial;
use super::layer::Layer;
use super::layers::{Activation, Average, BatchNorm, Conv2d, Dropout, Filters, Linear, MaxPool, Subsample};
use super::parameters::{Layout, ParameterIndex};
use super::wiring::Wiring;

/// A builder of a network: each call adds a layer after the layers before it.
///
/// Names are those of PyTorch's modules: the layer `fc1` has the parameters `fc1.weight` and `fc1.bias`.
#[derive(Default)]
pub struct Builder {
    pub(super) layers: Vec<Box<dyn Layer>>,
    pub(super) wiring: Wiring,
    pub(super) layout: Layout,
    /// Name and channels of each batch norm.
    pub(super) normalized: Vec<(String, usize)>,
}

impl Builder {
    /// Adds a layer of any type. [`Builder::parameter`] adds the parameters of a user-defined layer.
    pub fn layer(&mut self, layer: impl Layer + 'static) {
        self.wiring.layer(self.layers.len());
        self.layers.push(Box::new(layer));
    }

    /// Adds a parameter of a user-defined layer, with its full name, its shape, and the distribution of its initial
    /// numbers.
    pub fn parameter(&mut self, name: &str, shape: &[usize], initial: Initial) -> ParameterIndex {
        self.layout.add(name.to_owned(), shape, initial)
    }

    /// Adds a fully connected layer y = x Wᵀ + b of shape `[inputs, outputs]`, with the initial distributions of W and
    /// b.
    ///
    /// An image is flattened into features in the order channel, row, column.
    pub fn linear(&mut self, name: &str, shape: [usize; 2], weight: Initial, bias: Initial) {
        let layer = Linear::new(&mut self.layout, name, shape, weight, bias);
        self.layer(layer);
    }

    /// Adds a fully connected layer with PyTorch's default initialization, uniform in ±1/√inputs.
    pub fn default_linear(&mut self, name: &str, inputs: usize, outputs: usize) {
        let initial = Initial::pytorch(inputs);
        self.linear(name, [inputs, outputs], initial, initial);
    }

    /// Adds a convolution y = W ⋆ x + b, padded by half its kernel, with the initial distributions of W and, if there
    /// is a bias, of b.
    pub fn conv(&mut self, name: &str, filters: Filters, weight: Initial, bias: Option<Initial>) {
        let layer = Conv2d::new(&mut self.layout, name, filters, weight, bias);
        self.layer(layer);
    }

    /// Adds batch normalization of each channel, y = γ (x − μ)/√(σ² + 1e-5) + β, initially with γ = 1 and β = 0.
    pub fn batch_norm(&mut self, name: &str, channels: usize) {
        let layer = BatchNorm::new(&mut self.layout, name, channels, self.normalized.len());
        self.layer(layer);
        self.normalized.push((name.to_owned(), channels));
    }

    /// Adds an activation function, element by element.
    pub fn activation(&mut self, function: Activation) {
        self.layer(function);
    }

    /// Adds dropout: in training each element becomes 0 with probability `p`, and the others are scaled by 1/(1 − p).
    pub fn dropout(&mut self, p: f64) {
        self.layer(Dropout { p });
    }

    /// Adds max pooling, which takes the largest of each 2×2 square. It ignores an odd last row or column, as PyTorch
    /// does.
    pub fn max_pool(&mut self) {
        self.layer(MaxPool);
    }

    /// Adds global average pooling, the mean of each channel over its image.
    pub fn average(&mut self) {
        self.layer(Average);
    }

    /// Adds a shortcut without parameters. It takes every second row and column of x, and appends channels of zeros up
    /// to `outputs` channels (He et al. 2016, option A).
    pub fn subsample(&mut self, outputs: usize) {
        self.layer(Subsample { outputs });
    }

    /// Adds a residual block, branch(x) + shortcut(x). A shortcut without layers is x itself.
    pub fn residual(&mut self, branch: impl FnOnce(&mut Self), shortcut: impl FnOnce(&mut Self)) {
        let before = mem::take(&mut self.wiring);
        branch(self);
        let branch = mem::take(&mut self.wiring);
        shortcut(self);
        let shortcut = mem::replace(&mut self.wiring, before);
        self.wiring.residual(branch, shortcut);
    }
}
