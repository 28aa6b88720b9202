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

use burn::tensor::{Element, Tensor, TensorData};
use nalgebra::{DMatrix, SymmetricEigen};

use super::Interrupted;
use super::rows::{Rows, dot};
use crate::number::unsigned_zero;

/// The most basis vectors held. With their images these are 2·32 parameter vectors, and some eleven are temporary: at most
/// about 75, apart from what a product takes.
const BASIS_LIMIT: usize = 32;

/// Ritz vectors kept at a restart.
const KEPT_AT_RESTART: usize = 12;

/// A direction whose part outside the basis is smaller than this adds nothing but rounding.
const DEPENDENT: f64 = 1e-6;

/// A unit vector with less than this, squared, inside the basis is orthogonal to rounding after one pass of Gram–Schmidt.
/// With more, one pass passes on what the basis lacks in orthogonality, and over hundreds of vectors in float32 that
/// grows until Ritz values mean nothing.
const NEARLY_ORTHOGONAL: f64 = 1e-6;

/// Sweeps of QR after which the small matrix is given up. One takes two or three an eigenvalue, so that this is ten times
/// what its at most 32 rows ever took; without a limit, rounding could keep it going for ever.
const MOST_SWEEPS: usize = 1_000;

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

/// A symmetric linear map.
pub trait SymmetricOperator {
    /// H v, for v of the operator's dimension.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] when asked to stop.
    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted>;

    /// Whether products may be rounded from the next one on, say to the ten bits of TF32, where that is faster.
    ///
    /// Nobody asks an operator for an exact product after it was allowed to round, but for this; and at first it may not.
    /// An operator that has no other products than exact ones need not listen.
    fn allow_rounding(&mut self, _allowed: bool) {}
}

impl<F: FnMut(&Tensor<1>) -> Tensor<1>> SymmetricOperator for F {
    fn apply(&mut self, v: &Tensor<1>) -> Result<Tensor<1>, Interrupted> {
        Ok(self(v))
    }
}

/// When to stop looking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Converged once ‖Hy − θy‖ ≤ tolerance·|θ|.
    pub tolerance: f64,
    /// Not before so many products: from a random start an early small residual can belong to a lower eigenvalue.
    pub min_products: u64,
    /// Given up after so many products.
    pub max_products: u64,
    /// How many Ritz vectors to give back.
    pub wanted_vectors: usize,
}

/// What was found: finite numbers throughout, or nothing, and then its value is NaN.
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
    /// How many of them may have been rounded: they led to the vectors that the exact ones began with.
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
/// vectors, and so does a start of which nothing is left: what was found before is no eigenvalue of an operator that
/// gives such products.
///
/// The largest *algebraic* eigenvalue of diag(−5, 3) is 3, though −5 is larger in magnitude:
///
/// ```
/// use burn::tensor::{DType, Device, Tensor};
/// use sharptui::curvature::{Search, largest_eigenvalue};
///
/// let on = (&Device::flex(), DType::F64);
/// let diagonal = Tensor::<1>::from_data([-5.0, 3.0], on);
/// let start = Tensor::<1>::from_data([1.0, 1.0], on);
/// let search = Search { tolerance: 1e-10, min_products: 0, max_products: 100, wanted_vectors: 1 };
/// let mut operator = |v: &Tensor<1>| diagonal.clone() * v.clone();
/// let found = largest_eigenvalue(&mut operator, &[start], &search)?;
/// assert!(found.converged && (found.value - 3.0).abs() < 1e-10);
/// # Ok::<(), sharptui::curvature::Interrupted>(())
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
            value: unsigned_zero(top.value),
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

/// An orthonormal basis, its images, and the operator restricted to it.
#[derive(Default)]
struct Space {
    basis: Rows,
    images: Rows,
    projected: DMatrix<f64>,
}

/// A vector's length, and its inner products with the basis.
struct Measured {
    norm: f64,
    overlaps: Vec<f64>,
}

impl Measured {
    /// The squared length of the vector's part inside the basis.
    fn inside(&self) -> f64 {
        self.overlaps.iter().map(|x| x * x).sum()
    }
}

/// One Ritz pair: its value, and its vector's coefficients in the basis.
struct Pair {
    value: f64,
    coefficients: Vec<f64>,
}

/// All Ritz pairs, the largest value first.
struct Ritz(Vec<Pair>);

impl Ritz {
    fn top(&self) -> Option<&Pair> {
        self.0.first()
    }
}

impl Space {
    fn len(&self) -> usize {
        self.basis.len()
    }

    fn is_finite(&self) -> bool {
        self.projected.iter().all(|x| x.is_finite())
    }

    /// ‖x‖ and x's overlaps with the basis, read from the device at once.
    fn measure(&self, x: &Tensor<1>) -> Measured {
        let mut products = self.basis.dots(x);
        products.push(dot(x, x));
        let mut overlaps = read(products);
        let squares = overlaps.pop().unwrap_or(f64::NAN);
        if squares.is_nan() || SAFE_SQUARES.contains(&squares) {
            let norm = squares.sqrt();
            return Measured { norm, overlaps };
        }
        let norm = norm(x);
        if norm > 0.0 && norm.is_finite() {
            overlaps = read(self.basis.dots(&(x.clone() / norm)));
            for overlap in &mut overlaps {
                *overlap *= norm;
            }
        }
        Measured { norm, overlaps }
    }

