//! Which of the wanted Ritz pairs have converged, and whose residual a search adds to its space next.

use burn::tensor::Tensor;

use super::space::{Measured, Pair, Ritz, Space};

/// An eigenvalue far below the largest is converged once its residual is below the tolerance times this share of the
/// largest: relative to its own size, an eigenvalue near 0 would never converge.
const LEAST_SCALE: f64 = 0.1;

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

/// One eigenvalue that a search found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eigenvalue {
    /// θᵢ, the i-th largest Ritz value. Up to rounding, it never exceeds the i-th largest eigenvalue.
    pub value: f64,
    /// ‖Hy − θᵢy‖ for the unit Ritz vector y of θᵢ: an eigenvalue lies within this distance of θᵢ.
    pub residual: f64,
    /// Whether the residual is at most tolerance·max(|θᵢ|, |θ₁|/10).
    pub converged: bool,
}

/// Returns the size that errors of the `index`-th largest value are compared with.
pub(super) fn scale(value: f64, index: usize, top: f64) -> f64 {
    let least = if index == 0 { 0.0 } else { LEAST_SCALE * top.abs() };
    value.abs().max(least)
}

/// The wanted pairs of a search.
pub(super) struct Convergence {
    count: usize,
    tolerance: f64,
    made: Products,
    /// The index of the pair that is checked first: those before it had converged when they were last checked.
    first: usize,
}

/// The result of a check of the wanted pairs.
pub(super) struct Checked {
    /// The residual of the first pair that has not converged; if all have, the longest residual.
    pub(super) residual: Tensor<1>,
    pub(super) measured: Measured,
    /// Whether all wanted pairs are known, and further products would not improve them.
    pub(super) all_done: bool,
    /// The pairs that were checked.
    pub(super) eigenvalues: Vec<Option<Eigenvalue>>,
}

impl Convergence {
    /// Creates the check of the `count` largest pairs.
    pub(super) fn new(count: usize, tolerance: f64, made: Products) -> Self {
        Self {
            count,
            tolerance,
            made,
            first: 0,
        }
    }

    /// Checks the pairs up to the first that has not converged, or all of them if this is the `last` check. Returns `None`
    /// if there are no pairs or a number is not finite.
    ///
    /// A residual takes two passes over the basis. So pairs that had converged before are only checked again when all
    /// others have: a new direction may have changed their order.
    pub(super) fn check(&mut self, space: &Space, ritz: &Ritz, last: bool) -> Option<Checked> {
        let available = self.count.min(ritz.0.len());
        let first = self.first.min(available);
        let mut eigenvalues = vec![None; available];
        let mut all_done = true;
        let mut chosen: Option<(Tensor<1>, Measured)> = None;
        for index in (first..available).chain(0..first) {
            let (found, residual, measured) = self.residual(space, ritz, index)?;
            eigenvalues[index] = Some(found);
            let rounded_away =
                self.made == Products::Rounded && measured.inside() > ROUNDED_AWAY * measured.norm * measured.norm;
            if !(found.converged || rounded_away) && all_done {
                (all_done, self.first) = (false, index);
                chosen = Some((residual, measured));
                if !last {
                    break;
                }
            } else if all_done && chosen.as_ref().is_none_or(|(_, longest)| measured.norm > longest.norm) {
                chosen = Some((residual, measured));
            }
        }
        let (residual, measured) = chosen?;
        Some(Checked {
            residual,
            measured,
            all_done: all_done && available == self.count,
            eigenvalues,
        })
    }

    /// Returns the pairs with the results of those that `check` left out, or `None` if a number is not finite.
    pub(super) fn complete(
        &self,
        space: &Space,
        ritz: &Ritz,
        checked: Vec<Option<Eigenvalue>>,
    ) -> Option<Vec<Eigenvalue>> {
        let found = checked.into_iter().enumerate().map(|(index, found)| match found {
            Some(found) => Some(found),
            None => self.residual(space, ritz, index).map(|(found, ..)| found),
        });
        found.collect()
    }

    fn residual(&self, space: &Space, ritz: &Ritz, index: usize) -> Option<(Eigenvalue, Tensor<1>, Measured)> {
        let (top, pair): (&Pair, &Pair) = (ritz.top()?, ritz.0.get(index)?);
        let residual = space.residual(pair);
        let measured = space.measure(&residual);
        if !(measured.norm.is_finite() && pair.value.is_finite()) {
            return None;
        }
        let found = Eigenvalue {
            // Turns −0 into 0.
            value: pair.value + 0.0,
            residual: measured.norm,
            converged: measured.norm <= self.tolerance * scale(pair.value, index, top.value),
        };
        Some((found, residual, measured))
    }
}
