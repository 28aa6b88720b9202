//! Building a network layer by layer, in the order of a pass and of PyTorch's `parameters()`.

use std::mem;

use super::batch_norm::BatchNorm;
use super::conv::{Conv2d, Filters};
use super::layer::Layer;
use super::linear::Linear;
use super::wiring::Wiring;
use super::{Initial, Layout};
use crate::config::Settings;

/// What is built so far.
pub(super) struct Builder<'a> {
    pub(super) settings: &'a Settings,
    pub(super) layers: Vec<Layer>,
    pub(super) wiring: Wiring,
    pub(super) layout: Layout,
    /// Name and channels of each batch norm.
    pub(super) normalized: Vec<(String, usize)>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            layers: Vec::new(),
            wiring: Wiring::default(),
            layout: Layout::default(),
            normalized: Vec::new(),
        }
    }

    fn push(&mut self, layer: Layer) {
        self.wiring.layer(self.layers.len());
        self.layers.push(layer);
    }

    /// A fully connected layer, `[inputs, outputs]`, with the beginnings of its weight and bias.
    pub(super) fn linear(&mut self, name: &str, shape: [usize; 2], weight: Initial, bias: Initial) {
        let layer = Linear::new(&mut self.layout, name, shape, weight, bias);
        self.push(Layer::Linear(layer));
    }

    /// A fully connected layer with PyTorch's default initialization.
    pub(super) fn default_linear(&mut self, name: &str, inputs: usize, outputs: usize) {
        let initial = Initial::pytorch(inputs);
        self.linear(name, [inputs, outputs], initial, initial);
    }

    /// A convolution, with the beginnings of its weight and, if it has one, its bias.
    pub(super) fn conv(&mut self, name: &str, filters: Filters, weight: Initial, bias: Option<Initial>) {
        let layer = Conv2d::new(&mut self.layout, name, filters, weight, bias);
        self.push(Layer::Conv2d(layer));
    }

    /// Batch norm, if the settings have it.
    pub(super) fn batch_norm(&mut self, name: &str, channels: usize) {
        if self.settings.batch_norm {
            let layer = BatchNorm::new(&mut self.layout, name, channels, self.normalized.len());
            self.push(Layer::BatchNorm(layer));
            self.normalized.push((name.to_owned(), channels));
        }
    }

    pub(super) fn activation(&mut self) {
        self.push(Layer::Activation(self.settings.activation));
    }

    /// Dropout, if the settings have it.
    pub(super) fn dropout(&mut self) {
        if self.settings.dropout > 0.0 {
            self.push(Layer::Dropout(self.settings.dropout));
        }
    }

    pub(super) fn max_pool(&mut self) {
        self.push(Layer::MaxPool);
    }

    /// Global average pooling.
    pub(super) fn average(&mut self) {
        self.push(Layer::Average);
    }

    /// Half the image, with as many channels.
    pub(super) fn subsample(&mut self, outputs: usize) {
        self.push(Layer::Subsample { outputs });
    }

    /// The sum of what a branch and a shortcut make of the same input.
    pub(super) fn residual(&mut self, branch: impl FnOnce(&mut Self), shortcut: impl FnOnce(&mut Self)) {
        let before = mem::take(&mut self.wiring);
        branch(self);
        let branch = mem::take(&mut self.wiring);
        shortcut(self);
        let shortcut = mem::replace(&mut self.wiring, before);
        self.wiring.residual(branch, shortcut);
    }
}
