//! The kinds of layers.

use super::Parts;
use super::activation::activate;
use super::average::average;
use super::batch_norm::BatchNorm;
use super::conv::Conv2d;
use super::dropout::drop_units;
use super::linear::Linear;
use super::network::Pass;
use super::node::{Node, Signal};
use super::pool::max_pool;
use super::subsample::subsample;
use crate::config::Activation;

/// A layer: where its parameters lie, but not the parameters.
pub(super) enum Layer {
    Linear(Linear),
    Conv2d(Conv2d),
    BatchNorm(BatchNorm),
    Activation(Activation),
    MaxPool,
    /// Global average pooling.
    Average,
    /// Half the image, with as many channels.
    Subsample {
        outputs: usize,
    },
    Dropout(f64),
}

impl Layer {
    /// What it makes of x, and what it remembers of that.
    pub(super) fn forward(&self, parameters: &Parts, x: Signal, pass: &mut Pass) -> (Signal, Box<dyn Node>) {
        match self {
            Self::Linear(linear) => remembered(linear.forward(parameters, x)),
            Self::Conv2d(conv) => remembered(conv.forward(parameters, x)),
            Self::MaxPool => remembered(max_pool(x)),
            Self::Average => remembered(average(x)),
            Self::Subsample { outputs } => remembered(subsample(x, *outputs)),
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
