//! The count of numbers that a network holds while it computes. It serves to predict memory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::holding::{ImageShape, Keeps, size};
use super::network::Network;

/// The count of numbers that a network holds for each example in a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Numbers that the layers keep until the gradient is computed.
    pub remembered: u64,
    /// Numbers of δ of every layer's output, which a linearization keeps.
    pub derivatives: u64,
    /// Numbers that a Hessian-vector product keeps between its forward and its backward half.
    pub tangents: u64,
    /// The largest count of temporary numbers in the backward pass.
    pub passing: u64,
    /// The largest count of temporary numbers in a pass that computes only outputs.
    pub evaluating: u64,
}

/// A tensor between layers: its identifier and its shape.
#[derive(Clone, Copy)]
struct Flow {
    tensor: usize,
    shape: ImageShape,
}

impl Network {
    /// Returns a lower bound of the numbers that the network holds for each example, with or without dropout.
    ///
    /// It counts the tensors that layers declare, and the temporaries that every back end needs. A tensor that several
    /// layers keep counts once. The images are not counted.
    pub fn footprint(&self, with_dropout: bool) -> Footprint {
        let count = Cell::new(1);
        let fresh = || count.replace(count.get() + 1);
        let (kept, kept_tangents) = (RefCell::new(BTreeMap::new()), RefCell::new(BTreeMap::new()));
        let mut held = Footprint::default();
        let mut layer = |index: usize, x: Flow| {
            let holding = self.layers()[index].holding(self.layout(), x.shape, with_dropout);
            let tensor = if holding.is_identity { x.tensor } else { fresh() };
            let y = Flow {
                tensor,
                shape: holding.output,
            };
            for (kept, keeps) in [(&kept, holding.keeps), (&kept_tangents, holding.tangent_keeps)] {
                let flow = match keeps {
                    Keeps::Neither => continue,
                    Keeps::Input => x,
                    Keeps::Output => y,
                };
                kept.borrow_mut().insert(flow.tensor, size(flow.shape));
            }
            let (input, output) = (size(x.shape), size(y.shape));
            held.remembered += holding.remembered as u64;
            held.tangents += holding.tangents as u64;
            if !holding.is_identity {
                held.derivatives += output as u64;
            }
            held.passing = held.passing.max((input + output + holding.passing) as u64);
            held.evaluating = held.evaluating.max((input + output + holding.remembered) as u64);
            y
        };
        let sum = |y: Flow, _: Flow| Flow { tensor: fresh(), ..y };
        let images = Flow {
            tensor: 0,
            shape: self.input(),
        };
        self.wiring().forward(images, &mut layer, &sum);
        let sizes = |kept: RefCell<BTreeMap<usize, usize>>| -> u64 {
            // The images have no tangent, and they are in memory anyway.
            let kept = kept.into_inner().into_iter().filter(|(tensor, _)| *tensor != 0);
            kept.map(|(_, size)| size as u64).sum()
        };
        held.remembered += sizes(kept);
        held.tangents += sizes(kept_tangents);
        held
    }
}
