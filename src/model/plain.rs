//! Small networks without residual blocks: fully connected, and two convolutions.

use super::Initial;
use super::builder::Builder;
use super::conv::Filters;
use super::pool::pooled;

/// (linear, batch norm?, activation, dropout?) for each width, then linear.
pub(super) fn mlp(build: &mut Builder, widths: &[usize], input: [usize; 3], classes: usize) {
    let mut features = input.iter().product();
    for (index, &outputs) in widths.iter().enumerate() {
        build.default_linear(&format!("fc{}", index + 1), features, outputs);
        build.batch_norm(&format!("bn{}", index + 1), outputs);
        build.activation();
        build.dropout();
        features = outputs;
    }
    build.default_linear(&format!("fc{}", widths.len() + 1), features, classes);
}

/// (conv 3×3, batch norm?, activation, pool 2×2, dropout?) twice, then linear.
pub(super) fn cnn(build: &mut Builder, outputs: [usize; 2], input: [usize; 3], classes: usize) {
    let [mut channels, mut height, mut width] = input;
    for (index, outputs) in outputs.into_iter().enumerate() {
        let filters = Filters::three_by_three(channels, outputs);
        let initial = Initial::pytorch(filters.fan_in());
        build.conv(&format!("conv{}", index + 1), filters, initial, Some(initial));
        build.batch_norm(&format!("bn{}", index + 1), outputs);
        build.activation();
        build.max_pool();
        build.dropout();
        (channels, height, width) = (outputs, pooled(height), pooled(width));
    }
    build.default_linear("fc", channels * height * width, classes);
}
