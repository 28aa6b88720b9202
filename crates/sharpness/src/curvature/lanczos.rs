//! The largest algebraic eigenvalue of a symmetric operator.
//!
//! Thick-restart Lanczos (Wu and Simon 2000) in Rayleigh–Ritz form: an orthonormal basis Q, its images HQ, and the
//! small matrix QᵀHQ in float64. Each new direction is the residual r = Hy − θy of the top Ritz pair, which from one
//! start vector spans the Krylov space, and from several lets a kept subspace take part. Keeping HQ costs as much
//! memory as Q and buys the true residual (not the recurrence's estimate) and restarts without new products.
//!
//! Each read from the device makes it wait for the host. A product comes with two: QᵀHq, and the residual's norm with
//! its overlaps with Q. A vector that is not nearly orthogonal to those before it, such as a second start, costs two
//! more, a restart one.

use burn::tensor::Tensor;

use super::operator::{Interrupted, SymmetricOperator};
use super::rows::Rows;
use super::space::Space;

/// The most basis vectors held. With their images these are 2·32 parameter vectors, and some eleven are temporary: at most
/// about 75, apart from what a product takes.
const BASIS_LIMIT: usize = 32;

/// Ritz vectors kept at a restart.
const KEPT_AT_RESTART: usize = 12;

/// In a residual of rounded products, the least share inside the basis, squared, at which they can do no more. There an exact
/// residual has nothing but its own rounding.
const ROUNDED_AWAY: f64 = 0.25;

/// How exact the products of a search are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Products {
    /// As the format has it: the search goes on to its tolerance.
    Exact,
    /// Far less: the search ends once its residual is mostly rounding.
    Rounded,
}

/// When to stop looking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Converged once ‖Hy − θy‖ ≤ tolerance·|θ|.
    pub tolerance: f64,
    /// At least so many products: from a random start an early small residual can belong to a lower eigenvalue.
    pub min_products: u64,
    /// At most so many products.
    pub max_products: u64,
    /// The number of Ritz vectors to give back.
    pub wanted_vectors: usize,
}

/// The result of a search: finite numbers throughout, or no vectors and the value NaN.
#[derive(Clone)]
pub struct Estimate {
    /// θ: the largest Ritz value, which never exceeds the largest eigenvalue but for rounding.
    pub value: f64,
    /// ‖Hy − θy‖ for its unit Ritz vector y: an eigenvalue lies within this distance of θ.
    pub residual: f64,
    /// Whether the residual met the tolerance.
    pub converged: bool,
    /// Products spent.
    pub products: u64,
    /// The number of products that may have been rounded. They found start vectors for the exact products.
    pub rounded_products: u64,
    /// The top Ritz vectors, the largest value first.
    pub vectors: Rows,
    /// H y for each of them.
    pub images: Rows,
    /// Their Ritz values.
    pub values: Vec<f64>,
    /// The smallest Ritz value met on the way: the smallest eigenvalue is at most this.
    pub lowest: f64,
    /// What the rounded search found that this one began with.
    pub(super) rounded: Option<Box<Estimate>>,
}

/// The largest algebraic eigenvalue of `operator`, searched from the span of `start` (non-zero vectors).
///
/// A start, product or residual that is not finite ends the search at once with the value NaN, unconverged and without
/// vectors. So does a start of zero vectors.
///
/// The residual shows that an eigenvalue is near the value. It does not show that this is the largest one: see [`Tracker`](super::Tracker).
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
/// [`Interrupted`] when the operator is.
pub fn largest_eigenvalue(
    operator: &mut impl SymmetricOperator,
    start: &[Tensor<1>],
    search: &Search,
) -> Result<Estimate, Interrupted> {
    search_with(operator, start, search, Products::Exact)
}

/// [`largest_eigenvalue`], which may also end where `made` products can do no more.
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
        // What is not finite will not become so.
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
            // 0 for −0.
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
            // No new direction means an invariant subspace, or rounding: nothing better can be had.
            let extended = space.extend(operator, residual, measured)?;
            products += u64::from(extended);
            done = !extended;
        }
        if done {
            // A restart may just have changed the basis.
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
