//! Small networks without residual blocks: fully connected, and two convolutions.

use crate::model::architecture::{Architecture, Hidden};
use crate::model::builder::Builder;
use crate::model::initial::Initial;
use crate::model::layers::{Filters, pooled};

/// A fully connected network: (linear `fc1`, batch norm? `bn1`, activation, dropout?) for each width, then linear. `?`
/// marks an optional layer.
///
/// Initial weights and biases have PyTorch's default: uniform in ±1/√fan-in.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    /// Widths of the hidden layers; an empty list is a linear classifier.
    pub widths: Vec<usize>,
    /// The operations after each hidden layer's affine map.
    pub hidden: Hidden,
}

impl Architecture for Mlp {
    fn build(&self, build: &mut Builder, input: [usize; 3], classes: usize) {
        let hidden = self.hidden;
        let mut features = input.iter().product();
        for (index, &outputs) in self.widths.iter().enumerate() {
            build.default_linear(&format!("fc{}", index + 1), features, outputs);
            hidden.batch_norm(build, &format!("bn{}", index + 1), outputs);
            hidden.activation(build);
            hidden.dropout(build);
            features = outputs;
        }
        build.default_linear(&format!("fc{}", self.widths.len() + 1), features, classes);
    }
}

/// A convolutional network: (conv 3×3 `conv1`, batch norm? `bn1`, activation, pool 2×2, dropout?) twice, then linear
/// `fc`. `?` marks an optional layer.
///
/// Initial weights and biases have PyTorch's default: uniform in ±1/√fan-in.
#[derive(Clone, Debug, PartialEq)]
pub struct Cnn {
    /// Output channels of the two convolutions.
    pub channels: [usize; 2],
    /// The operations after each convolution.
    pub hidden: Hidden,
}

impl Architecture for Cnn {
    fn build(&self, build: &mut Builder, input: [usize; 3], classes: usize) {
        let hidden = self.hidden;
        let [mut channels, mut height, mut width] = input;
        for (index, outputs) in self.channels.into_iter().enumerate() {
            let filters = Filters::three_by_three(channels, outputs);
            let initial = Initial::pytorch(filters.fan_in());
            build.conv(&format!("conv{}", index + 1), filters, initial, Some(initial));
            hidden.batch_norm(build, &format!("bn{}", index + 1), outputs);
            hidden.activation(build);
            build.max_pool();
            hidden.dropout(build);
            (channels, height, width) = (outputs, pooled(height), pooled(width));
        }
        build.default_linear("fc", channels * height * width, classes);
    }
}
