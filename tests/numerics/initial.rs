//! The initial parameters.

use burn::tensor::DType;
use sharptui::config::{Activation, Loss, Model};
use sharptui::model::Network;

use crate::problem::settings;
use crate::vectors::{device, numbers};

fn network(model: Model) -> Network {
    let settings = settings(model, Activation::Relu, true, Loss::CrossEntropy);
    Network::new(&settings, [3, 12, 12], 10)
}

fn initial(network: &Network, seed: u64) -> Vec<f64> {
    numbers(&network.initial_parameters(seed, &device(), DType::F64))
}

#[test]
fn initial_weights_and_biases_are_uniform_within_one_over_the_root_of_the_fan_in() {
    let mlp = network(Model::Mlp { widths: vec![200, 100] });
    let cnn = network(Model::Cnn { channels: (16, 32) });
    let fan_ins = [("fc1", 432.0), ("fc2", 200.0), ("fc3", 100.0)];
    let convolutional = [("conv1", 27.0), ("conv2", 144.0), ("fc", 288.0)];
    for (network, fan_ins) in [(mlp, fan_ins), (cnn, convolutional)] {
        let values = initial(&network, 1);
        for entry in network.layout().entries() {
            let values = &values[entry.offset..entry.offset + entry.len()];
            let (layer, kind) = entry.name.split_once('.').unwrap();
            let Some((_, fan_in)) = fan_ins.iter().find(|(name, _)| *name == layer) else {
                let constant = if kind == "weight" { 1.0 } else { 0.0 };
                assert!(values.iter().all(|&x| x == constant), "{}", entry.name);
                continue;
            };
            let bound = 1.0 / f64::sqrt(*fan_in);
            assert!(values.iter().all(|x| x.abs() <= bound), "{}", entry.name);
            // The mean of n has the deviation bound/√(3n), the mean of squares about bound²·0.3/√n: within 5 of them.
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let square = values.iter().map(|x| x * x).sum::<f64>() / n;
            assert!(
                mean.abs() < 5.0 * bound / (3.0 * n).sqrt(),
                "{}: mean {mean}",
                entry.name
            );
            let off = square / (bound * bound) - 1.0 / 3.0;
            assert!(
                off.abs() < 5.0 * 0.3 / n.sqrt(),
                "{}: variance off by {off}",
                entry.name
            );
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
    let network = network(Model::Cnn { channels: (4, 8) });
    let bits = |seed| initial(&network, seed).iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(7), bits(7));
    let (one, other) = (bits(7), bits(8));
    let conv1 = network.layout().entries()[0].len();
    assert!(one[..conv1].iter().zip(&other).all(|(a, b)| a != b));
}

#[test]
fn float32_parameters_are_the_rounded_float64_ones() {
    let network = network(Model::Mlp { widths: vec![20] });
    let single = numbers(&network.initial_parameters(5, &device(), DType::F32));
    let double = initial(&network, 5);
    assert!(single.iter().zip(double).all(|(&s, d)| s == f64::from(d as f32)));
}
