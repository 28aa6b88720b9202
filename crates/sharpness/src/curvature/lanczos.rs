//! The largest algebraic eigenvalue of a symmetric operator.
//!
//! Thick-restart Lanczos (Wu and Simon 2000) in Rayleigh–Ritz form: an orthonormal basis Q, its images HQ, and the
//! small matrix QᵀHQ in float64. Each new direction is the residual r = Hy − θy of the top Ritz pair. With one start
//! vector these directions span the Krylov space; with several, the search also uses a kept subspace. HQ takes as much
//! memory as Q. It gives the true residual (not the recurrence's estimate), and restarts without new products.
//!
//! Each read makes the device wait for the host. A product needs two reads: QᵀHq, and the residual's norm with its
//! overlaps with Q. A vector that is not nearly orthogonal to the vectors before it, for example a second start vector,
//! needs two more. A restart needs one more.

use burn::tensor::Tensor;

use super::operator::{Interrupted, SymmetricOperator};
use super::rows::Rows;
use super::space::Space;

/// Maximum number of basis vectors. With their images these are 2·32 parameter vectors, and about eleven more are
/// temporary. In total they are at most about 75, without the memory of a product.
const BASIS_LIMIT: usize = 32;

/// Number of Ritz vectors kept at a restart.
const KEPT_AT_RESTART: usize = 12;

/// Rounded products cannot improve the result once the part of the residual inside the basis, squared, is above this
/// share of the squared residual. With exact products this part is only rounding error.
const ROUNDED_AWAY: f64 = 0.25;

/// The precision of the products of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Products {
    /// Exact up to the rounding of the format: the search continues to its tolerance.
    Exact,
    /// Rounded much more: the search also ends when its residual is mostly rounding error.
    Rounded,
}

/// The rules for the end of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The tolerance: the search is converged once ‖Hy − θy‖ ≤ tolerance·|θ|.
    pub tolerance: f64,
    /// Minimum number of products: from a random start, a residual that is small early can belong to a lower
    /// eigenvalue.
    pub min_products: u64,
    /// Maximum number of products.
    pub max_products: u64,
    /// Number of Ritz vectors to return.
    pub wanted_vectors: usize,
}

/// The result of a search. Either all numbers are finite, or the value is NaN and there are no vectors.
#[derive(Clone)]
pub struct Estimate {
    /// θ, the largest Ritz value. Up to rounding, it never exceeds the largest eigenvalue.
    pub value: f64,
    /// ‖Hy − θy‖ for the unit Ritz vector y of θ: an eigenvalue lies within this distance of θ.
    pub residual: f64,
    /// Whether the residual met the tolerance.
    pub converged: bool,
    /// Number of products.
    pub products: u64,
    /// Number of products that may have been rounded. They found start vectors for the exact products.
    pub rounded_products: u64,
    /// The top Ritz vectors, the largest value first.
    pub vectors: Rows,
    /// H y for each of these vectors y.
    pub images: Rows,
    /// The Ritz values of these vectors.
    pub values: Vec<f64>,
    /// The smallest Ritz value seen during the search. The smallest eigenvalue is at most this value.
    pub lowest: f64,
    /// The result of the rounded search that gave this search its start vectors.
    pub(super) rounded: Option<Box<Estimate>>,
}

