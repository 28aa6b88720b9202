//! Dropout.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::model::holding::{Holding, ImageShape, size};
use crate::model::layer::Layer;
use crate::model::node::{LinearMap, Node, Signal};
use crate::model::parameters::{Layout, Parts};
use crate::model::pass::Pass;
use crate::tensor::upload_bytes;

/// Dropout: if the pass has dropout, each element becomes 0 with probability p, and the others are scaled by 1/(1 − p).
///
/// The mask is drawn on the host, so that every back end drops the same units.
#[derive(Clone, Copy)]
pub(crate) struct Dropout {
    pub(crate) p: f64,
}

impl Layer for Dropout {
    fn forward(&self, _: &Parts, x: Signal, pass: &mut Pass) -> (Signal, Box<dyn Node>) {
        let mask = pass.dropout.as_deref_mut().map(|rng| mask(self.p, rng, &x));
        let point = Point { mask };
        (point.apply(x), Box::new(point))
    }

    /// Declares that the mask is kept. Without dropout the output is x itself.
    fn holding(&self, _: &Layout, input: ImageShape, with_dropout: bool) -> Holding {
        Holding {
            remembered: if with_dropout { size(input) } else { 0 },
            is_identity: !with_dropout,
            ..Holding::nothing(input)
        }
    }
}

/// Multiplication by a mask, or by 1.
struct Point {
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
    // A unit is dropped if its 32-bit draw is below this: an integer comparison gives the same mask on every machine.
    let dropped_below = (p * f64::from(u32::MAX)) as u32;
    let shape = like.dims();
    let kept: Vec<u8> = (0..shape.iter().product())
        .map(|_| u8::from(rng.next_u32() >= dropped_below))
        .collect();
    upload_bytes(&kept, shape, like) * (1.0 / (1.0 - p))
}
