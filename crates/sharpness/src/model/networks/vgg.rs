//! VGG-11, configuration A of Simonyan and Zisserman (2015), in the form used for CIFAR.

use crate::model::architecture::{Architecture, Hidden};
use crate::model::builder::Builder;
use crate::model::initial::Initial;
use crate::model::layers::{Filters, pooled};

/// Each convolution's outputs as a multiple of the width, and whether a pool follows it.
const CONVOLUTIONS: [(usize, bool); 8] = [
    (1, true),
    (2, true),
    (4, false),
    (4, true),
    (8, false),
    (8, true),
    (8, false),
    (8, true),
];

/// Hidden features of the classifier as a multiple of the width.
const HIDDEN: usize = 8;

/// torchvision's `vgg11` or `vgg11_bn` without the average pool.
///
/// (conv 3×3 `features.0`, batch norm? `features.1`, activation, pool 2×2?) with w, 2w, 4w, 4w, 8w, 8w, 8w and 8w
/// channels, with a pool after the 1st, 2nd, 4th, 6th and 8th unless the image has a single row or column there. Then
/// the channels' images are flattened, followed by (linear to 8w, activation, dropout?) `classifier.0` and
/// `classifier.3`, and linear `classifier.6`. `?` marks an optional layer. The numbers in the names count every module
/// of torchvision's network, including pools and dropouts that are left out here. Convolutions have biases also with
/// batch norm.
///
/// Initial weights are normal with mean 0 and variance 2/fan-in (He et al. 2015), initial biases are 0, and the last
/// layer has PyTorch's default. With torchvision's variance 2/fan-out, each doubling of the channels halves the
/// signal's variance; without batch norm, the initial plateau of training then lasts two to three times as long.
#[derive(Clone, Debug, PartialEq)]
pub struct Vgg11 {
    /// w: channels of the first convolution, an eighth of those of the last ones; 64 in the paper.
    pub width: usize,
    /// The operations after each hidden layer's affine map. The classifier has no batch norm, and the convolutions have
    /// no dropout.
    pub hidden: Hidden,
}

impl Architecture for Vgg11 {
    fn build(&self, build: &mut Builder, input: [usize; 3], classes: usize) {
        let &Self { width, hidden } = self;
        let [mut channels, mut height, mut columns] = input;
        let modules = if hidden.batch_norm { 3 } else { 2 };
        let mut module = 0;
        for (multiple, pool) in CONVOLUTIONS {
            let outputs = multiple * width;
            let filters = Filters::three_by_three(channels, outputs);
            let weight = Initial::he(filters.fan_in());
            build.conv(&format!("features.{module}"), filters, weight, Some(Initial::ZERO));
            hidden.batch_norm(build, &format!("features.{}", module + 1), outputs);
            hidden.activation(build);
            if pool && height > 1 && columns > 1 {
                build.max_pool();
                (height, columns) = (pooled(height), pooled(columns));
            }
            module += modules + usize::from(pool);
            channels = outputs;
        }
        let mut features = channels * height * columns;
        for name in ["classifier.0", "classifier.3"] {
            let outputs = HIDDEN * width;
            build.linear(name, [features, outputs], Initial::he(features), Initial::ZERO);
            hidden.activation(build);
            hidden.dropout(build);
            features = outputs;
        }
        build.default_linear("classifier.6", features, classes);
    }
}
