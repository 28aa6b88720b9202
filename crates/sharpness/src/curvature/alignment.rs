//! The share of a gradient that lies in the space of eigenvectors.

use burn::tensor::Tensor;

use super::rows::dot;
use super::space::read;

/// Returns ‖Uᵀg‖²/‖g‖² for eigenvectors U, each `[parameters]`, such as those of
/// [`Tracker::eigenvectors`](super::Tracker::eigenvectors), and a gradient g, `[parameters]`: the part of the squared
/// gradient that lies in their space (Song et al. 2024, "Does SGD really happen in tiny subspaces?"). The vectors may have
/// any length; they count as orthogonal. The result is NaN if g is 0 or not finite.
pub fn alignment(eigenvectors: &[Tensor<1>], gradient: &Tensor<1>) -> f64 {
    let of_vector = |u| [dot(u, gradient), dot(u, u)];
    let products = eigenvectors.iter().flat_map(of_vector);
    let products = read(products.chain([dot(gradient, gradient)]).collect());
    let (pairs, squared) = products.split_at(2 * eigenvectors.len());
    let inside: f64 = pairs.chunks_exact(2).map(|pair| pair[0] * pair[0] / pair[1]).sum();
    // Rounding may lead just above 1. `min` would turn NaN into 1.
    (inside / squared[0]).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;

    fn vector(values: [f64; 3]) -> Tensor<1> {
        Tensor::from_data(values, (&Device::flex(), DType::F64))
    }

    #[test]
    fn it_is_that_of_the_projection_and_no_number_without_a_usable_gradient() {
        let top = [vector([2.0, 0.0, 0.0]), vector([0.0, 1.0, 0.0])];
        assert!((alignment(&top, &vector([3.0, 4.0, 12.0])) - 25.0 / 169.0).abs() < 1e-15);
        assert!((alignment(&top, &vector([3.0, 4.0, 0.0])) - 1.0).abs() < 1e-15);
        for bad in [[0.0; 3], [f64::NAN, 1.0, 1.0], [f64::INFINITY, 1.0, 1.0]] {
            assert!(alignment(&top, &vector(bad)).is_nan(), "{bad:?}");
        }
    }
}
