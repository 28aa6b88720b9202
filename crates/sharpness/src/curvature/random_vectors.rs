//! Random vectors, from the numbers of the host, so that they are the same on every device.

use burn::tensor::{Element, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Returns a vector of independent random signs, scaled to the length `norm`.
///
/// As noise, signs are as good as normal numbers, and one draw gives 64 of them. On a small network, three vectors of
/// normal numbers took half as long as the products of a warm measurement.
pub(super) fn random_signs(rng: &mut ChaCha8Rng, like: &Tensor<1>, norm: f64) -> Tensor<1> {
    let [length] = like.dims();
    let scale = (norm / (length as f64).sqrt()) as f32;
    let mut values = vec![scale; length];
    for values in values.chunks_mut(64) {
        let bits = rng.next_u64();
        for (bit, value) in values.iter_mut().enumerate() {
            *value = if bits >> bit & 1 == 1 { scale } else { -scale };
        }
    }
    vector_like(values, like)
}

/// Returns a vector of independent normal numbers, scaled to a length of about 1.
pub(super) fn random_vector(rng: &mut ChaCha8Rng, like: &Tensor<1>) -> Tensor<1> {
    let [length] = like.dims();
    let scale = 1.0 / (length as f64).sqrt();
    let values = (0..length)
        .map(|_| {
            let x: f64 = StandardNormal.sample(rng);
            x * scale
        })
        .collect();
    vector_like(values, like)
}

/// Returns a vector of host values on the device and in the format of `like`.
fn vector_like<E: Element>(values: Vec<E>, like: &Tensor<1>) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), (&like.device(), like.dtype()))
}
