//! The largest algebraic eigenvalues of a symmetric operator.
//!
//! Thick-restart Lanczos (Wu and Simon 2000) in Rayleigh–Ritz form: an orthonormal basis Q, its images HQ, and the
//! small matrix QᵀHQ in float64. Each new direction is the residual r = Hy − θy of the first wanted Ritz pair that has not
//! converged. With one start vector these directions span the Krylov space, whichever pairs they belong to; with
//! several, the search also uses a kept subspace. HQ takes as much
//! memory as Q. It gives the true residual (not the recurrence's estimate), and restarts without new products.
//!
//! Each read makes the device wait for the host. A product needs two reads: QᵀHq, and the residual's norm with its
//! overlaps with Q. A vector that is not nearly orthogonal to the vectors before it, for example a second start vector,
//! needs two more. A restart needs one more.

use burn::tensor::Tensor;

use super::convergence::{Convergence, Eigenvalue, Products};
use super::operator::{Interrupted, SymmetricOperator};
use super::rows::Rows;
use super::space::Space;

/// Maximum number of basis vectors in a search for one eigenvalue; each further eigenvalue adds one. With their images these are 2·32 parameter vectors, and about eleven more are
/// temporary. In total they are at most about 75, without the memory of a product.
const BASIS_LIMIT: usize = 32;

/// Number of Ritz vectors kept at a restart.
const KEPT_AT_RESTART: usize = 12;

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
    /// Whether the residuals of all wanted eigenvalues met the tolerance.
    pub converged: bool,
    /// The wanted eigenvalues, the largest first. The first has the value and the residual above.
    pub eigenvalues: Vec<Eigenvalue>,
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
    largest_eigenvalues(operator, start, 1, search)
}

/// Returns the `count` largest algebraic eigenvalues of `operator`, or all if there are fewer. It searches like
/// [`largest_eigenvalue`] until all of them have converged.
///
/// An eigenvalue of multiplicity m is found m times only if there are at least m start vectors. With one start vector, the
/// search misses copies; with fewer than `count`, it may find fewer eigenvalues, and is then not converged.
///
/// Each further eigenvalue adds one basis vector, with its image, to the memory of the search.
///
/// # Errors
///
/// [`Interrupted`] if a product was interrupted.
pub fn largest_eigenvalues(
    operator: &mut impl SymmetricOperator,
    start: &[Tensor<1>],
    count: usize,
    search: &Search,
) -> Result<Estimate, Interrupted> {
    search_with(operator, start, count, search, Products::Exact)
}

/// Searches like [`largest_eigenvalues`]. If the products are `made` rounded, the search also ends when they cannot
/// improve the result.
pub(super) fn search_with(
    operator: &mut impl SymmetricOperator,
    start: &[Tensor<1>],
    count: usize,
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
    let dimension = start.first().map_or(0, |start| start.dims()[0]);
    let count = count.clamp(1, dimension.max(1));
    let mut convergence = Convergence::new(count, search.tolerance, made);
    loop {
        let ritz = space.ritz();
        if ritz.0.is_empty() {
            return Ok(Estimate::not_finite(products));
        }
        lowest = ritz.0.iter().fold(lowest, |least, pair| least.min(pair.value));
        let exhausted = space.len() == dimension;
        let enough = products >= search.min_products || exhausted;
        let last = exhausted || products >= search.max_products;
        let Some(checked) = convergence.check(&space, &ritz, last) else {
            return Ok(Estimate::not_finite(products));
        };
        let mut done = last || (checked.all_done && enough);
        if !done {
            let mut measured = checked.measured;
            if space.len() >= BASIS_LIMIT - 1 + count {
                space.restart(&ritz, KEPT_AT_RESTART - 1 + count);
                measured = space.measure(&checked.residual);
            }
            // Without a new direction, the subspace is invariant or only rounding error is left. The result cannot
            // improve.
            let extended = space.extend(operator, checked.residual, measured)?
                || count > 1 && extend_by_any(&mut space, operator, count)?;
            products += u64::from(extended);
            done = !extended;
        }
        if done {
            // The restart above may have changed the basis.
            let ritz = space.ritz();
            let Some(eigenvalues) = convergence.complete(&space, &ritz, checked.eigenvalues) else {
                return Ok(Estimate::not_finite(products));
            };
            let Some(&top) = eigenvalues.first() else {
                return Ok(Estimate::not_finite(products));
            };
            let values = space.restart(&ritz, search.wanted_vectors.max(count));
            return Ok(Estimate {
                value: top.value,
                residual: top.residual,
                converged: eigenvalues.len() == count && eigenvalues.iter().all(|found| found.converged),
                eigenvalues,
                products,
                rounded_products: 0,
                vectors: space.basis,
                images: space.images,
                values,
                lowest,
                rounded: None,
            });
        }
    }
}

/// Adds the residual of the first of `count` Ritz pairs that gives a new direction. Returns false if none does.
fn extend_by_any(space: &mut Space, operator: &mut impl SymmetricOperator, count: usize) -> Result<bool, Interrupted> {
    for pair in space.ritz().0.iter().take(count) {
        let residual = space.residual(pair);
        let measured = space.measure(&residual);
        if space.extend(operator, residual, measured)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Estimate {
    fn not_finite(products: u64) -> Self {
        Self {
            value: f64::NAN,
            residual: f64::NAN,
            converged: false,
            eigenvalues: Vec::new(),
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
