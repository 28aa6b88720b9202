//! Creates the network, loss, optimizer and learning rates of a cell from its settings.

use burn::tensor::DType;
use sharpness::model::{self, Architecture, Cnn, Hidden, Mlp, Network, ResNet18, ResNet20, Vgg11};
use sharpness::optimizer::{Adam, AdamW, GradientDescent, HeavyBall, Moments, Nesterov, Optimizer, RmsProp, Sam};
use sharpness::schedule::{self, Constant, Cosine, Shape, Steps};

use crate::config::{self, Activation, Loss, Model, Precision, Schedule, Settings};
use crate::event::Threshold;

/// Returns the network of `settings` for images of shape `input` [channels, height, width].
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

/// Returns the loss of `settings`, averaged over examples.
pub fn loss(settings: &Settings) -> model::Loss {
    match settings.loss {
        Loss::CrossEntropy => model::Loss::CrossEntropy,
        Loss::SquaredError => model::Loss::SquaredError,
    }
}

/// Returns the optimizer of `settings`, before its first step.
pub fn optimizer(settings: &Settings) -> Box<dyn Optimizer> {
    let weight_decay = settings.weight_decay;
    let momentum = settings.momentum;
    let base: Box<dyn Optimizer> = match settings.optimizer {
        config::Optimizer::Sgd if momentum == 0.0 => Box::new(GradientDescent { weight_decay }),
        config::Optimizer::Sgd => Box::new(HeavyBall::new(momentum, weight_decay)),
        config::Optimizer::Nesterov => Box::new(Nesterov::new(momentum, weight_decay)),
        config::Optimizer::RmsProp { alpha, eps } => Box::new(RmsProp::new(alpha, eps, momentum, weight_decay)),
        config::Optimizer::Adam { beta1, beta2, eps } => {
            Box::new(Adam::new(Moments { beta1, beta2, eps }, weight_decay))
        }
        config::Optimizer::AdamW { beta1, beta2, eps } => {
            Box::new(AdamW::new(Moments { beta1, beta2, eps }, weight_decay))
        }
    };
    if settings.rho > 0.0 {
        Box::new(Sam::new(settings.rho, base))
    } else {
        base
    }
}

/// Returns the properties of the stability threshold that are known before the first step.
pub fn threshold(settings: &Settings) -> Threshold {
    let optimizer = optimizer(settings);
    let weight_decay = optimizer.weight_decay();
    let is_preconditioned = optimizer.is_preconditioned();
    Threshold {
        formula: optimizer.threshold_formula(),
        edge_formula: optimizer.edge_formula(),
        meaning: optimizer.edge_meaning().to_owned(),
        weight_decay,
        is_inverse_in_rate: optimizer.edge_is_inverse_in_rate() && (is_preconditioned || weight_decay == 0.0),
        is_preconditioned,
        is_unknown: !optimizer.has_edge(),
    }
}

/// Returns the floating-point format of a cell's tensors.
pub fn dtype(settings: &Settings) -> DType {
    match settings.precision {
        Precision::F32 => DType::F32,
        Precision::F64 => DType::F64,
    }
}

/// Returns the learning-rate schedule of `settings`.
pub fn schedule(settings: &Settings) -> schedule::Schedule {
    let shape: Box<dyn Shape> = match settings.schedule {
        Schedule::Constant => Box::new(Constant),
        Schedule::Step { every, factor } => Box::new(Steps {
            every: settings.in_steps(every),
            factor,
        }),
        Schedule::Cosine { to } => Box::new(Cosine { to }),
    };
    schedule::Schedule {
        shape,
        warm_up: settings.warm_up_steps(),
        planned: settings.planned_steps(),
    }
}
