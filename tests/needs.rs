//! The estimated memory of a cell, compared with the same numbers written out.

#![allow(clippy::unwrap_used)] // Clippy allows it in tests, but not in their helpers.

use std::path::Path;

use sharptui::config::Experiment;
use sharptui::setup;
use sharptui::train::{Moment, Needs, needs};

/// The number of parameters of a network with one hidden layer of eight units, for images of 28×28 in ten classes.
const PARAMETERS: u64 = 784 * 8 + 8 + 8 * 10 + 10;

/// Returns the needs of a cell with this network, 300 training and 50 test examples, and the sizes that its network
/// holds per example: those that a linearization keeps, those of one pass of a product, and those of a step.
fn of(rest: &str) -> (Needs, [u64; 3]) {
    let text = format!(
        "(model: Mlp(widths: [8]), learning_rate: 0.01, train_examples: 300, test_examples: 50, steps: 1, {rest})"
    );
    let experiment = Experiment::parse(&text, Path::new("needs.ron")).unwrap();
    let settings = &experiment.cells[0].settings;
    let network = setup::network(settings, [1, 28, 28], 10);
    let held = network.footprint(false);
    let of_an_example = [
        held.remembered + held.derivatives,
        held.tangents + held.passing,
        held.remembered + held.passing,
    ];
    (needs(settings, &network, 4), of_an_example)
}

#[test]
fn a_measurement_needs_basis_images_and_kept_vectors_and_activations_of_its_probe() {
    let probes = "batch_size: 50, probes: [(examples: 10), (from: Training, examples: 300)]";
    // The ten images of the first probe are copied, because they are a part of the split. The second probe is the whole
    // split.
    let copied = 10 * 784;
    for (rest, basis, kept, at_once) in [
        ("lambda_max_products: 6", 6, 300, 300),
        ("lambda_max_products: 40", 16, 300, 300),
        ("lambda_max_products: 6, chunk_size: 300", 6, 300, 300),
        ("lambda_max_products: 6, chunk_size: 299", 6, 299, 299),
        ("lambda_max_products: 6, chunk_size: 100", 6, 100, 100),
    ] {
        let (needs, [linearized, passed, _]) = of(&format!("{rest}, {probes}"));
        let vectors = 8 + 9 + 2 * basis + 2 * 6;
        let activations = kept * linearized + at_once * passed;
        let expected = Needs {
            bytes: 4 * (vectors * PARAMETERS + activations + copied),
            activation_bytes: 4 * activations,
            moment: Moment::Measurement(1),
            vectors,
            examples: kept as usize,
            set_by: "chunk_size",
        };
        assert_eq!(needs, expected, "{rest}");
    }
}

#[test]
fn a_step_needs_its_batch_and_the_activations_of_a_chunk_of_it() {
    let small = "lambda_max_products: 2, probes: [(examples: 1)]";
    for (rest, batch, examples, copied) in [
        ("batch_size: 299", 299, 299, 299 * 784),
        ("batch_size: 299, chunk_size: 200", 299, 200, 299 * 784),
    ] {
        let (needs, [_, _, stepped]) = of(&format!("{rest}, {small}"));
        let activations = examples * stepped + copied;
        let expected = Needs {
            // The single image of the probe is copied, too.
            bytes: 4 * (10 * PARAMETERS + activations + 784),
            activation_bytes: 4 * activations,
            moment: Moment::Step,
            vectors: 4 + 6,
            examples: examples as usize,
            set_by: "chunk_size",
        };
        assert_eq!(needs, expected, "{rest}: a batch of {batch}");
    }
}

#[test]
fn what_the_optimizer_keeps_is_there_in_every_step_and_every_measurement() {
    let small = "lambda_max_products: 2, probes: [(examples: 1)], batch_size: 299";
    // The preconditioned sharpness has a track of its own.
    for (optimizer, kept) in [
        ("momentum: 0.0", 0),
        ("momentum: 0.9", 1),
        ("optimizer: Nesterov, momentum: 0.9", 1),
        ("optimizer: RmsProp()", 1 + 6),
        ("optimizer: RmsProp(), momentum: 0.9", 2 + 6),
        ("optimizer: AdamW(), rho: 0.1", 2 + 6),
    ] {
        let (needs, _) = of(&format!("{optimizer}, {small}"));
        assert_eq!(
            (needs.moment, needs.vectors),
            (Moment::Step, 4 + 6 + kept),
            "{optimizer}"
        );
    }
}
