//! Residual networks of basic blocks in their CIFAR forms.

use crate::model::architecture::{Architecture, Hidden};
use crate::model::builder::Builder;
use crate::model::initial::Initial;
use crate::model::layers::Filters;

/// The shortcut of a block that changes the shape.
#[derive(Clone, Copy)]
enum Shortcut {
    /// conv 1×1 and batch norm?, as in torchvision (option B).
    Projection,
    /// Every second row and column, and zeros for the new channels (option A).
    Subsample,
}

/// Stages of equal blocks. Each stage after the first halves the image and doubles the channels.
struct ResNet {
    stages: usize,
    blocks: usize,
    shortcut: Shortcut,
    /// Channels of the first stage.
    width: usize,
    hidden: Hidden,
}

/// ResNet-18 (He et al. 2016): torchvision's `resnet18` with a stem for small images.
///
/// Conv 3×3 `conv1` of stride 1, batch norm? `bn1`, activation, no pool; `layer1` to `layer4` of two blocks with w, 2w,
/// 4w and 8w channels; the mean over each image; linear `fc`. A block `layer2.0` is conv 3×3 `conv1`, batch norm?
/// `bn1`, activation, dropout?, conv 3×3 `conv2`, batch norm? `bn2`, plus its input, then activation. The first block
/// of `layer2` to `layer4` has stride 2 in `conv1`, and its input goes through conv 1×1 `downsample.0` of stride 2 and
/// batch norm? `downsample.1`. `?` marks an optional layer. Convolutions have biases only without batch norm.
///
/// Initial weights are normal with mean 0 and variance 2/fan-out (He et al. 2015), as in torchvision; the last layer
/// has PyTorch's default. Without batch norm, the initial weights are those of Fixup (Zhang, Dauphin and Ma 2019): in
/// each branch, the first convolution has He's weights divided by √L for L blocks, and the last convolution is 0. The
/// last layer of the network is 0, too. The biases of the convolutions replace Fixup's scalar biases; its scalar
/// multipliers are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct ResNet18 {
    /// w: channels of the first stage; 64 in the paper.
    pub width: usize,
    /// The operations after each convolution; dropout comes between the two convolutions of a block.
    pub hidden: Hidden,
}

impl Architecture for ResNet18 {
    fn build(&self, build: &mut Builder, [channels, _, _]: [usize; 3], classes: usize) {
        let network = ResNet {
            stages: 4,
            blocks: 2,
            shortcut: Shortcut::Projection,
            width: self.width,
            hidden: self.hidden,
        };
        network.build(build, channels, classes);
    }
}

/// ResNet-20 (He et al. 2016, section 4.2): as [`ResNet18`], with `layer1` to `layer3` of three blocks, of w, 2w and 4w
/// channels.
///
/// Where the shape changes, the input x of c channels becomes `F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, c))`, which has
/// no parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ResNet20 {
    /// w: channels of the first stage; 16 in the paper.
    pub width: usize,
    /// The operations after each convolution; dropout comes between the two convolutions of a block.
    pub hidden: Hidden,
}

impl Architecture for ResNet20 {
    fn build(&self, build: &mut Builder, [channels, _, _]: [usize; 3], classes: usize) {
        let network = ResNet {
            stages: 3,
            blocks: 3,
            shortcut: Shortcut::Subsample,
            width: self.width,
            hidden: self.hidden,
        };
        network.build(build, channels, classes);
    }
}

impl ResNet {
    /// Adds the stem (conv 3×3, batch norm?, activation), the blocks, global average pooling, and the linear layer.
    fn build(&self, build: &mut Builder, channels: usize, classes: usize) {
        let &Self { width, hidden, .. } = self;
        let stem = Filters::three_by_three(channels, width);
        build.conv("conv1", stem, Initial::he(stem.fan_out()), self.bias());
        hidden.batch_norm(build, "bn1", width);
        hidden.activation(build);
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
        if self.hidden.batch_norm {
            build.default_linear("fc", inputs, classes);
        } else {
            build.linear("fc", [inputs, classes], Initial::ZERO, Initial::ZERO);
        }
    }

    /// Adds a block: (conv 3×3, batch norm?, activation, dropout?, conv 3×3, batch norm?) + shortcut, then activation.
    ///
    /// Dropout is placed as in Zagoruyko and Komodakis (2016).
    fn block(&self, build: &mut Builder, name: &str, first: Filters) {
        let hidden = self.hidden;
        let outputs = first.outputs;
        let second = Filters::three_by_three(outputs, outputs);
        let [first_weight, second_weight] = self.branch_weights(first, second);
        let changes_shape = first.stride > 1 || first.inputs != outputs;
        build.residual(
            |build| {
                build.conv(&format!("{name}.conv1"), first, first_weight, self.bias());
                hidden.batch_norm(build, &format!("{name}.bn1"), outputs);
                hidden.activation(build);
                hidden.dropout(build);
                build.conv(&format!("{name}.conv2"), second, second_weight, self.bias());
                hidden.batch_norm(build, &format!("{name}.bn2"), outputs);
            },
            |build| match self.shortcut {
                _ if !changes_shape => {}
                Shortcut::Subsample => build.subsample(outputs),
                Shortcut::Projection => {
                    let filters = Filters { kernel: 1, ..first };
                    let weight = Initial::he(filters.fan_out());
                    build.conv(&format!("{name}.downsample.0"), filters, weight, self.bias());
                    hidden.batch_norm(build, &format!("{name}.downsample.1"), outputs);
                }
            },
        );
        hidden.activation(build);
    }

    /// Returns the initial weights of a branch: He's with batch norm, Fixup's (Zhang, Dauphin and Ma 2019) without.
    ///
    /// Fixup scales all but the last of a branch's m convolutions by L^(−1/(2m−2)), where L is the number of blocks and
    /// here m = 2. The last convolution is 0 at first. An update of the parameters then moves the outputs as much as it
    /// would in a network of few layers.
    fn branch_weights(&self, first: Filters, second: Filters) -> [Initial; 2] {
        let [he_first, he_second] = [first, second].map(|filters| Initial::he(filters.fan_out()));
        if self.hidden.batch_norm {
            return [he_first, he_second];
        }
        let blocks = (self.stages * self.blocks) as f64;
        [he_first.times(1.0 / blocks.sqrt()), Initial::ZERO]
    }

    /// Returns the initial bias, 0, if no batch norm follows the convolutions; with batch norm they have no bias.
    fn bias(&self) -> Option<Initial> {
        (!self.hidden.batch_norm).then_some(Initial::ZERO)
    }
}
