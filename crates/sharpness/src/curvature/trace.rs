//! The trace of a symmetric operator, estimated with random vectors.

use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::operator::{Interrupted, SymmetricOperator};
use super::random_vectors::random_signs;
use super::rows::dot;
use super::sampled::Sampled;
use super::space::{Space, read};

/// An estimate of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trace {
    /// The estimate, with the standard error of its sampled part. It is NaN if products are not finite.
    pub trace: Sampled,
    /// Number of products.
    pub products: u64,
}

/// Estimates tr H as the mean of xᵀHx over `samples` vectors x of random signs, with one product each (Hutchinson 1990,
/// "A stochastic estimator of the trace of the influence matrix"). `like` is any vector of the operator's space.
///
/// The estimate has no bias, and each sample has the variance 2 Σ_{i≠j} Hᵢⱼ². For a diagonal H it is exact.
///
/// ```
/// use burn::tensor::{DType, Device, Tensor};
/// use sharpness::curvature::hutchinson;
/// use sharpness::random::{Purpose, stream};
///
/// let on = (&Device::flex(), DType::F64);
/// let diagonal = Tensor::<1>::from_data([-5.0, 3.0, 4.0], on);
/// let mut operator = |v: &Tensor<1>| diagonal.clone() * v.clone();
/// let found = hutchinson(&mut operator, &diagonal, 2, &mut stream(0, Purpose::Eigenvector(0)))?;
/// assert_eq!((found.trace.value, found.trace.standard_error, found.products), (2.0, 0.0, 2));
/// # Ok::<(), sharpness::curvature::Interrupted>(())
/// ```
///
/// # Errors
///
/// [`Interrupted`] if a product was interrupted.
pub fn hutchinson(
    operator: &mut impl SymmetricOperator,
    like: &Tensor<1>,
    samples: usize,
    rng: &mut ChaCha8Rng,
) -> Result<Trace, Interrupted> {
    let squares = (0..samples)
        .map(|_| {
            let x = signs(rng, like);
            Ok(dot(&x, &operator.apply(&x)?))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Trace {
        trace: Sampled::mean(&read(squares)),
        products: samples as u64,
    })
}

/// Estimates tr H by Hutch++ (Meyer, Musco, Musco and Woodruff 2021, "Hutch++: optimal stochastic trace estimation"):
/// tr QᵀHQ + tr (I−QQᵀ)H(I−QQᵀ), where the orthonormal Q spans the images of `sketch` vectors of random signs. The first
/// part is exact; the second part is the mean over `samples` vectors of random signs. `like` is any vector of the
/// operator's space.
///
/// It takes 2·`sketch` + `samples` products, and the memory of 2·`sketch` vectors. The estimate has no bias, and its
/// standard error, which is that of the sampled part, holds for any symmetric H. For the same number of products it is
/// smaller than that of [`hutchinson`] if a few eigenvalues dominate the others. For positive semidefinite matrices, and
/// only for these, the paper proves that its relative error is at most ε after O(1/ε) products, where Hutchinson's
/// estimator needs O(1/ε²). Positive and negative eigenvalues of a Hessian cancel in its trace, so no such bound holds.
///
/// # Errors
///
/// [`Interrupted`] if a product was interrupted.
pub fn hutch_plus_plus(
    operator: &mut impl SymmetricOperator,
    like: &Tensor<1>,
    sketch: usize,
    samples: usize,
    rng: &mut ChaCha8Rng,
) -> Result<Trace, Interrupted> {
    let mut space = Space::default();
    let mut products = 0;
    for _ in 0..sketch {
        let image = operator.apply(&signs(rng, like))?;
        let measured = space.measure(&image);
        products += 1 + u64::from(space.extend(operator, image, measured)?);
    }
    let mut squares = Vec::with_capacity(samples);
    for _ in 0..samples {
        let x = signs(rng, like);
        let outside = space.outside(x);
        squares.push(dot(&outside, &operator.apply(&outside)?));
        products += 1;
    }
    let sampled = Sampled::mean(&read(squares));
    Ok(Trace {
        trace: Sampled {
            value: space.trace() + sampled.value,
            ..sampled
        },
        products,
    })
}

/// Returns a vector of independent random signs.
fn signs(rng: &mut ChaCha8Rng, like: &Tensor<1>) -> Tensor<1> {
    let [length] = like.dims();
    random_signs(rng, like, (length as f64).sqrt())
}
