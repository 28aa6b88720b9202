//! The kinds of layers.

use super::activation;
use super::average::{self, average};
use super::batch_norm::{self, BatchNorm};
use super::conv::Conv2d;
use super::dropout::{self, drop_units};
use super::footprint::{Holding, ImageShape};
use super::linear::Linear;
use super::network::Pass;
use super::node::{Node, Signal};
use super::pool;
use super::subsample::{self, subsample};
use super::{Layout, Parts};
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
            Self::MaxPool => pool::forward(x),
            Self::Average => remembered(average(x)),
            Self::Subsample { outputs } => remembered(subsample(x, *outputs)),
            Self::BatchNorm(norm) => {
                let running = &mut pass.running[norm.index];
                norm.forward(parameters, x, pass.normalization, running, pass.observe)
            }
            Self::Activation(function) => activation::forward(*function, x),
            Self::Dropout(p) => remembered(drop_units(*p, pass.dropout.as_deref_mut(), x)),
        }
    }

    /// What it holds of an example of this shape.
    pub(super) fn holding(&self, layout: &Layout, input: ImageShape, with_dropout: bool) -> Holding {
        match self {
            Self::Linear(linear) => linear.holding(layout),
            Self::Conv2d(conv) => conv.holding(layout, input),
            Self::MaxPool => pool::holding(input),
            Self::Average => average::holding(input),
            Self::Subsample { outputs } => subsample::holding(input, *outputs),
            Self::BatchNorm(_) => batch_norm::holding(input),
            Self::Activation(function) => activation::holding(*function, input),
            Self::Dropout(_) => dropout::holding(input, with_dropout),
        }
    }
}

fn remembered(passed: (Signal, impl Node + 'static)) -> (Signal, Box<dyn Node>) {
    (passed.0, Box::new(passed.1))
}
