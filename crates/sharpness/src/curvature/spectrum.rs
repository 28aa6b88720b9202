//! The spectral density of a symmetric operator, by stochastic Lanczos quadrature.

use std::f64::consts::PI;

use burn::tensor::{DType, Tensor};
use nalgebra::{DMatrix, SymmetricEigen};
use rand_chacha::ChaCha8Rng;

use super::operator::{Interrupted, SymmetricOperator};
use super::random_vectors::random_signs;
use super::rows::Rows;
use super::sampled::Sampled;
use super::space::{most_sweeps, read};
use crate::tensor::norm;

/// If the part of Hq outside of the basis is shorter than this share of Hq, it is only rounding error in 32 bits, and the
/// Krylov space is complete.
const DEPENDENT_F32: f64 = 1e-5;

/// The same for 64 bits.
const DEPENDENT_F64: f64 = 1e-13;

/// The Gauss quadrature of one vector v of length 1: for every polynomial f of a degree below twice the number of nodes,
/// vᵀf(H)v = Σⱼ wⱼ f(θⱼ).
#[derive(Clone, Debug, PartialEq)]
pub struct Quadrature {
    /// θⱼ, the Ritz values of the Krylov space of v, the largest first.
    pub nodes: Vec<f64>,
    /// wⱼ, the squared inner products of v with the Ritz vectors. Their sum is 1.
    pub weights: Vec<f64>,
}

/// The spectrum of an operator, by the quadratures of some random vectors.
///
/// The mean over the vectors of Σⱼ wⱼ f(θⱼ) estimates (1/n) tr f(H), the mean of f over the eigenvalues. The standard
/// error is that of the random vectors. It does not contain the error of the quadrature, which is 0 for polynomials of a
/// low degree, small for smooth f, and as large as single weights where f jumps.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// One quadrature for each random vector.
    pub quadratures: Vec<Quadrature>,
    /// n, the number of eigenvalues.
    pub dimension: usize,
    /// Number of products.
    pub products: u64,
}

impl Quadrature {
    /// Returns Σⱼ wⱼ f(θⱼ).
    pub fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        let pairs = self.nodes.iter().zip(&self.weights);
        pairs.map(|(&node, weight)| weight * f(node)).sum()
    }
}

impl Spectrum {
    /// Returns the estimate of (1/n) tr f(H), the mean of f over the eigenvalues.
    pub fn mean_of(&self, f: impl Fn(f64) -> f64) -> Sampled {
        let sums: Vec<f64> = self.quadratures.iter().map(|of| of.sum(&f)).collect();
        Sampled::mean(&sums)
    }

    /// Returns the estimate of (1/n) tr Hᵏ. The quadratures are exact for k below twice the number of steps.
    pub fn moment(&self, k: i32) -> Sampled {
        self.mean_of(|x| x.powi(k))
    }

    /// Returns the estimate of the share of eigenvalues above `x`.
    pub fn mass_above(&self, x: f64) -> Sampled {
        self.mean_of(|node| f64::from(u8::from(node > x)))
    }

    /// Returns the estimate of the density of eigenvalues at each x of `grid`, convolved with a normal density of standard
    /// deviation `width`: (1/n) Σᵢ exp(−(x−λᵢ)²/2σ²)/(σ√2π). Its integral is 1.
    ///
    /// Details narrower than the distance of neighbouring nodes, about the spread of the spectrum divided by the number of
    /// steps, belong to the quadrature, not to the spectrum. Ghorbani et al. use σ² = 10⁻⁵ for a spectrum scaled to [−1, 1]
    /// with 90 steps.
    pub fn density(&self, grid: &[f64], width: f64) -> Vec<Sampled> {
        let height = 1.0 / (width * (2.0 * PI).sqrt());
        let at = |x: f64| self.mean_of(|node| height * (-0.5 * ((x - node) / width).powi(2)).exp());
        grid.iter().map(|&x| at(x)).collect()
    }
}

