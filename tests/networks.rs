//! Tests that the deep networks train, with and without batch norm, from their documented initializations.

#![allow(clippy::unwrap_used)] // Clippy does not see that the helpers here are test code.

use burn::tensor::{DType, Device};
use sharpness::model::{
    Architecture, Examples, Hidden, Loss, Network, Normalization, Pass, ResNet18, ResNet20, Vgg11,
    mean_loss_and_gradient,
};
use sharpness::optimizer::{HeavyBall, Optimizer, Step};
use sharptui::config::{Data, Extent, Selection, Subset};
use sharptui::data::Dataset;
use sharptui::device::{DeviceChoice, open};

const EXAMPLES: usize = 120;
const BATCH: usize = 20;
const SIDE: usize = 14;

/// Returns the first embedded images, with every second row and column only, to save time.
fn examples(device: &Device) -> Examples {
    let selection = Selection {
        data: Data::FashionMnistSubset,
        train: Extent::Count(EXAMPLES),
        test: Extent::Full,
        subset: Subset::First,
    };
    let data = Dataset::load(&selection, None).unwrap();
    let pixels: Vec<f32> = data
        .train
        .pixels
        .chunks(4 * SIDE)
        .flat_map(|rows| rows[..2 * SIDE].iter().step_by(2).copied())
        .collect();
    assert_eq!(pixels.len(), EXAMPLES * SIDE * SIDE);
    Examples::upload(&pixels, &data.train.labels, 10, device, DType::F32)
}

/// Trains with stochastic gradient descent with momentum 0.9 and returns the mean training loss of each epoch.
fn epoch_losses(architecture: &dyn Architecture, learning_rate: f64) -> Vec<f64> {
    let device = open(DeviceChoice::Flex).unwrap().device;
    let examples = examples(&device);
    let network = Network::new(architecture, [1, SIDE, SIDE], 10);
    let mut parameters = network.initial_parameters(0, &device, DType::F32);
    let mut running = network.initial_statistics(&device, DType::F32);
    let mut optimizer = HeavyBall::new(0.9, 0.0);
    let mut losses = Vec::new();
    for _ in 0..EPOCHS {
        let mut epoch = 0.0;
        for batch in examples.chunks(BATCH) {
            let mut pass = Pass {
                dropout: None,
                normalization: Normalization::Batch,
                running: &mut running,
                observe: true,
            };
            let (loss, gradient) =
                mean_loss_and_gradient(&network, Loss::CrossEntropy, &parameters, &batch, BATCH, &mut pass);
            epoch += loss.into_scalar::<f64>();
            parameters = optimizer.step(Step {
                parameters,
                gradient,
                learning_rate,
                gradient_at: &mut |_| unreachable!("a heavy ball takes one gradient"),
            });
        }
        losses.push(epoch * BATCH as f64 / EXAMPLES as f64);
    }
    losses
}

/// Epochs of six steps each.
const EPOCHS: usize = 14;

#[test]
fn every_deep_network_learns_within_some_dozens_of_steps_with_and_without_batch_norm() {
    // `share` is relative to the first epoch's loss, which is ln 10, as for guessing, or somewhat more.
    for (batch_norm, share) in [(false, 0.85), (true, 0.5)] {
        let hidden = Hidden {
            batch_norm,
            ..Hidden::default()
        };
        let architectures: [(&str, &dyn Architecture, f64); 3] = [
            ("VGG-11", &Vgg11 { width: 8, hidden }, 0.04),
            ("ResNet-18", &ResNet18 { width: 4, hidden }, 0.05),
            ("ResNet-20", &ResNet20 { width: 4, hidden }, 0.05),
        ];
        for (name, architecture, rate) in architectures {
            let losses = epoch_losses(architecture, rate);
            let (first, last) = (losses[0], losses[EPOCHS - 1]);
            assert!(first < 2.6, "{name}, batch norm {batch_norm}: {losses:.2?}");
            assert!(last < share * first, "{name}, batch norm {batch_norm}: {losses:.2?}");
        }
    }
}
