//! A search that makes most of its products fast and rounded, and ends in exact ones.
//!
//! Rounding turns the top Ritz vector by a small angle, and its exact Rayleigh quotient falls short by the square of that
//! angle only. So what a rounded search found is a start from which an exact one needs few products; value, residual,
//! vectors and images are all of the exact one.

use burn::tensor::Tensor;

use super::lanczos::{Estimate, Products, Search, largest_eigenvalue, search_with};
use super::operator::{Interrupted, SymmetricOperator};

/// Exact products at the least: that of the vector found, and a step of Lanczos from it.
///
/// Where the rounded search met the tolerance, more Ritz vectors to start from would cost a product each and add nothing: if
/// eigenvalues lie so close that rounding mixed their vectors, their values differ by less than the residual.
const EXACT_PRODUCTS: u64 = 2;

/// Ritz vectors that the exact search starts from where rounding ended the other one before the tolerance. With seven bits
/// of mantissa, from the top one alone an exact search was seen to stop at the second of two eigenvalues 1 % apart.
const STARTS_FROM_UNCONVERGED: usize = 3;

/// The largest algebraic eigenvalue of `operator`, searched from the span of `start` by rounded products until these meet
/// the tolerance or come down to their rounding, and then by exact ones from the vector found, until they meet it.
///
/// Where rounded products lead to nothing finite, the exact search begins from `start`. Rounded ones are at most half of
/// `search.max_products`, both together no more than these.
///
/// # Errors
///
/// [`Interrupted`] when the operator is; its products are exact again.
pub fn largest_eigenvalue_rounded_first(
    operator: &mut impl SymmetricOperator,
    start: &[Tensor<1>],
    search: &Search,
) -> Result<Estimate, Interrupted> {
    let first = Search {
        max_products: search.max_products / 2,
        ..*search
    };
    operator.allow_rounding(true);
    let rounded = search_with(operator, start, &first, Products::Rounded);
    operator.allow_rounding(false);
    let rounded = rounded?;
    let starts = if rounded.converged { 1 } else { STARTS_FROM_UNCONVERGED };
    let mut from: Vec<Tensor<1>> = rounded.vectors.iter().take(starts).collect();
    let mut last = Search {
        max_products: search.max_products - rounded.products,
        ..*search
    };
    if from.is_empty() {
        from = start.to_vec();
    } else {
        last.min_products = EXACT_PRODUCTS.min(last.max_products);
    }
    let found = largest_eigenvalue(operator, &from, &last)?;
    Ok(Estimate {
        products: rounded.products + found.products,
        rounded_products: rounded.products,
        lowest: found.lowest.min(rounded.lowest),
        rounded: (!rounded.vectors.is_empty()).then(|| Box::new(rounded)),
        ..found
    })
}
