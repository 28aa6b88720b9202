//! The space spanned by a search: an orthonormal basis, its images, and the Ritz pairs computed from both.

use burn::tensor::Tensor;
use nalgebra::{DMatrix, SymmetricEigen};

use super::operator::{Interrupted, SymmetricOperator};
use super::rows::{Rows, dot};
use crate::tensor::vectors::{SAFE_SQUARES, norm};

/// If the part of a unit vector outside the basis is shorter than this, it is only rounding error.
const DEPENDENT: f64 = 1e-6;

/// If the part of a unit vector inside the basis, squared, is below this, one pass of Gram–Schmidt makes the vector
/// orthogonal up to rounding. If it is above, the basis's own lack of orthogonality would enter the new vector. Over
/// hundreds of vectors in float32 this error grows until Ritz values are meaningless.
const NEARLY_ORTHOGONAL: f64 = 1e-6;

/// Maximum number of QR sweeps for the small matrix of up to 32 rows. QR takes two or three sweeps for each eigenvalue, so
/// this is ten times what is needed. Without a limit, rounding could keep the iteration from ending.
const MOST_SWEEPS: usize = 1_000;

/// The same for each row of a larger matrix.
const MOST_SWEEPS_PER_ROW: usize = 30;

/// Returns the maximum number of QR sweeps for a matrix of `rows` rows.
pub(super) fn most_sweeps(rows: usize) -> usize {
    MOST_SWEEPS.max(MOST_SWEEPS_PER_ROW * rows)
}

/// An orthonormal basis, its images, and the operator restricted to it.
#[derive(Default)]
pub(super) struct Space {
    /// Q.
    pub(super) basis: Rows,
    /// HQ.
    pub(super) images: Rows,
    /// QᵀHQ.
    projected: DMatrix<f64>,
}

/// A vector's length, and its inner products with the basis.
pub(super) struct Measured {
    pub(super) norm: f64,
    overlaps: Vec<f64>,
}

impl Measured {
    /// Returns the squared length of the vector's part inside the basis.
    pub(super) fn inside(&self) -> f64 {
        self.overlaps.iter().map(|x| x * x).sum()
    }
}

/// One Ritz pair: its value, and its vector's coefficients in the basis.
pub(super) struct Pair {
    pub(super) value: f64,
    coefficients: Vec<f64>,
}

/// All Ritz pairs, the largest value first.
pub(super) struct Ritz(pub(super) Vec<Pair>);

impl Ritz {
    pub(super) fn top(&self) -> Option<&Pair> {
        self.0.first()
    }
}

impl Space {
    pub(super) fn len(&self) -> usize {
        self.basis.len()
    }

    pub(super) fn is_finite(&self) -> bool {
        self.projected.iter().all(|x| x.is_finite())
    }

    /// Returns ‖x‖ and x's overlaps with the basis, in one read from the device.
    pub(super) fn measure(&self, x: &Tensor<1>) -> Measured {
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

    /// Adds the part of `vector` outside the basis to the basis. Returns false, without a product, if this part is
    /// negligible.
    pub(super) fn extend(
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

    /// Applies Gram–Schmidt against the basis once or, if that is not enough, twice: "twice is enough" (Parlett 1980).
    ///
    /// A residual is orthogonal to the basis up to rounding, so one pass is mostly enough.
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
            // Without the division, a basis vector would be shorter than 1 by up to half of NEARLY_ORTHOGONAL, and
            // residuals could not fall below that.
            return Some(direction / (1.0 - inside).sqrt());
        }
        let overlaps = read(self.basis.dots(&direction));
        let direction = direction - self.basis.combine(&overlaps);
        // The direction may be mostly rounding error, so its length is not computed from the overlaps.
        let outside = norm(&direction);
        (outside > DEPENDENT).then(|| direction / outside)
    }

    /// Returns the part of x outside of the basis.
    pub(super) fn outside(&self, x: Tensor<1>) -> Tensor<1> {
        if self.basis.is_empty() {
            return x;
        }
        let overlaps = read(self.basis.dots(&x));
        x - self.basis.combine(&overlaps)
    }

    /// Returns tr QᵀHQ.
    pub(super) fn trace(&self) -> f64 {
        self.projected.trace()
    }

    /// Returns all Ritz pairs. There are none if there is no basis, or if the operator's restriction to it is not
    /// finite or cannot be diagonalized.
    pub(super) fn ritz(&self) -> Ritz {
        if self.projected.is_empty() || !self.is_finite() {
            return Ritz(Vec::new());
        }
        let Some(eigen) = SymmetricEigen::try_new(self.projected.clone(), f64::EPSILON, most_sweeps(self.len()))
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

    /// Returns Hy − θy.
    pub(super) fn residual(&self, pair: &Pair) -> Tensor<1> {
        let vector = self.basis.combine(&pair.coefficients);
        let image = self.images.combine(&pair.coefficients);
        image - vector * pair.value
    }

    /// Shrinks the basis to the `count` leading Ritz vectors, and returns their values. Their images need no products.
    pub(super) fn restart(&mut self, ritz: &Ritz, count: usize) -> Vec<f64> {
        let kept = &ritz.0[..count.min(ritz.0.len())];
        let coefficients = DMatrix::from_fn(kept.len(), self.len(), |i, j| kept[i].coefficients[j]);
        self.basis.recombine(&coefficients);
        self.images.recombine(&coefficients);
        let values: Vec<f64> = kept.iter().map(|pair| pair.value).collect();
        self.projected = DMatrix::from_diagonal(&values.clone().into());
        values
    }
}

/// Returns inner products, in one read from the device.
pub(super) fn read(products: Vec<Tensor<1>>) -> Vec<f64> {
    if products.is_empty() {
        return Vec::new();
    }
    Tensor::cat(products, 0).into_data_as::<f64>().iter::<f64>().collect()
}
