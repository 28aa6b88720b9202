//! Vectors of one length, stored as the rows of matrices. One operation per matrix then gives the inner products of its
//! rows with another vector, or a linear combination of its rows.

use burn::tensor::Tensor;
use nalgebra::DMatrix;

use crate::tensor::{Rounding, upload};

/// Number of rows of one matrix. Memory is allocated for this many vectors at a time, and nothing is copied when more
/// are added. A warm measurement mostly needs one matrix. A full basis fills four matrices, so it takes no more memory
/// than a list of vectors.
const BLOCK: usize = 8;

/// Number of parts into which the columns are cut when rows are replaced in place. The temporary results then take no
/// more memory than a few rows.
const PARTS: usize = 8;

/// Minimum number of columns of a part: a few rows of it are a megabyte, which stays in the cache.
const LEAST_PART: usize = 16_384;

/// Vectors of one length, in order.
#[derive(Clone, Default)]
pub struct Rows {
    /// The matrices, `[BLOCK, length]` each. The unused rows of the last matrix have arbitrary values.
    blocks: Vec<Tensor<2>>,
    len: usize,
}

impl Rows {
    /// Returns the number of vectors.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no vectors.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the vector at `index` as a view.
    ///
    /// # Panics
    ///
    /// If there is no vector at `index`.
    pub fn get(&self, index: usize) -> Tensor<1> {
        assert!(index < self.len, "row {index} of {}", self.len);
        let (block, row) = (&self.blocks[index / BLOCK], index % BLOCK);
        let [_, length] = block.dims();
        block.clone().slice([row..row + 1, 0..length]).reshape([length])
    }

    /// Returns all vectors as views.
    pub fn iter(&self) -> impl Iterator<Item = Tensor<1>> {
        (0..self.len).map(|index| self.get(index))
    }

    /// Adds a copy of `vector`.
    pub(super) fn push(&mut self, vector: &Tensor<1>) {
        let [length] = vector.dims();
        let row = self.len % BLOCK;
        let block = if row == 0 {
            Some(Tensor::empty([BLOCK, length], (&vector.device(), vector.dtype())))
        } else {
            // Taken out of the list, so that the block has one owner and is written in place.
            self.blocks.pop()
        };
        let values = vector.clone().reshape([1, length]);
        self.blocks
            .extend(block.map(|block| block.slice_assign([row..row + 1, 0..length], values)));
        self.len += 1;
    }

    /// Returns xᵢ·y for each row, as parts to concatenate. Without rows there are no parts.
    pub(super) fn dots(&self, y: &Tensor<1>) -> Vec<Tensor<1>> {
        self.filled().map(|rows| times_vector(rows, y)).collect()
    }

    /// Returns Σ cᵢ xᵢ of at least one vector.
    pub(super) fn combine(&self, coefficients: &[f64]) -> Tensor<1> {
        let weights = DMatrix::from_row_slice(1, coefficients.len(), coefficients);
        let weights = self.parts_of(&weights);
        let sum = total(
            weights
                .into_iter()
                .zip(self.filled())
                .map(|(c, rows)| exact_product(c, rows)),
        );
        let [_, length] = sum.dims();
        sum.reshape([length])
    }

    /// Replaces the vectors by Σⱼ cᵢⱼ xⱼ for each row i of the coefficients. There must be no more rows than vectors.
    ///
    /// This is done in place and needs additional memory for three rows.
    pub(super) fn recombine(&mut self, coefficients: &DMatrix<f64>) {
        let Some([_, length]) = self.blocks.first().map(Tensor::dims) else {
            return;
        };
        let kept = coefficients.nrows();
        if kept == 0 {
            return *self = Self::default();
        }
        let weights = self.parts_of(coefficients);
        let part = length.div_ceil(PARTS).max(LEAST_PART);
        for start in (0..length).step_by(part) {
            let columns = start..(start + part).min(length);
            let seen = self.filled().map(|rows| {
                let [count, _] = rows.dims();
                rows.slice([0..count, columns.clone()])
            });
            let new = total(weights.iter().zip(seen).map(|(c, rows)| exact_product(c.clone(), rows)));
            for (index, block) in self.blocks.iter_mut().enumerate() {
                let first = index * BLOCK;
                if first < kept {
                    let rows = first..(first + BLOCK).min(kept);
                    let values = new.clone().slice([rows.clone(), 0..columns.len()]);
                    block.inplace(|block| block.slice_assign([0..rows.len(), columns.clone()], values));
                }
            }
        }
        self.len = kept;
        self.blocks.truncate(kept.div_ceil(BLOCK));
    }

    /// Returns the rows of each block that hold vectors.
    fn filled(&self) -> impl Iterator<Item = Tensor<2>> {
        self.blocks.iter().enumerate().map(|(index, block)| {
            let [_, length] = block.dims();
            let count = (self.len - index * BLOCK).min(BLOCK);
            block.clone().slice([0..count, 0..length])
        })
    }

    /// Returns, for each block, the columns of the coefficients that belong to it, as a matrix on its device.
    fn parts_of(&self, coefficients: &DMatrix<f64>) -> Vec<Tensor<2>> {
        let blocks = self.blocks.iter().enumerate();
        let parts = blocks.map(|(index, block)| {
            let first = index * BLOCK;
            let count = (self.len - first).min(BLOCK);
            let part = coefficients.columns(first, count);
            // In row-major order.
            let values: Vec<f64> = part.transpose().iter().copied().collect();
            upload(values, [part.nrows(), count], block)
        });
        parts.collect()
    }
}

/// Returns x·y, `[1]`.
pub(super) fn dot(x: &Tensor<1>, y: &Tensor<1>) -> Tensor<1> {
    let [length] = x.dims();
    times_vector(x.clone().reshape([1, length]), y)
}

/// Returns X y, the inner product of y with each row of X.
fn times_vector(rows: Tensor<2>, y: &Tensor<1>) -> Tensor<1> {
    let ([count, _], [length]) = (rows.dims(), y.dims());
    exact_product(rows, y.clone().reshape([length, 1])).reshape([count])
}

/// Returns A B, never rounded to TF32: with inner products of ten bits no basis stays orthogonal.
fn exact_product(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    let _exact = Rounding::to_tf32(false);
    a.matmul(b)
}

fn total(terms: impl Iterator<Item = Tensor<2>>) -> Tensor<2> {
    terms
        .reduce(|sum, term| sum + term)
        .unwrap_or_else(|| unreachable!("a combination of no vectors"))
}
