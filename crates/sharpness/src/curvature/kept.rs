//! The vectors that a track keeps from one measurement to the next.

use burn::tensor::Tensor;

use super::lanczos::Estimate;
use super::rows::{Rows, dot};
use super::space::read;

/// Number of Ritz vectors kept between measurements of one eigenvalue. Each further eigenvalue adds one. At the edge of stability several of the top eigenvalues come close
/// and change places. `benches/strategies.rs` shows what is missed with fewer vectors.
pub const KEPT_VECTORS: usize = 6;

/// Drop a kept vector whose component orthogonal to the newly found ones is below this fraction of its length.
const KNOWN: f64 = 0.3;

/// Minimum shift of the step of power iteration, which needs no product, as a fraction of the top Ritz value.
const LEAST_SHIFT: f64 = 0.1;

/// A Ritz vector of an earlier measurement.
#[derive(Clone)]
pub(super) struct Kept {
    /// The vector, of a length near 1.
    pub(super) vector: Tensor<1>,
    /// Its Ritz value at its last product.
    pub(super) value: f64,
    /// Number of measurements since its last product.
    pub(super) rested: u32,
    /// Its number, if it was one of the followed eigenvectors.
    pub(super) number: Option<u32>,
}

/// Returns the number of vectors to keep between measurements of `count` eigenvalues.
pub(super) fn kept_vectors(count: usize) -> usize {
    KEPT_VECTORS - 1 + count
}

/// Returns the vectors to keep after a search for `count` eigenvalues: the `count` top ones found, and the most promising
/// of the others and of the vectors that rested.
pub(super) fn kept_of(found: &Estimate, count: usize, resting: Vec<Kept>, lowest: f64) -> Vec<Kept> {
    // After an exact search, the vectors that the rounded search before it found count as resting.
    let mut resting = match &found.rounded {
        Some(rounded) => kept_of(rounded, count, resting, lowest),
        None => resting,
    };
    let mut kept = power_step(found, (LEAST_SHIFT * found.value.abs()).max(-lowest));
    // Resting vectors with lower values would not be kept.
    let least = kept.get(kept_vectors(count) - 1).map(|least| least.value);
    resting.retain(|kept| least.is_none_or(|least| kept.value > least));
    kept.extend(outside(resting, &found.vectors));
    if let Some((_, others)) = kept.split_at_mut_checked(count) {
        others.sort_by(|a, b| b.value.total_cmp(&a.value));
    }
    kept.truncate(kept_vectors(count));
    kept
}

/// Returns the Ritz vectors y after a step of power iteration, (H + shift)y, computed from the known images.
///
/// A search does not refine the lower vectors as long as the first is accurate. Without this step the noise of their
/// starts would dominate them, and the tracker would miss them when they overtake. The shift covers the negative side
/// of the spectrum, so no negative eigenvalue grows. Noise in a bulk around 0 shrinks. Any direction that will overtake
/// grows from one measurement to the next.
fn power_step(found: &Estimate, shift: f64) -> Vec<Kept> {
    let pairs = found.vectors.iter().zip(found.images.iter()).zip(&found.values);
    pairs
        .map(|((vector, image), &value)| {
            // The length of an eigenvector after the step. It is close to, and at most, that of any other Ritz vector.
            // It only scales the noise, so it is not worth a read from the device.
            let length = value + shift;
            Kept {
                // For an eigenvalue near −shift only rounding error would be left.
                vector: if length > 0.5 * shift {
                    (image + vector * shift) / length
                } else {
                    // A copy: a view would keep the whole matrix in memory.
                    vector * 1.0
                },
                value,
                rested: 0,
                number: None,
            }
        })
        .collect()
}

/// Returns the part of each resting vector outside the span of the orthonormal `found`, scaled to unit length. Vectors
/// with a negligible part are dropped.
fn outside(resting: Vec<Kept>, found: &Rows) -> Vec<Kept> {
    if found.is_empty() {
        return Vec::new();
    }
    let mut products = Vec::new();
    for kept in &resting {
        products.extend(found.dots(&kept.vector));
        products.push(dot(&kept.vector, &kept.vector));
    }
    let overlaps = read(products);
    resting
        .into_iter()
        .zip(overlaps.chunks_exact(found.len() + 1))
        .filter_map(|(kept, overlaps)| {
            let (&square, overlaps) = overlaps.split_last()?;
            let left = square - overlaps.iter().map(|x| x * x).sum::<f64>();
            (left > KNOWN * KNOWN * square).then(|| Kept {
                vector: (kept.vector - found.combine(overlaps)) / left.sqrt(),
                ..kept
            })
        })
        .collect()
}