    /// Takes in the part of `vector` outside the basis; false, and no product, if there is none to speak of.
    fn extend(
        &mut self,
        operator: &mut impl SymmetricOperator,
        vector: Tensor<1>,
        measured: Measured,
    ) -> Result<bool, Interrupted> {
        let Some(direction) = self.orthonormal(vector, measured) else {
            return Ok(false);
        };
        let image = operator.apply(&direction)?;
        self.basis.push(&direction);
        let column = read(self.basis.dots(&image));
        self.images.push(&image);
        let n = self.len();
        let mut projected = DMatrix::zeros(n, n);
        projected.view_mut((0, 0), (n - 1, n - 1)).copy_from(&self.projected);
        for (i, &value) in column.iter().enumerate() {
            projected[(i, n - 1)] = value;
            projected[(n - 1, i)] = value;
        }
        self.projected = projected;
        Ok(true)
    }

    /// Gram–Schmidt against the basis, once or, where that is not enough, twice: "twice is enough" (Parlett 1980).
    ///
    /// A residual is orthogonal to the basis but for rounding, so it mostly takes one pass.
    fn orthonormal(&self, vector: Tensor<1>, measured: Measured) -> Option<Tensor<1>> {
        let Measured {
            norm: length,
            mut overlaps,
        } = measured;
        if length == 0.0 || !length.is_finite() {
            return None;
        }
        let unit = vector / length;
        if overlaps.is_empty() {
            return Some(unit);
        }
        for overlap in &mut overlaps {
            *overlap /= length;
        }
        let direction = unit - self.basis.combine(&overlaps);
        let inside: f64 = overlaps.iter().map(|x| x * x).sum();
        if inside < NEARLY_ORTHOGONAL {
            return Some(direction);
        }
        let overlaps = read(self.basis.dots(&direction));
        let direction = direction - self.basis.combine(&overlaps);
        // Rounding may be most of it, so its length is not taken from the overlaps.
        let outside = norm(&direction);
        (outside > DEPENDENT).then(|| direction / outside)
    }

    /// None at all where there is no basis, or the operator's restriction to it is not finite or cannot be diagonalized.
    fn ritz(&self) -> Ritz {
        if self.projected.is_empty() || !self.is_finite() {
            return Ritz(Vec::new());
        }
        let Some(eigen) = SymmetricEigen::try_new(self.projected.clone(), f64::EPSILON, MOST_SWEEPS)
            .filter(|eigen| eigen.eigenvalues.iter().all(|value| value.is_finite()))
        else {
            return Ritz(Vec::new());
        };
        let mut pairs: Vec<Pair> = eigen
            .eigenvalues
            .iter()
            .zip(eigen.eigenvectors.column_iter())
            .map(|(&value, column)| Pair {
                value,
                coefficients: column.iter().copied().collect(),
            })
            .collect();
        pairs.sort_by(|a, b| b.value.total_cmp(&a.value));
        Ritz(pairs)
    }

    /// Hy − θy.
    fn residual(&self, pair: &Pair) -> Tensor<1> {
        let vector = self.basis.combine(&pair.coefficients);
        let image = self.images.combine(&pair.coefficients);
        image - vector * pair.value
    }

    /// Shrinks the basis to the `count` leading Ritz vectors, and gives their values; their images follow without products.
    fn restart(&mut self, ritz: &Ritz, count: usize) -> Vec<f64> {
        let kept = &ritz.0[..count.min(ritz.0.len())];
        let coefficients = DMatrix::from_fn(kept.len(), self.len(), |i, j| kept[i].coefficients[j]);
        self.basis.recombine(&coefficients);
        self.images.recombine(&coefficients);
        let values: Vec<f64> = kept.iter().map(|pair| pair.value).collect();
        self.projected = DMatrix::from_diagonal(&values.clone().into());
        values
    }
}

/// Inner products, read from the device at once.
pub(super) fn read(products: Vec<Tensor<1>>) -> Vec<f64> {
    if products.is_empty() {
        return Vec::new();
    }
    Tensor::cat(products, 0).into_data_as::<f64>().iter::<f64>().collect()
}

/// Squares that add up to something outside of this may have left float32's range, 1e-38 to 3e38, one by one.
const SAFE_SQUARES: std::ops::Range<f64> = 1e-28..1e36;

/// ‖x‖.
///
/// Without care the residual of a Hessian near 1e-20 would be 0 in float32, and any value would seem converged.
pub fn norm(x: &Tensor<1>) -> f64 {
    let squares = (x.clone() * x.clone()).sum().into_scalar::<f64>();
    if squares.is_nan() || SAFE_SQUARES.contains(&squares) {
        return squares.sqrt();
    }
    let largest = x.clone().abs().max().into_scalar::<f64>();
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let scaled = x.clone() / largest;
    largest * (scaled.clone() * scaled).sum().into_scalar::<f64>().sqrt()
}

/// A vector from host values, on the device and in the format of `like`.
pub(super) fn vector_like<E: Element>(values: Vec<E>, like: &Tensor<1>) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), (&like.device(), like.dtype()))
}
