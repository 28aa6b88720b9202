//! Dropout.

use burn::tensor::{Shape, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::footprint::{Holding, ImageShape, size};
use super::node::{LinearMap, Signal};

/// Sets each element to 0 with probability p and scales the others by 1/(1 − p).
///
/// Without `rng` dropout is off. The mask is drawn on the host, so that every back end drops the same units.
pub(super) fn drop_units(p: f64, rng: Option<&mut ChaCha8Rng>, x: Signal) -> (Signal, Point) {
    let mask = rng.map(|rng| mask(p, rng, &x));
    let point = Point { mask };
    (point.apply(x), point)
}

/// The mask is kept; without one x goes through as it is.
pub(super) fn holding(input: ImageShape, with_dropout: bool) -> Holding {
    Holding {
        remembered: if with_dropout { size(input) } else { 0 },
        is_identity: !with_dropout,
        ..Holding::nothing(input)
    }
}

/// Multiplication by a mask, or by one.
pub(super) struct Point {
    mask: Option<Signal>,
}

impl LinearMap for Point {
    fn apply(&self, x: Signal) -> Signal {
        match &self.mask {
            Some(mask) => x * mask.clone(),
            None => x,
        }
    }

    fn adjoint(&self, delta: Signal) -> Signal {
        self.apply(delta)
    }
}

fn mask(p: f64, rng: &mut ChaCha8Rng, like: &Signal) -> Signal {
    // A 32-bit draw below this is a dropped unit: an integer comparison gives the same mask on every machine.
    let dropped_below = (p * f64::from(u32::MAX)) as u32;
    let shape: Shape = like.shape();
    let kept: Vec<f32> = (0..shape.num_elements())
        .map(|_| if rng.next_u32() < dropped_below { 0.0 } else { 1.0 })
        .collect();
    Tensor::from_data(TensorData::new(kept, shape), (&like.device(), like.dtype())) * (1.0 / (1.0 - p))
}
