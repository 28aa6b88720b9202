//! What a cell's settings ask of the library: its network and its loss.

use sharpness::model::{self, Architecture, Cnn, Hidden, Mlp, Network, ResNet18, ResNet20, Vgg11};

use crate::config::{Activation, Loss, Model, Settings};

/// The network of `settings` for images of shape `input` [channels, height, width].
pub fn network(settings: &Settings, input: [usize; 3], classes: usize) -> Network {
    let hidden = Hidden {
        activation: match settings.activation {
            Activation::Relu => model::Activation::Relu,
            Activation::Tanh => model::Activation::Tanh,
        },
        batch_norm: settings.batch_norm,
        dropout: settings.dropout,
    };
    let architecture: &dyn Architecture = match &settings.model {
        Model::Mlp { widths } => &Mlp {
            widths: widths.clone(),
            hidden,
        },
        &Model::Cnn {
            channels: (first, second),
        } => &Cnn {
            channels: [first, second],
            hidden,
        },
        &Model::Vgg11 { width } => &Vgg11 { width, hidden },
        &Model::ResNet18 { width } => &ResNet18 { width, hidden },
        &Model::ResNet20 { width } => &ResNet20 { width, hidden },
    };
    Network::new(architecture, input, classes)
}

/// The loss of `settings`, averaged over examples.
pub fn loss(settings: &Settings) -> model::Loss {
    match settings.loss {
        Loss::CrossEntropy => model::Loss::CrossEntropy,
        Loss::SquaredError => model::Loss::SquaredError,
    }
}
