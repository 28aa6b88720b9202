//! Residual networks of basic blocks in their CIFAR forms.

use super::Initial;
use super::builder::Builder;
use super::conv::Filters;

/// What a shortcut does where a block changes the shape.
#[derive(Clone, Copy)]
enum Shortcut {
    /// conv 1×1 and batch norm?, as in torchvision (option B).
    Projection,
    /// Every second row and column, and zeros for the new channels (option A).
    Subsample,
}

/// Stages of equal blocks; each stage but the first halves the image and doubles the channels.
struct ResNet {
    stages: usize,
    blocks: usize,
    shortcut: Shortcut,
}

/// ResNet-18 for small images: a stem of stride 1 without a pool, four stages of two blocks.
pub(super) fn resnet18(build: &mut Builder, width: usize, channels: usize, classes: usize) {
    let network = ResNet {
        stages: 4,
        blocks: 2,
        shortcut: Shortcut::Projection,
    };
    network.build(build, width, channels, classes);
}

/// ResNet-20 of He et al. (2016), section 4.2: three stages of three blocks, shortcuts without parameters.
pub(super) fn resnet20(build: &mut Builder, width: usize, channels: usize, classes: usize) {
    let network = ResNet {
        stages: 3,
        blocks: 3,
        shortcut: Shortcut::Subsample,
    };
    network.build(build, width, channels, classes);
}

impl ResNet {
    /// Stem (conv 3×3, batch norm?, activation), blocks, global average pool, linear.
    fn build(&self, build: &mut Builder, width: usize, channels: usize, classes: usize) {
        let stem = Filters::three_by_three(channels, width);
        build.conv("conv1", stem, Initial::he(stem.fan_out()), bias(build));
        build.batch_norm("bn1", width);
        build.activation();
        let mut inputs = width;
        for stage in 0..self.stages {
            let outputs = width << stage;
            for block in 0..self.blocks {
                let filters = Filters {
                    stride: if stage > 0 && block == 0 { 2 } else { 1 },
                    ..Filters::three_by_three(inputs, outputs)
                };
                self.block(build, &format!("layer{}.{block}", stage + 1), filters);
                inputs = outputs;
            }
        }
        build.average();
        if build.settings.batch_norm {
            build.default_linear("fc", inputs, classes);
        } else {
            build.linear("fc", [inputs, classes], Initial::ZERO, Initial::ZERO);
        }
    }

    /// (conv 3×3, batch norm?, activation, dropout?, conv 3×3, batch norm?) + shortcut, then activation.
    ///
    /// Dropout stands where Zagoruyko and Komodakis (2016) put it.
    fn block(&self, build: &mut Builder, name: &str, first: Filters) {
        let outputs = first.outputs;
        let second = Filters::three_by_three(outputs, outputs);
        let [first_weight, second_weight] = self.branch_weights(build, first, second);
        let changes_shape = first.stride > 1 || first.inputs != outputs;
        build.residual(
            |build| {
                build.conv(&format!("{name}.conv1"), first, first_weight, bias(build));
                build.batch_norm(&format!("{name}.bn1"), outputs);
                build.activation();
                build.dropout();
                build.conv(&format!("{name}.conv2"), second, second_weight, bias(build));
                build.batch_norm(&format!("{name}.bn2"), outputs);
            },
            |build| match self.shortcut {
                _ if !changes_shape => {}
                Shortcut::Subsample => build.subsample(outputs),
                Shortcut::Projection => {
                    let filters = Filters { kernel: 1, ..first };
                    let weight = Initial::he(filters.fan_out());
                    build.conv(&format!("{name}.downsample.0"), filters, weight, bias(build));
                    build.batch_norm(&format!("{name}.downsample.1"), outputs);
                }
            },
        );
        build.activation();
    }

    /// He's distribution with batch norm; without it Fixup's (Zhang, Dauphin and Ma 2019).
    ///
    /// Fixup scales all but the last of a branch's m convolutions by L^(−1/(2m−2)), where L is the number of blocks and
    /// here m = 2, and begins the last at 0, so that an update of the parameters moves the outputs as much as it would in
    /// a network of few layers.
    fn branch_weights(&self, build: &Builder, first: Filters, second: Filters) -> [Initial; 2] {
        let [he_first, he_second] = [first, second].map(|filters| Initial::he(filters.fan_out()));
        if build.settings.batch_norm {
            return [he_first, he_second];
        }
        let blocks = (self.stages * self.blocks) as f64;
        [he_first.times(1.0 / blocks.sqrt()), Initial::ZERO]
    }
}

/// Convolutions have a bias where no batch norm follows them; it begins at 0.
fn bias(build: &Builder) -> Option<Initial> {
    (!build.settings.batch_norm).then_some(Initial::ZERO)
}
