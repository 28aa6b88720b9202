//! Dropout.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::footprint::{Holding, ImageShape, size};
use super::node::{LinearMap, Signal};
use super::upload_bytes;

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
    let shape = like.dims();
    let kept: Vec<u8> = (0..shape.iter().product())
        .map(|_| u8::from(rng.next_u32() >= dropped_below))
        .collect();
    upload_bytes(&kept, shape, like) * (1.0 / (1.0 - p))
}
