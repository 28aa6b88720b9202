//! Dropout.

use burn::tensor::{Shape, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::Dual;

/// Sets each element to 0 with probability p and scales the others by 1/(1 − p).
///
/// The mask is drawn on the host, so that every back end drops the same units. Tangent: the same mask.
pub(super) fn drop_units<const D: usize>(p: f64, rng: &mut ChaCha8Rng, x: Dual<D>) -> Dual<D> {
    let mask = mask(p, rng, &x.value);
    x.linear(|x| x * mask.clone())
}

fn mask<const D: usize>(p: f64, rng: &mut ChaCha8Rng, like: &Tensor<D>) -> Tensor<D> {
    // A 32-bit draw below this is a dropped unit: an integer comparison gives the same mask on every machine.
    let dropped_below = (p * f64::from(u32::MAX)) as u32;
    let shape: Shape = like.shape();
    let kept: Vec<f32> = (0..shape.num_elements())
        .map(|_| if rng.next_u32() < dropped_below { 0.0 } else { 1.0 })
        .collect();
    let device = like.device().inner();
    Tensor::from_data(TensorData::new(kept, shape), (&device, like.dtype())) * (1.0 / (1.0 - p))
}
