//! Tests of the outputs of a forward pass.

use burn::tensor::DType;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sharpness::model::{Activation, Examples, Loss, Network, Normalization, Parts, Pass};

use super::problem::{Model, settings};
use super::vectors::{device, normal, numbers, tensor};

#[test]
fn tanh_is_right_to_the_rounding_of_one_and_saturates() {
    let model = Model::Mlp { widths: vec![1] };
    let network = Network::new(
        &settings(model, Activation::Tanh, false, Loss::SquaredError),
        [1, 1, 1],
        2,
    );
    // fc1 returns its input, and the first output is the hidden unit.
    let parameters = tensor(&[1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    let pixels = [
        -1e3,
        -20.0,
        -1.5,
        -1e-3,
        0.0,
        1e-9,
        0.1,
        0.7,
        3.0,
        19.0,
        400.0,
        f32::INFINITY,
        f32::NAN,
    ];
    let (device, dtype) = (parameters.device(), parameters.dtype());
    let examples = Examples::upload(&pixels, &[0; 13], 2, &device, dtype);
    let mut pass = Pass {
        dropout: None,
        normalization: Normalization::Running,
        running: &mut [],
        observe: false,
    };
    let outputs = network.forward(&Parts::of(network.layout(), &parameters), examples.images, &mut pass);
    for (x, row) in pixels.iter().zip(numbers(&outputs).chunks(2)) {
        let (x, y) = (f64::from(*x), row[0]);
        let off = (y - x.tanh()).abs();
        assert!(
            off <= 4.0 * f64::EPSILON || x.is_nan() && y.is_nan(),
            "{y} instead of tanh {x}"
        );
    }
}

#[test]
fn dropout_draws_for_every_unit_of_the_places_where_the_literature_has_it() {
    // Numbers for each example, on images of 8×8: two hidden layers of VGG-11's classifier; the first convolution of
    // every block.
    let resnet18 = 2 * (64 + 2 * 16 + 4 * 4 + 8);
    let resnet20 = 3 * (64 + 2 * 16 + 4 * 4);
    for (model, expected) in [
        (Model::Vgg11 { width: 2 }, 2 * 16),
        (Model::ResNet18 { width: 1 }, resnet18),
        (Model::ResNet20 { width: 1 }, resnet20),
    ] {
        let mut settings = settings(model.clone(), Activation::Relu, true, Loss::CrossEntropy);
        settings.hidden.dropout = 0.5;
        let network = Network::new(&settings, [1, 8, 8], 3);
        let (device, dtype) = (device(), DType::F64);
        let parameters = network.initial_parameters(0, &device, dtype);
        let pixels: Vec<f32> = normal(1, 5 * 64).iter().map(|&x| x as f32).collect();
        let examples = Examples::upload(&pixels, &[0, 1, 2, 0, 1], 3, &device, dtype);
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut pass = Pass {
            dropout: Some(&mut rng),
            normalization: Normalization::Batch,
            running: &mut network.initial_statistics(&device, dtype),
            observe: false,
        };
        let _ = network.forward(&Parts::of(network.layout(), &parameters), examples.images, &mut pass);
        assert_eq!(rng.get_word_pos(), 5 * expected, "{model:?}");
    }
}
