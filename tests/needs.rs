//! What a cell is said to need of memory, against the same worked out by hand.

#![allow(clippy::unwrap_used)] // Clippy takes the helpers of these tests for something else.

use std::path::Path;

use sharptui::config::Experiment;
use sharptui::setup;
use sharptui::train::{Moment, Needs, needs};

/// Parameters of one hidden layer of eight units on images of 28×28 in ten classes.
const PARAMETERS: u64 = 784 * 8 + 8 + 8 * 10 + 10;

/// What such a cell needs with 300 training and 50 test examples, and what its network holds of an example: what a linearization
/// keeps, what a product takes in one pass, and what a step takes.
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
    // Ten images of the first probe are copied, since there are more; the second is all of them.
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
            // The only image of the probe is copied, too.
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
