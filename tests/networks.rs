//! The deep networks train, with and without batch norm, from the initializations that they state.

#![allow(clippy::unwrap_used)] // Clippy takes the helpers of these tests for something else.

use std::path::Path;

use burn::tensor::{DType, Device};
use sharpness::model::{Examples, Normalization, Pass, loss_and_gradient};
use sharptui::config::{Experiment, Settings};
use sharptui::data::Dataset;
use sharptui::device::{DeviceChoice, open};
use sharptui::setup;

const EXAMPLES: usize = 120;
const BATCH: usize = 20;
const SIDE: usize = 14;

/// The first embedded images, of which every second row and column is taken to save time.
fn examples(settings: &Settings, device: &Device) -> Examples {
    let data = Dataset::load(settings.selection(), None).unwrap();
    let pixels: Vec<f32> = data
        .train
        .pixels
        .chunks(4 * SIDE)
        .flat_map(|rows| rows[..2 * SIDE].iter().step_by(2).copied())
        .collect();
    assert_eq!(pixels.len(), EXAMPLES * SIDE * SIDE);
    Examples::upload(&pixels, &data.train.labels, 10, device, DType::F32)
}

/// Training losses, a mean over each epoch of stochastic gradient descent with momentum 0.9.
fn epoch_losses(model: &str, batch_norm: bool, learning_rate: f64) -> Vec<f64> {
    let text = format!(
        "(train_examples: {EXAMPLES}, model: {model}, batch_norm: {batch_norm}, learning_rate: {learning_rate:?}, epochs: 1)"
    );
    let experiment = Experiment::parse(&text, Path::new("test.ron")).unwrap();
    let settings = &experiment.cells[0].settings;
    let device = open(DeviceChoice::Flex).unwrap().device;
    let examples = examples(settings, &device);
    let network = setup::network(settings, [1, SIDE, SIDE], 10);
    let mut parameters = network.initial_parameters(0, &device, DType::F32);
    let mut running = network.initial_statistics(&device, DType::F32);
    let mut velocity = parameters.zeros_like();
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
            let (loss, gradient) = loss_and_gradient(&network, setup::loss(settings), &parameters, &batch, &mut pass);
            epoch += loss.into_data_as::<f64>().iter::<f64>().sum::<f64>();
            velocity = velocity * 0.9 + gradient / BATCH as f64;
            parameters = parameters - velocity.clone() * learning_rate;
        }
        losses.push(epoch / EXAMPLES as f64);
    }
    losses
}

/// Six steps an epoch.
const EPOCHS: usize = 14;

#[test]
fn every_deep_network_learns_within_some_dozens_of_steps_with_and_without_batch_norm() {
    for (model, rate) in [
        ("Vgg11(width: 8)", 0.04),
        ("ResNet18(width: 4)", 0.05),
        ("ResNet20(width: 4)", 0.05),
    ] {
        // Of the first epoch's loss, ln 10 or somewhat more, which guessing has.
        for (batch_norm, share) in [(false, 0.85), (true, 0.5)] {
            let losses = epoch_losses(model, batch_norm, rate);
            let (first, last) = (losses[0], losses[EPOCHS - 1]);
            assert!(first < 2.6, "{model}, batch norm {batch_norm}: {losses:.2?}");
            assert!(last < share * first, "{model}, batch norm {batch_norm}: {losses:.2?}");
        }
    }
}
