//! A convolution, padded by half its kernel, and its adjoints.

mod passes;
mod planes;
mod product;

use burn::tensor::{DType, Tensor};

use crate::number::Number;
use crate::tensors::{Seen, own, see};
use passes::Adjoint;
use planes::Geometry;

/// Returns Σ W ⋆ x over the `terms` (x, W), plus b: [examples, out, rows, columns].
///
/// x is [examples, in, height, width], W is [out, in, k, k] with odd k, and b is `[out]`. All terms have the same
/// shapes.
///
/// # Panics
///
/// If there are no terms.
pub fn convolve(terms: &[(&Tensor<4>, &Tensor<4>)], bias: Option<&Tensor<1>>, stride: usize) -> Tensor<4> {
    let (x, weight) = terms[0];
    let seen: Vec<(Seen, Seen)> = terms.iter().map(|(x, w)| (see(x), see(w))).collect();
    let bias = bias.map(see);
    let geometry = geometry(x, weight, stride);
    match seen[0].0.format() {
        DType::F64 => forward_of::<f64>(&geometry, &seen, bias.as_ref(), x),
        _ => forward_of::<f32>(&geometry, &seen, bias.as_ref(), x),
    }
}

fn forward_of<T: Number>(
    geometry: &Geometry,
    terms: &[(Seen, Seen)],
    bias: Option<&Seen>,
    like: &Tensor<4>,
) -> Tensor<4> {
    let terms: Vec<(&[T], &[T])> = terms.iter().map(|(x, w)| (x.numbers(), w.numbers())).collect();
    let y = passes::forward(geometry, &terms, bias.map(Seen::numbers));
    let [rows, columns] = geometry.output();
    own(y, [geometry.examples, geometry.outputs, rows, columns], like)
}

/// A term of [`backward`].
#[derive(Clone, Copy)]
pub struct Term<'a> {
    /// δ, [examples, out, rows, columns].
    pub delta: &'a Tensor<4>,
    /// W, [out, in, k, k], for Wᵀ ⋆ δ. Without it, the term adds nothing to the derivative with respect to x.
    pub weight: Option<&'a Tensor<4>>,
    /// x, [examples, in, height, width]. Without it, the term adds nothing to the derivative with respect to W.
    pub x: Option<&'a Tensor<4>>,
}

/// The derivatives with respect to x, W and b, if they were requested.
pub type Derivatives = (Option<Tensor<4>>, Option<(Tensor<4>, Tensor<1>)>);

/// Returns the sums over `terms` of Wᵀ ⋆ δ, if any term has a W, and of the derivative of ⟨δ, W ⋆ x⟩ with respect to W,
/// if any term has an x. The second sum comes with the derivative with respect to b, of the first term only.
///
/// x and W only give the shapes.
///
/// # Panics
///
/// If there are no terms.
pub fn backward(terms: &[Term], [x, weight]: [&Tensor<4>; 2], stride: usize) -> Derivatives {
    let see_all = |term: &Term| (see(term.delta), term.weight.map(see), term.x.map(see));
    let all: Vec<(Seen, Option<Seen>, Option<Seen>)> = terms.iter().map(see_all).collect();
    let geometry = geometry(x, weight, stride);
    match all[0].0.format() {
        DType::F64 => backward_of::<f64>(&geometry, &all, x),
        _ => backward_of::<f32>(&geometry, &all, x),
    }
}

fn backward_of<T: Number>(
    geometry: &Geometry,
    terms: &[(Seen, Option<Seen>, Option<Seen>)],
    like: &Tensor<4>,
) -> Derivatives {
    let terms: Vec<Adjoint<T>> = terms
        .iter()
        .map(|(delta, weight, x)| Adjoint {
            delta: delta.numbers(),
            weight: weight.as_ref().map(Seen::numbers),
            x: x.as_ref().map(Seen::numbers),
        })
        .collect();
    let Geometry {
        examples,
        inputs,
        outputs,
        kernel,
        height,
        width,
        ..
    } = *geometry;
    let (to_input, to_parameters) = passes::backward(geometry, &terms);
    (
        to_input.map(|dx| own(dx, [examples, inputs, height, width], like)),
        to_parameters.map(|(weight, bias)| {
            let weight = own(weight, [outputs, inputs, kernel, kernel], like);
            (weight, own(bias, [outputs], like))
        }),
    )
}

fn geometry(x: &Tensor<4>, weight: &Tensor<4>, stride: usize) -> Geometry {
    let ([examples, inputs, height, width], [outputs, _, kernel, _]) = (x.dims(), weight.dims());
    Geometry {
        examples,
        inputs,
        outputs,
        kernel,
        stride,
        height,
        width,
    }
}
