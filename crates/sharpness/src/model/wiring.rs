//! The connections between layers, and the forward and backward walks along them.

/// A chain of layers and residual blocks.
#[derive(Default)]
pub(super) struct Wiring(Vec<Link>);

enum Link {
    /// The layer with that index.
    Layer(usize),
    /// branch(x) + shortcut(x), where a shortcut without layers is x itself.
    Residual { branch: Wiring, shortcut: Wiring },
}

impl Wiring {
    /// Appends the layer with that index. Each layer is appended once, in the order of the indices.
    pub(super) fn layer(&mut self, index: usize) {
        self.0.push(Link::Layer(index));
    }

    /// Appends a residual block. Its branch has lower indices than its shortcut.
    pub(super) fn residual(&mut self, branch: Self, shortcut: Self) {
        self.0.push(Link::Residual { branch, shortcut });
    }

    /// Passes `x` forward through every layer, in the order of the layers' indices.
    ///
    /// `layer` returns a layer's output for its input; `add` returns the sum of a branch and its shortcut. Values and
    /// their tangents are computed by this walk.
    pub(super) fn forward<S: Clone>(&self, x: S, layer: &mut impl FnMut(usize, S) -> S, add: &impl Fn(S, S) -> S) -> S {
        self.0.iter().fold(x, |x, link| match link {
            Link::Layer(index) => layer(*index, x),
            Link::Residual { branch, shortcut } => {
                let y = branch.forward(x.clone(), layer, add);
                add(y, shortcut.forward(x, layer, add))
            }
        })
    }

    /// Passes `delta`, the derivative with respect to the output, backward through every layer, in reverse order.
    ///
    /// A sum passes δ to both of its terms, and the results of both are added. δ and its tangent are computed by this
    /// walk.
    pub(super) fn backward<S: Clone>(
        &self,
        delta: S,
        layer: &mut impl FnMut(usize, S) -> S,
        add: &impl Fn(S, S) -> S,
    ) -> S {
        self.0.iter().rev().fold(delta, |delta, link| match link {
            Link::Layer(index) => layer(*index, delta),
            Link::Residual { branch, shortcut } => {
                let through_shortcut = shortcut.backward(delta.clone(), layer, add);
                add(branch.backward(delta, layer, add), through_shortcut)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Layer 0; a block with branch 1, 2 and shortcut 3; a block with branch 4 and an empty shortcut.
    fn wiring() -> Wiring {
        let chain = |indices: &[usize]| {
            let mut chain = Wiring::default();
            for &index in indices {
                chain.layer(index);
            }
            chain
        };
        let mut wiring = chain(&[0]);
        wiring.residual(chain(&[1, 2]), chain(&[3]));
        wiring.residual(chain(&[4]), Wiring::default());
        wiring
    }

    #[test]
    fn layers_are_met_in_order_and_back_in_reverse() {
        let mut met = Vec::new();
        let mut back = Vec::new();
        wiring().forward((), &mut |index, ()| met.push(index), &|(), ()| ());
        wiring().backward((), &mut |index, ()| back.push(index), &|(), ()| ());
        assert_eq!(met, [0, 1, 2, 3, 4]);
        assert_eq!(back, [4, 3, 2, 1, 0]);
    }

    #[test]
    fn a_linear_walk_and_its_way_back_are_adjoint() {
        // Layers multiply by 2, 3, 5, 7, 11: 2·(3·5 + 7)·(11 + 1), both ways.
        let factors = [2, 3, 5, 7, 11];
        let add = |a: i32, b: i32| a + b;
        let forward = wiring().forward(1, &mut |index, x| x * factors[index], &add);
        let backward = wiring().backward(1, &mut |index, x| x * factors[index], &add);
        assert_eq!((forward, backward), (528, 528));
    }
}
