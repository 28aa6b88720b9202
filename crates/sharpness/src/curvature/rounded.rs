//! A search in which most products are rounded and fast, and the last products are exact.
//!
//! Rounding turns the top Ritz vector by a small angle. The exact Rayleigh quotient of the turned vector is too low
//! only by the square of this angle. An exact search that starts from it therefore needs few products. Value, residual,
//! vectors and images all come from the exact search.

use burn::tensor::Tensor;

use super::convergence::Products;
use super::lanczos::{Estimate, Search, largest_eigenvalues, search_with};
use super::operator::{Interrupted, SymmetricOperator};

/// Minimum number of exact products of a search for one eigenvalue: one for the vector found, and one for a step of
/// Lanczos from it. Each further eigenvalue adds one.
///
/// If the rounded search met the tolerance, each further Ritz vector to start from would cost a product and add
/// nothing: if eigenvalues are so close that rounding mixed their vectors, their values differ by less than the
/// residual.
const EXACT_PRODUCTS: u64 = 2;

/// Number of Ritz vectors that the exact search starts from if rounding ended the rounded search before the tolerance,
/// for one eigenvalue. Each further eigenvalue adds one.
/// With seven bits of mantissa, an exact search from the top vector alone stopped at the second of two eigenvalues 1 %
/// apart.
const STARTS_FROM_UNCONVERGED: usize = 3;

/// Returns the largest algebraic eigenvalue of `operator`. The search starts in the span of `start`. It uses rounded
/// products until these meet the tolerance or cannot improve the result. From the vectors found, it then uses exact
/// products until these meet the tolerance.
///
/// If rounded products give nothing finite, the exact search starts from `start`. Rounded products are at most half of
/// `search.max_products`; rounded and exact products together are at most `search.max_products`.
///
/// # Errors
///
/// [`Interrupted`] if a product was interrupted; the operator's products are exact again.
pub fn largest_eigenvalue_rounded_first(
    operator: &mut impl SymmetricOperator,
    start: &[Tensor<1>],
    search: &Search,
) -> Result<Estimate, Interrupted> {
    largest_eigenvalues_rounded_first(operator, start, 1, search)
}

/// Searches like [`largest_eigenvalue_rounded_first`] for the `count` largest eigenvalues.
pub(super) fn largest_eigenvalues_rounded_first(
    operator: &mut impl SymmetricOperator,
    start: &[Tensor<1>],
    count: usize,
    search: &Search,
) -> Result<Estimate, Interrupted> {
    let further = count.saturating_sub(1);
    let first = Search {
        max_products: search.max_products / 2,
        ..*search
    };
    operator.allow_rounding(true);
    let rounded = search_with(operator, start, count, &first, Products::Rounded);
    operator.allow_rounding(false);
    let rounded = rounded?;
    let starts = further + if rounded.converged { 1 } else { STARTS_FROM_UNCONVERGED };
    let mut from: Vec<Tensor<1>> = rounded.vectors.iter().take(starts).collect();
    let mut last = Search {
        max_products: search.max_products - rounded.products,
        ..*search
    };
    if from.is_empty() {
        from = start.to_vec();
    } else {
        last.min_products = (EXACT_PRODUCTS + further as u64).min(last.max_products);
    }
    let found = largest_eigenvalues(operator, &from, count, &last)?;
    Ok(Estimate {
        products: rounded.products + found.products,
        rounded_products: rounded.products,
        lowest: found.lowest.min(rounded.lowest),
        rounded: (!rounded.vectors.is_empty()).then(|| Box::new(rounded)),
        ..found
    })
}