/// Returns the quadratures of `vectors` vectors of random signs with `steps` steps of Lanczos each (Ghorbani, Krishnan and
/// Xiao 2019, "An investigation into neural net optimization via Hessian eigenvalue density"; Ubaru, Chen and Saad 2017).
/// `like` is any vector of the operator's space.
///
/// Each step takes one product; a vector whose Krylov space is complete takes fewer. Every new basis vector is made
/// orthogonal to all before it, so that no eigenvalue appears twice; the basis takes the memory of `steps` vectors. The
/// number of a step's operations on vectors grows with the basis. If a product is not finite, the nodes and weights of its
/// vector are NaN.
///
/// ```
/// use burn::tensor::{DType, Device, Tensor};
/// use sharpness::curvature::spectral_density;
/// use sharpness::random::{Purpose, stream};
///
/// let on = (&Device::flex(), DType::F64);
/// let diagonal = Tensor::<1>::from_data([-1.0, 2.0, 2.0, 2.0], on);
/// let mut operator = |v: &Tensor<1>| diagonal.clone() * v.clone();
/// let spectrum = spectral_density(&mut operator, &diagonal, 3, 4, &mut stream(0, Purpose::Eigenvector(0)))?;
/// assert!((spectrum.mass_above(0.0).value - 0.75).abs() < 1e-12);
/// assert!((spectrum.moment(2).value - 13.0 / 4.0).abs() < 1e-12);
/// # Ok::<(), sharpness::curvature::Interrupted>(())
/// ```
///
/// # Errors
///
/// [`Interrupted`] if a product was interrupted.
pub fn spectral_density(
    operator: &mut impl SymmetricOperator,
    like: &Tensor<1>,
    vectors: usize,
    steps: usize,
    rng: &mut ChaCha8Rng,
) -> Result<Spectrum, Interrupted> {
    let [dimension] = like.dims();
    let mut products = 0;
    let quadratures = (0..vectors)
        .map(|_| {
            let start = random_signs(rng, like, 1.0);
            let tridiagonal = tridiagonal(operator, start, steps.min(dimension))?;
            products += tridiagonal.diagonal.len() as u64;
            Ok(tridiagonal.quadrature())
        })
        .collect::<Result<_, _>>()?;
    Ok(Spectrum {
        quadratures,
        dimension,
        products,
    })
}

/// QᵀHQ for the basis Q of a Krylov space.
#[derive(Default)]
struct Tridiagonal {
    diagonal: Vec<f64>,
    /// The numbers beside the diagonal, one fewer.
    beside: Vec<f64>,
}

/// Makes up to `steps` steps of Lanczos from `start`.
fn tridiagonal(
    operator: &mut impl SymmetricOperator,
    start: Tensor<1>,
    steps: usize,
) -> Result<Tridiagonal, Interrupted> {
    let dependent = match start.dtype() {
        DType::F64 => DEPENDENT_F64,
        _ => DEPENDENT_F32,
    };
    let mut found = Tridiagonal::default();
    let mut basis = Rows::default();
    // Its entries are ±1/√n with √n rounded to 32 bits.
    let length = norm(&start);
    let mut direction = start / length;
    for step in 0..steps {
        let image = operator.apply(&direction)?;
        basis.push(&direction);
        let length = norm(&image);
        let overlaps = read(basis.dots(&image));
        let outside = image - basis.combine(&overlaps);
        // Gram–Schmidt twice: "twice is enough" (Parlett 1980).
        let again = read(basis.dots(&outside));
        let outside = outside - basis.combine(&again);
        found.diagonal.push(overlaps[step] + again[step]);
        let beside = norm(&outside);
        if step + 1 == steps || !beside.is_finite() || beside <= dependent * length {
            break;
        }
        found.beside.push(beside);
        direction = outside / beside;
    }
    Ok(found)
}

impl Tridiagonal {
    /// Returns the eigenvalues, with the squared first components of their unit eigenvectors.
    fn quadrature(&self) -> Quadrature {
        let n = self.diagonal.len();
        let mut matrix = DMatrix::from_diagonal(&self.diagonal.clone().into());
        for (index, &beside) in self.beside.iter().enumerate() {
            matrix[(index, index + 1)] = beside;
            matrix[(index + 1, index)] = beside;
        }
        let finite = matrix.iter().all(|x| x.is_finite());
        let eigen = finite
            .then(|| SymmetricEigen::try_new(matrix, f64::EPSILON, most_sweeps(n)))
            .flatten();
        let Some(eigen) = eigen else {
            return Quadrature {
                nodes: vec![f64::NAN; n],
                weights: vec![f64::NAN; n],
            };
        };
        let columns = eigen.eigenvectors.column_iter();
        let mut pairs: Vec<(f64, f64)> = eigen
            .eigenvalues
            .iter()
            .zip(columns)
            .map(|(&value, column)| (value, column[0] * column[0]))
            .collect();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (nodes, weights) = pairs.into_iter().unzip();
        Quadrature { nodes, weights }
    }
}
