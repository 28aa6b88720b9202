//! A convolution, padded by half its kernel, and its adjoints.

mod passes;
mod planes;
mod product;

use burn::tensor::{DType, Tensor};

use crate::number::Number;
use crate::tensors::{Seen, own, see};
use passes::Adjoint;
use planes::Geometry;

/// Σ W ⋆ x over the `terms` (x, W), plus b: [examples, out, rows, columns].
///
/// x [examples, in, height, width], W [out, in, k, k] with odd k, b `[out]`; all terms of the same shapes.
///
/// # Panics
///
/// Without a term.
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
    /// W, [out, in, k, k], of Wᵀ ⋆ δ; without, the term has no part in the derivative with respect to x.
    pub weight: Option<&'a Tensor<4>>,
    /// x, [examples, in, height, width], that δ is taken along; without, the term has no part in that with respect to W.
    pub x: Option<&'a Tensor<4>>,
}

/// With respect to x, W and b, as far as they were asked for.
pub type Derivatives = (Option<Tensor<4>>, Option<(Tensor<4>, Tensor<1>)>);

/// The sums over `terms` of Wᵀ ⋆ δ, if any has a W, and of the derivative of ⟨δ, W ⋆ x⟩ with respect to W, if any has an x;
/// beside the latter, that with respect to b, of the first term alone.
///
/// x and W are there for their shapes.
///
/// # Panics
///
/// Without a term.
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
