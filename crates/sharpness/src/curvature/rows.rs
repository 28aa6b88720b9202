//! Vectors of one length as the rows of matrices, so that all inner products with another vector are one operation, and so
//! is a linear combination.

use burn::tensor::Tensor;
use nalgebra::DMatrix;

use crate::tensor::{Rounding, upload};

/// Rows of one matrix. Memory is taken for so many vectors at once, and nothing is copied to make room for more. A warm
/// measurement mostly stays within one matrix; a full basis fills its four, and so takes no more memory than a list.
const BLOCK: usize = 8;

/// Into how many parts the columns are cut where rows are replaced in place: what is in the making then takes no more
/// memory than a few rows.
const PARTS: usize = 8;

/// Columns of a part at the least: a megabyte of a few rows, which stays in the cache.
const LEAST_PART: usize = 16_384;

/// Vectors of one length, in order.
#[derive(Clone, Default)]
pub struct Rows {
    /// `[BLOCK, length]` each; the last one's later rows may hold anything.
    blocks: Vec<Tensor<2>>,
    len: usize,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The vector at `index`, seen where it lies.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn get(&self, index: usize) -> Tensor<1> {
        assert!(index < self.len, "row {index} of {}", self.len);
        let (block, row) = (&self.blocks[index / BLOCK], index % BLOCK);
        let [_, length] = block.dims();
        block.clone().slice([row..row + 1, 0..length]).reshape([length])
    }

    /// All of them, seen where they lie.
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
            // Taken out, so that nobody else holds it and it is written to where it lies.
            self.blocks.pop()
        };
        let values = vector.clone().reshape([1, length]);
        self.blocks
            .extend(block.map(|block| block.slice_assign([row..row + 1, 0..length], values)));
        self.len += 1;
    }

    /// xᵢ·y for each row, in parts that are to be put together: none where there are no rows.
    pub(super) fn dots(&self, y: &Tensor<1>) -> Vec<Tensor<1>> {
        self.filled().map(|rows| times_vector(rows, y)).collect()
    }

    /// Σ cᵢ xᵢ, of at least one vector.
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

    /// Replaces the vectors by Σⱼ cᵢⱼ xⱼ for each row of the coefficients, which are no more than there are vectors.
    ///
    /// In place: beside the rows it takes the memory of three of them.
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

    /// What of each block holds vectors.
    fn filled(&self) -> impl Iterator<Item = Tensor<2>> {
        self.blocks.iter().enumerate().map(|(index, block)| {
            let [_, length] = block.dims();
            let count = (self.len - index * BLOCK).min(BLOCK);
            block.clone().slice([0..count, 0..length])
        })
    }

    /// The columns of the coefficients that belong to each block, as matrices on its device.
    fn parts_of(&self, coefficients: &DMatrix<f64>) -> Vec<Tensor<2>> {
        let blocks = self.blocks.iter().enumerate();
        let parts = blocks.map(|(index, block)| {
            let first = index * BLOCK;
            let count = (self.len - first).min(BLOCK);
            let part = coefficients.columns(first, count);
            // A row after the other.
            let values: Vec<f64> = part.transpose().iter().copied().collect();
            upload(values, [part.nrows(), count], block)
        });
        parts.collect()
    }
}

/// x·y, `[1]`.
pub(super) fn dot(x: &Tensor<1>, y: &Tensor<1>) -> Tensor<1> {
    let [length] = x.dims();
    times_vector(x.clone().reshape([1, length]), y)
}

/// X y for each row of X.
fn times_vector(rows: Tensor<2>, y: &Tensor<1>) -> Tensor<1> {
    let ([count, _], [length]) = (rows.dims(), y.dims());
    exact_product(rows, y.clone().reshape([length, 1])).reshape([count])
}

/// A B, never rounded to TF32: inner products of ten bits leave no basis orthogonal.
fn exact_product(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    let _exact = Rounding::to_tf32(false);
    a.matmul(b)
}

fn total(terms: impl Iterator<Item = Tensor<2>>) -> Tensor<2> {
    terms
        .reduce(|sum, term| sum + term)
        .unwrap_or_else(|| unreachable!("a combination of no vectors"))
}
