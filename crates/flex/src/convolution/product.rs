//! The two products of a convolution, over rows of numbers at given positions in one buffer.

use macerator::{Simd, Vector};

use crate::number::{Number, load, store};

/// Number of rows of results that are computed at the same time.
pub(crate) const TILE: usize = 8;

/// Number of columns of [`correlate`] that are computed at the same time: those of a row of a 3×3 kernel.
pub(crate) const TAPS: usize = 3;

/// Returns the number of positions that [`weighted_sums`] computes at the same time. Its total number of positions is a
/// multiple of this.
pub(crate) fn step<T: Number>() -> usize {
    step_of(T::default())
}

/// Returns [`step`] for the format of a number.
#[macerator::with_simd]
fn step_of<S: Simd, T: Number>(_: T) -> usize {
    T::lanes::<S>() * if is_wide::<S>() { 2 } else { 3 }
}

/// Returns whether vectors have 512 bits. Then there are 32 vector registers instead of 16.
#[inline(always)]
fn is_wide<S: Simd>() -> bool {
    size_of::<S::Register>() == 64
}

/// Computes `y[o, p] = b[o] + Σₖ w[o / TILE, k, o % TILE] x[rows[k] + p]`, for `positions` p, a multiple of [`step`].
///
/// The shapes are w [tiles, rows, TILE], b [tiles, TILE], y [tiles, TILE, positions]. For each group of positions, the
/// tiles read the same numbers of x one after another.
#[macerator::with_simd]
pub(crate) fn weighted_sums<S: Simd, T: Number>(
    x: &[T],
    rows: &[usize],
    w: &[T],
    b: &[T],
    positions: usize,
    y: &mut [T],
) {
    if is_wide::<S>() {
        sums_of::<S, T, TILE, 2>(x, rows, w, b, positions, y);
    } else {
        sums_of::<S, T, 4, 3>(x, rows, w, b, positions, y);
    }
}

/// Computes [`weighted_sums`] with R rows of y and V vectors at the same time.
#[inline(always)]
fn sums_of<S: Simd, T: Number, const R: usize, const V: usize>(
    x: &[T],
    rows: &[usize],
    w: &[T],
    b: &[T],
    positions: usize,
    y: &mut [T],
) {
    let lanes = T::lanes::<S>();
    let mut at = 0;
    while at < positions {
        for (tile, b) in b.as_chunks::<R>().0.iter().enumerate() {
            let first = tile * R % TILE;
            let mut sums = [[T::default().splat::<S>(); V]; R];
            for r in 0..R {
                sums[r] = [b[r].splat::<S>(); V];
            }
            let w = &w[tile * R / TILE * rows.len() * TILE..][..rows.len() * TILE];
            for (row, w) in rows.iter().zip(w.as_chunks::<TILE>().0) {
                let x = &x[row + at..][..V * lanes];
                let mut vectors = [T::default().splat::<S>(); V];
                for v in 0..V {
                    vectors[v] = load(&x[v * lanes..]);
                }
                for r in 0..R {
                    let w: Vector<S, T> = w[first + r].splat();
                    for v in 0..V {
                        sums[r][v] = vectors[v].mul_add(w, sums[r][v]);
                    }
                }
            }
            for r in 0..R {
                let y = &mut y[(tile * R + r) * positions + at..][..V * lanes];
                for v in 0..V {
                    store(&mut y[v * lanes..], sums[r][v]);
                }
            }
        }
        at += V * lanes;
    }
}

/// Computes `sums[o, k] += Σₚ x[above[o] + p] x[rows[k] + p]`, over `positions` p, a multiple of [`step`].
///
/// The number of rows in `above` is a multiple of `TILE`, in `rows` a multiple of `TAPS`; sums is [above, rows].
#[macerator::with_simd]
pub(crate) fn correlate<S: Simd, T: Number>(
    x: &[T],
    above: &[usize],
    rows: &[usize],
    positions: usize,
    sums: &mut [T],
) {
    if is_wide::<S>() {
        correlate_of::<S, T, TILE>(x, above, rows, positions, sums);
    } else {
        correlate_of::<S, T, 4>(x, above, rows, positions, sums);
    }
}

#[inline(always)]
fn correlate_of<S: Simd, T: Number, const R: usize>(
    x: &[T],
    above: &[usize],
    rows: &[usize],
    positions: usize,
    sums: &mut [T],
) {
    let lanes = T::lanes::<S>();
    let width = rows.len();
    assert_eq!(positions % lanes, 0, "whole vectors");
    for (tile, rows) in rows.as_chunks::<TAPS>().0.iter().enumerate() {
        let right_rows = rows.map(|first| &x[first..][..positions]);
        for (above, sums) in above.as_chunks::<R>().0.iter().zip(sums.chunks_exact_mut(R * width)) {
            let left_rows = above.map(|first| &x[first..][..positions]);
            let mut products = [[T::default().splat::<S>(); TAPS]; R];
            let mut at = 0;
            while at < positions {
                let mut right = [T::default().splat::<S>(); TAPS];
                for k in 0..TAPS {
                    right[k] = load(&right_rows[k][at..]);
                }
                for r in 0..R {
                    let left: Vector<S, T> = load(&left_rows[r][at..]);
                    for k in 0..TAPS {
                        products[r][k] = left.mul_add(right[k], products[r][k]);
                    }
                }
                at += lanes;
            }
            for r in 0..R {
                for k in 0..TAPS {
                    let sum = &mut sums[r * width + tile * TAPS + k];
                    *sum += products[r][k].reduce_add();
                }
            }
        }
    }
}

/// Returns `Σₚ x[p]`.
#[macerator::with_simd]
pub(crate) fn sum<S: Simd, T: Number>(x: &[T]) -> T {
    let lanes = T::lanes::<S>();
    let mut total = T::default().splat::<S>();
    let (whole, rest) = x.split_at(x.len() / lanes * lanes);
    let mut at = 0;
    while at < whole.len() {
        total += load(&whole[at..]);
        at += lanes;
    }
    let mut total = total.reduce_add();
    for x in rest {
        total += *x;
    }
    total
}
