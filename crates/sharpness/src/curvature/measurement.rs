//! The result of one measurement of a track, and the searches behind it.

use super::convergence::Eigenvalue;
use super::lanczos::Estimate;

/// A measured value of λ_max, or of several eigenvalues, with their accuracy and cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// λ_max; NaN if products or vectors are not finite.
    pub value: f64,
    /// ‖Hv − λv‖ for the unit vector v; NaN if the value is NaN.
    pub residual: f64,
    /// Whether the residuals of all eigenvalues met the tolerance.
    pub converged: bool,
    /// The eigenvalues that the tracker follows, the largest first; none if the value is NaN.
    pub eigenvalues: Vec<Eigenvalue>,
    /// For each of the eigenvalues, the number of its eigenvector, below the number of eigenvalues that the tracker
    /// follows. An eigenvector keeps its number while it stays among them, also if it crosses others. One that falls out
    /// leaves its number to the one that comes in.
    pub numbers: Vec<u32>,
    /// Number of products, audit included.
    pub products: u64,
    /// Number of products that may have been rounded. Value and residual come from exact products.
    pub rounded_products: u64,
    /// Whether a cold start that converged gave or confirmed the value.
    pub audited: bool,
    /// The warm track's value, if the audit found a larger one.
    pub corrected_from: Option<f64>,
    /// For each of the eigenvalues, the warm track's value if the audit found a larger one.
    pub corrections: Vec<Option<f64>>,
}

/// The searches of one measurement whose results are finite, and the cost of all.
#[derive(Default)]
pub(super) struct Searches {
    pub(super) warm: Option<Estimate>,
    pub(super) cold: Option<Estimate>,
    pub(super) joint: Option<Estimate>,
    pub(super) products: u64,
    pub(super) rounded_products: u64,
}

impl Searches {
    /// Adds the cost of a search, and returns its result if it is finite.
    pub(super) fn add(&mut self, found: Estimate) -> Option<Estimate> {
        self.products += found.products;
        self.rounded_products += found.rounded_products;
        found.value.is_finite().then_some(found)
    }
}

impl Measurement {
    /// Returns the measurement that tells the result of a search, without numbers and corrections.
    pub(super) fn of(told: Option<&Estimate>, products: u64, rounded_products: u64, audited: bool) -> Self {
        Self {
            value: told.map_or(f64::NAN, |told| told.value),
            residual: told.map_or(f64::NAN, |told| told.residual),
            converged: told.is_some_and(|told| told.converged),
            eigenvalues: told.map_or_else(Vec::new, |told| told.eigenvalues.clone()),
            numbers: Vec::new(),
            products,
            rounded_products,
            audited,
            corrected_from: None,
            corrections: Vec::new(),
        }
    }
}

/// Returns the sum of the found eigenvalues. The sum over the whole space spanned is at most that of the largest
/// eigenvalues (Fan 1949), so the larger sum is the better one.
pub(super) fn total(found: &Estimate) -> f64 {
    found.eigenvalues.iter().map(|found| found.value).sum()
}