/// Returns the largest algebraic eigenvalue of `operator`. The search starts in the span of `start` (non-zero vectors).
///
/// If a start vector, a product or a residual is not finite, or if all start vectors are zero, the search ends
/// immediately: the value is NaN, not converged, and there are no vectors.
///
/// A small residual shows that an eigenvalue is near the value. It does not show that this eigenvalue is the largest
/// one: see [`Tracker`](super::Tracker).
///
/// The largest *algebraic* eigenvalue of diag(−5, 3) is 3, though −5 is larger in magnitude:
///
/// ```
/// use burn::tensor::{DType, Device, Tensor};
/// use sharpness::curvature::{Search, largest_eigenvalue};
///
/// let on = (&Device::flex(), DType::F64);
/// let diagonal = Tensor::<1>::from_data([-5.0, 3.0], on);
/// let start = Tensor::<1>::from_data([1.0, 1.0], on);
/// let search = Search { tolerance: 1e-10, min_products: 0, max_products: 100, wanted_vectors: 1 };
/// let mut operator = |v: &Tensor<1>| diagonal.clone() * v.clone();
/// let found = largest_eigenvalue(&mut operator, &[start], &search)?;
/// assert!(found.converged && (found.value - 3.0).abs() < 1e-10);
/// # Ok::<(), sharpness::curvature::Interrupted>(())
/// ```
///
/// # Errors
///
/// [`Interrupted`] if a product was interrupted.
pub fn largest_eigenvalue(
    operator: &mut impl SymmetricOperator,
    start: &[Tensor<1>],
    search: &Search,
) -> Result<Estimate, Interrupted> {
    search_with(operator, start, search, Products::Exact)
}

/// Searches like [`largest_eigenvalue`]. If the products are `made` rounded, the search also ends when they cannot
/// improve the result.
pub(super) fn search_with(
    operator: &mut impl SymmetricOperator,
    start: &[Tensor<1>],
    search: &Search,
    made: Products,
) -> Result<Estimate, Interrupted> {
    let mut space = Space::default();
    let mut products = 0;
    let mut lowest = f64::INFINITY;
    for vector in start {
        // Numbers that are not finite stay so.
        if products < search.max_products && space.is_finite() {
            let measured = space.measure(vector);
            if !measured.norm.is_finite() {
                return Ok(Estimate::not_finite(products));
            }
            products += u64::from(space.extend(operator, vector.clone(), measured)?);
        }
    }
    loop {
        let ritz = space.ritz();
        let Some(top) = ritz.top() else {
            return Ok(Estimate::not_finite(products));
        };
        lowest = ritz.0.iter().fold(lowest, |least, pair| least.min(pair.value));
        let residual = space.residual(top);
        let measured = space.measure(&residual);
        let norm = measured.norm;
        if !(norm.is_finite() && top.value.is_finite()) {
            return Ok(Estimate::not_finite(products));
        }
        let small = norm <= search.tolerance * top.value.abs();
        let exhausted = space.len() == residual.dims()[0];
        let enough = products >= search.min_products || exhausted;
        let mut estimate = Estimate {
            // Turns −0 into 0.
            value: top.value + 0.0,
            residual: norm,
            converged: small,
            products,
            rounded_products: 0,
            vectors: Rows::default(),
            images: Rows::default(),
            values: Vec::new(),
            lowest,
            rounded: None,
        };
        let rounded_away = made == Products::Rounded && measured.inside() > ROUNDED_AWAY * norm * norm;
        let mut done = ((small || rounded_away) && enough) || exhausted || products >= search.max_products;
        if !done {
            let measured = if space.len() >= BASIS_LIMIT {
                space.restart(&ritz, KEPT_AT_RESTART);
                space.measure(&residual)
            } else {
                measured
            };
            // Without a new direction, the subspace is invariant or only rounding error is left. The result cannot
            // improve.
            let extended = space.extend(operator, residual, measured)?;
            products += u64::from(extended);
            done = !extended;
        }
        if done {
            // The restart above may have changed the basis.
            let ritz = space.ritz();
            estimate.values = space.restart(&ritz, search.wanted_vectors);
            (estimate.vectors, estimate.images) = (space.basis, space.images);
            return Ok(estimate);
        }
    }
}

impl Estimate {
    fn not_finite(products: u64) -> Self {
        Self {
            value: f64::NAN,
            residual: f64::NAN,
            converged: false,
            products,
            rounded_products: 0,
            vectors: Rows::default(),
            images: Rows::default(),
            values: Vec::new(),
            lowest: f64::NAN,
            rounded: None,
        }
    }
}
