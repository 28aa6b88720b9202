//! What a pass through a network gives.

use sharptui::config::{Activation, Loss, Model};
use sharptui::model::{Examples, Network, Normalization, Parts, Pass};

use crate::problem::settings;
use crate::vectors::{numbers, tensor};

#[test]
fn tanh_is_right_to_the_rounding_of_one_and_saturates() {
    let model = Model::Mlp { widths: vec![1] };
    let network = Network::new(
        &settings(model, Activation::Tanh, false, Loss::SquaredError),
        [1, 1, 1],
        2,
    );
    // fc1 passes its input on, and the first output is the hidden unit.
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
