//! The values that settings take, where a number or a truth value does not say it.

use serde::{Deserialize, Serialize};

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Model {
    /// Fully connected, with these hidden widths; an empty list is a linear classifier.
    Mlp {
        /// Widths of the hidden layers.
        widths: Vec<usize>,
    },
    /// conv 3×3 → pool 2×2 → conv 3×3 → pool 2×2 → linear.
    Cnn {
        /// Output channels of the two convolutions.
        channels: (usize, usize),
    },
    /// VGG-11 (Simonyan and Zisserman 2015) for small images: eight convolutions, a classifier with two hidden layers.
    Vgg11 {
        /// Channels of the first convolution, an eighth of those of the last ones.
        #[serde(default = "wide")]
        width: usize,
    },
    /// ResNet-18 (He et al. 2016) for small images: eight residual blocks of two convolutions in four stages.
    ResNet18 {
        /// Channels of the first stage, an eighth of those of the last one.
        #[serde(default = "wide")]
        width: usize,
    },
    /// ResNet-20 (He et al. 2016, section 4.2): nine residual blocks of two convolutions in three stages.
    ResNet20 {
        /// Channels of the first stage, a quarter of those of the last one.
        #[serde(default = "narrow")]
        width: usize,
    },
}

/// The width of VGG-11 and ResNet-18 in their papers.
fn wide() -> usize {
    64
}

/// The width of ResNet-20 in its paper.
fn narrow() -> usize {
    16
}

impl Model {
    /// Whether there is a hidden layer, on which activation, dropout and batch norm act.
    #[must_use]
    pub fn has_hidden_layers(&self) -> bool {
        match self {
            Self::Mlp { widths } => !widths.is_empty(),
            Self::Cnn { .. } | Self::Vgg11 { .. } | Self::ResNet18 { .. } | Self::ResNet20 { .. } => true,
        }
    }
}

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// max(0, x).
    Relu,
    /// tanh x.
    Tanh,
}

/// A loss, averaged over examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loss {
    /// −log of the softmax of the outputs, at the label.
    CrossEntropy,
    /// ½‖output − one-hot(label)‖².
    SquaredError,
}

/// How the learning rate changes, after the warm-up if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Schedule {
    /// It stays what it is.
    Constant,
    /// It is multiplied by a factor again and again.
    Step {
        /// After how many steps or epochs, counted from the first step of the cell.
        every: Cadence,
        /// By what, above 0 and at most 1.
        factor: f64,
    },
    /// It falls along half a cosine until the last planned step (Loshchilov and Hutter 2017, without restarts).
    Cosine {
        /// The part of the rate that it ends at, from 0 to 1 (default 0).
        #[serde(default)]
        to: f64,
    },
}

/// So many steps or epochs: how often, or how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cadence {
    /// So many optimizer steps.
    Steps(u64),
    /// So many passes over the training data.
    Epochs(u64),
}

/// How often λ_max is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Tracking {
    /// Every so many optimizer steps.
    Steps(u64),
    /// Every so many epochs.
    Epochs(u64),
    /// As often as this share of the cell's time allows, in (0, 0.9].
    Share(f64),
    /// Only at the start and at the end.
    Ends,
}

/// Floating-point format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}
