//! Tests of the initial parameters.

use burn::tensor::DType;
use sharpness::model::{Activation, Loss, Network};

use super::problem::{Model, settings};
use super::vectors::{device, numbers};

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
            // The mean of n numbers has the standard deviation bound/√(3n), the mean of squares about bound²·0.3/√n.
            // Each must be within 5 of its standard deviations.
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

/// Returns the standard deviation of one parameter's numbers around 0, and whether all of them are 0.
fn spread(network: &Network, values: &[f64], name: &str) -> (f64, bool) {
    let entry = network.layout().entries().iter().find(|entry| entry.name == name);
    let entry = entry.unwrap_or_else(|| panic!("there is no parameter {name}"));
    let values = &values[entry.offset..entry.offset + entry.len()];
    let square = values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64;
    (square.sqrt(), values.iter().all(|&x| x == 0.0))
}

/// Asserts that the deviation of normal numbers is within 5 of its own standard errors, each 1/√(2n) of it.
fn assert_deviation(network: &Network, values: &[f64], name: &str, expected: f64) {
    let count = network
        .layout()
        .entries()
        .iter()
        .find(|e| e.name == name)
        .unwrap()
        .len() as f64;
    let (deviation, _) = spread(network, values, name);
    let off = deviation / expected - 1.0;
    assert!(
        off.abs() < 5.0 / (2.0 * count).sqrt(),
        "{name}: {deviation} instead of {expected}"
    );
}

/// The expected variances 2/fan are computed by hand for width 16 and images of 3 channels: fan-in for VGG, fan-out for
/// ResNet.
#[test]
fn deep_networks_begin_with_hes_distribution_and_biases_of_zero() {
    let vgg = network(Model::Vgg11 { width: 16 });
    let values = initial(&vgg, 2);
    for (name, fan) in [
        ("features.0.weight", 3 * 9),
        ("features.4.weight", 16 * 9),
        ("features.25.weight", 128 * 9),
        ("classifier.0.weight", 128),
        ("classifier.3.weight", 128),
    ] {
        assert_deviation(&vgg, &values, name, (2.0 / f64::from(fan)).sqrt());
    }
    for name in [
        "features.0.bias",
        "features.25.bias",
        "classifier.0.bias",
        "classifier.3.bias",
    ] {
        assert!(spread(&vgg, &values, name).1, "{name}");
    }
    let bound = 1.0 / f64::sqrt(128.0);
    let last = vgg
        .layout()
        .entries()
        .iter()
        .find(|e| e.name == "classifier.6.weight")
        .unwrap();
    let last = &values[last.offset..last.offset + last.len()];
    assert!(last.iter().all(|x| x.abs() <= bound) && last.iter().any(|x| x.abs() > 0.99 * bound));

    for (model, deepest, fan) in [
        (Model::ResNet18 { width: 16 }, "layer4.1.conv2.weight", 128 * 9),
        (Model::ResNet20 { width: 16 }, "layer3.2.conv2.weight", 64 * 9),
    ] {
        let network = network(model);
        let values = initial(&network, 2);
        assert_deviation(&network, &values, "conv1.weight", (2.0_f64 / 144.0).sqrt());
        assert_deviation(&network, &values, deepest, (2.0 / f64::from(fan)).sqrt());
        assert!(
            network
                .layout()
                .entries()
                .iter()
                .all(|e| !e.name.ends_with("conv1.bias"))
        );
    }
}

#[test]
fn residual_networks_without_batch_norm_begin_as_fixup_says() {
    for (model, blocks) in [
        (Model::ResNet18 { width: 16 }, 8.0),
        (Model::ResNet20 { width: 16 }, 9.0),
    ] {
        let settings = settings(model, Activation::Relu, false, Loss::CrossEntropy);
        let network = Network::new(&settings, [3, 12, 12], 10);
        let values = initial(&network, 3);
        assert_deviation(&network, &values, "conv1.weight", (2.0_f64 / 144.0).sqrt());
        let first = (2.0_f64 / (32.0 * 9.0)).sqrt() / f64::sqrt(blocks);
        assert_deviation(&network, &values, "layer2.0.conv1.weight", first);
        for entry in network.layout().entries() {
            let zero = entry.name.ends_with("bias") || entry.name.contains("conv2") || entry.name.starts_with("fc");
            assert_eq!(spread(&network, &values, &entry.name).1, zero, "{}", entry.name);
        }
        if blocks == 8.0 {
            assert_deviation(
                &network,
                &values,
                "layer3.0.downsample.0.weight",
                (2.0_f64 / 64.0).sqrt(),
            );
        }
    }
}

#[test]
fn full_width_networks_have_as_many_parameters_as_their_pytorch_counterparts() {
    // The counts of torchvision's feature extractors and blocks, and of Idelbayev's ResNet-20: 9,220,480 for vgg11's
    // features, followed by 512-512-512-10; 11,173,962 and 269,722 with 3 channels and 10 classes.
    let classifier = 2 * (512 * 512 + 512) + 512 * 10 + 10;
    for (model, batch_norm, expected) in [
        (Model::Vgg11 { width: 64 }, false, 9_220_480 + classifier),
        (Model::Vgg11 { width: 64 }, true, 9_225_984 + classifier),
        (Model::ResNet18 { width: 64 }, true, 11_173_962),
        (Model::ResNet20 { width: 16 }, true, 269_722),
    ] {
        let settings = settings(model.clone(), Activation::Relu, batch_norm, Loss::CrossEntropy);
        let network = Network::new(&settings, [3, 32, 32], 10);
        assert_eq!(network.layout().len(), expected, "{model:?}");
    }
}
