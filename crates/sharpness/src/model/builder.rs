//! Building a network layer by layer, in the order of a pass and of PyTorch's `parameters()`.

use std::mem;

use super::initial::Initial;
use super::layer::Layer;
use super::layers::{Activation, Average, BatchNorm, Conv2d, Dropout, Filters, Linear, MaxPool, Subsample};
use super::parameters::{Layout, ParameterIndex};
use super::wiring::Wiring;

/// A network in the making: each call adds a layer behind those that are there.
///
/// A name is the PyTorch module's: `fc1` has the parameters `fc1.weight` and `fc1.bias`.
#[derive(Default)]
pub struct Builder {
    pub(super) layers: Vec<Box<dyn Layer>>,
    pub(super) wiring: Wiring,
    pub(super) layout: Layout,
    /// Name and channels of each batch norm.
    pub(super) normalized: Vec<(String, usize)>,
}

impl Builder {
    /// Any layer; its parameters, if it has some, were added by [`Builder::parameter`].
    pub fn layer(&mut self, layer: impl Layer + 'static) {
        self.wiring.layer(self.layers.len());
        self.layers.push(Box::new(layer));
    }

    /// A parameter for a layer of one's own: its whole name, its shape, and how its numbers begin.
    pub fn parameter(&mut self, name: &str, shape: &[usize], initial: Initial) -> ParameterIndex {
        self.layout.add(name.to_owned(), shape, initial)
    }

    /// A fully connected layer, `[inputs, outputs]`, with the beginnings of its weight and bias.
    pub fn linear(&mut self, name: &str, shape: [usize; 2], weight: Initial, bias: Initial) {
        let layer = Linear::new(&mut self.layout, name, shape, weight, bias);
        self.layer(layer);
    }

    /// A fully connected layer with PyTorch's default initialization.
    pub fn default_linear(&mut self, name: &str, inputs: usize, outputs: usize) {
        let initial = Initial::pytorch(inputs);
        self.linear(name, [inputs, outputs], initial, initial);
    }

    /// A convolution, with the beginnings of its weight and, if it has one, its bias.
    pub fn conv(&mut self, name: &str, filters: Filters, weight: Initial, bias: Option<Initial>) {
        let layer = Conv2d::new(&mut self.layout, name, filters, weight, bias);
        self.layer(layer);
    }

    /// Batch normalization of so many channels: γ = 1 and β = 0 at first.
    pub fn batch_norm(&mut self, name: &str, channels: usize) {
        let layer = BatchNorm::new(&mut self.layout, name, channels, self.normalized.len());
        self.layer(layer);
        self.normalized.push((name.to_owned(), channels));
    }

    /// An activation function, element by element.
    pub fn activation(&mut self, function: Activation) {
        self.layer(function);
    }

    /// Dropout: in training each element becomes 0 with probability `p`, and the others are scaled by 1/(1 − p).
    pub fn dropout(&mut self, p: f64) {
        self.layer(Dropout { p });
    }

    /// The largest of each 2×2 square; an odd last row or column is left out, as in PyTorch.
    pub fn max_pool(&mut self) {
        self.layer(MaxPool);
    }

    /// Global average pooling: the mean of each channel over its image.
    pub fn average(&mut self) {
        self.layer(Average);
    }

    /// Every second row and column, and channels of zeros behind those of x up to `outputs` (He et al. 2016, option A).
    pub fn subsample(&mut self, outputs: usize) {
        self.layer(Subsample { outputs });
    }

    /// The sum of what a branch and a shortcut make of the same input.
    pub fn residual(&mut self, branch: impl FnOnce(&mut Self), shortcut: impl FnOnce(&mut Self)) {
        let before = mem::take(&mut self.wiring);
        branch(self);
        let branch = mem::take(&mut self.wiring);
        shortcut(self);
        let shortcut = mem::replace(&mut self.wiring, before);
        self.wiring.residual(branch, shortcut);
    }
}
