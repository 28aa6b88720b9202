//! VGG-11, configuration A of Simonyan and Zisserman (2015), in the form in use for CIFAR.

use super::Initial;
use super::builder::Builder;
use super::conv::Filters;
use super::pool::pooled;

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

/// (conv 3×3, batch norm?, activation, pool 2×2?) eight times, (linear, activation, dropout?) twice, then linear.
///
/// Weights begin as normal numbers of variance 2/fan-in: with torchvision's 2/fan-out each doubling of the channels halves
/// the signal's variance, and without batch norm training stands still two to three times as long.
///
/// A pool is left out where the image has a single row or column. Names are those of torchvision's `vgg11` and
/// `vgg11_bn`, which number every module, present or not.
pub(super) fn vgg11(build: &mut Builder, width: usize, input: [usize; 3], classes: usize) {
    let [mut channels, mut height, mut columns] = input;
    let modules = if build.settings.batch_norm { 3 } else { 2 };
    let mut module = 0;
    for (multiple, pool) in CONVOLUTIONS {
        let outputs = multiple * width;
        let filters = Filters::three_by_three(channels, outputs);
        let weight = Initial::he(filters.fan_in());
        build.conv(&format!("features.{module}"), filters, weight, Some(Initial::ZERO));
        build.batch_norm(&format!("features.{}", module + 1), outputs);
        build.activation();
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
        build.activation();
        build.dropout();
        features = outputs;
    }
    build.default_linear("classifier.6", features, classes);
}
