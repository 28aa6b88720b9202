//! Max pooling of 2×2 squares with a stride of 2.

use burn::tensor::{DType, Tensor};
use macerator::Simd;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use crate::memory::{PART, written};
use crate::number::Number;
use crate::tensors::{Seen, own, see};

/// Returns the largest number of each 2×2 square of x [examples, channels, height, width], and its position. An odd
/// last row or column is ignored. Among equals the first in reading order is chosen, and a NaN before any number, as in
/// PyTorch.
pub fn max_pool(x: &Tensor<4>) -> (Tensor<4>, Choices) {
    let seen = see(x);
    let mut choices = Choices {
        shape: x.dims(),
        chosen: Vec::new(),
    };
    let y = match seen.format() {
        DType::F64 => choices.choose::<f64>(&seen, x),
        _ => choices.choose::<f32>(&seen, x),
    };
    (y, choices)
}

/// The position of each square's largest number: 0 and 1 in the upper row, 2 and 3 in the lower row.
pub struct Choices {
    /// Shape of x.
    shape: [usize; 4],
    chosen: Vec<u8>,
}

impl Choices {
    /// Returns the numbers of `x` at the chosen positions; `x` has the shape of the x that was pooled.
    pub fn of(&self, x: &Tensor<4>) -> Tensor<4> {
        let seen = see(x);
        match seen.format() {
            DType::F64 => self.gather::<f64>(&seen, x),
            _ => self.gather::<f32>(&seen, x),
        }
    }

    /// Returns δ at the chosen positions, 0 elsewhere: the adjoint of [`Self::of`].
    pub fn scattered(&self, delta: &Tensor<4>) -> Tensor<4> {
        let seen = see(delta);
        match seen.format() {
            DType::F64 => self.scatter::<f64>(&seen, delta),
            _ => self.scatter::<f32>(&seen, delta),
        }
    }

    fn pooled(&self) -> [usize; 4] {
        let [examples, channels, height, width] = self.shape;
        [examples, channels, height / 2, width / 2]
    }

    /// Returns the number of channel images that a thread takes at a time, and the count of numbers in each before and
    /// after pooling.
    fn parts(&self) -> (usize, usize, usize) {
        let ([_, _, height, width], [_, _, rows, columns]) = (self.shape, self.pooled());
        let (before, after) = (height * width, rows * columns);
        (PART.div_ceil(before.max(1)), before, after)
    }

    fn choose<T: Number>(&mut self, x: &Seen, like: &Tensor<4>) -> Tensor<4> {
        let (x, pooled) = (x.numbers::<T>(), self.pooled());
        let count = pooled.iter().product();
        let (images, before, after) = self.parts();
        let [width, columns] = [self.shape[3], pooled[3]];
        let mut chosen = vec![0; count];
        let write = |y: &mut [T]| {
            if count == 0 {
                return;
            }
            let of_y = y
                .par_chunks_mut(images * after)
                .zip(chosen.par_chunks_mut(images * after));
            of_y.zip(x.par_chunks(images * before)).for_each(|((y, chosen), x)| {
                let images = y.chunks_exact_mut(after).zip(chosen.chunks_exact_mut(after));
                for ((y, chosen), x) in images.zip(x.chunks_exact(before)) {
                    choose_of_image::<T>(x, width, columns, y, chosen);
                }
            });
        };
        let y = written(count, write);
        self.chosen = chosen;
        own(y, pooled, like)
    }

    fn gather<T: Number>(&self, x: &Seen, like: &Tensor<4>) -> Tensor<4> {
        let (x, pooled) = (x.numbers::<T>(), self.pooled());
        let (images, before, after) = self.parts();
        let [width, columns] = [self.shape[3], pooled[3]];
        let write = |y: &mut [T]| {
            if self.chosen.is_empty() {
                return;
            }
            let of_y = y
                .par_chunks_mut(images * after)
                .zip(self.chosen.par_chunks(images * after));
            of_y.zip(x.par_chunks(images * before)).for_each(|((y, chosen), x)| {
                let images = y.chunks_exact_mut(after).zip(chosen.chunks_exact(after));
                for ((y, chosen), x) in images.zip(x.chunks_exact(before)) {
                    gather_of_image::<T>(x, width, columns, y, chosen);
                }
            });
        };
        let y = written(self.chosen.len(), write);
        own(y, pooled, like)
    }

    fn scatter<T: Number>(&self, delta: &Seen, like: &Tensor<4>) -> Tensor<4> {
        let (delta, pooled) = (delta.numbers::<T>(), self.pooled());
        let (images, before, after) = self.parts();
        let [width, columns] = [self.shape[3], pooled[3]];
        let count = self.shape.iter().product();
        if self.chosen.is_empty() {
            return own(vec![T::default(); count], self.shape, like);
        }
        let write = |x: &mut [T]| {
            let of_y = delta
                .par_chunks(images * after)
                .zip(self.chosen.par_chunks(images * after));
            of_y.zip(x.par_chunks_mut(images * before))
                .for_each(|((delta, chosen), x)| {
                    let images = delta.chunks_exact(after).zip(chosen.chunks_exact(after));
                    for ((delta, chosen), x) in images.zip(x.chunks_exact_mut(before)) {
                        scatter_of_image::<T>(delta, chosen, width, columns, x);
                    }
                });
        };
        let x = written(count, write);
        own(x, self.shape, like)
    }
}

#[macerator::with_simd]
fn choose_of_image<S: Simd, T: Number>(x: &[T], width: usize, columns: usize, y: &mut [T], chosen: &mut [u8]) {
    let rows = y.chunks_exact_mut(columns).zip(chosen.chunks_exact_mut(columns));
    for ((y, chosen), x) in rows.zip(x.chunks_exact(2 * width)) {
        let (upper, lower) = x.split_at(width);
        let squares = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
        for ((y, chosen), ([a, b], [c, d])) in y.iter_mut().zip(chosen).zip(squares) {
            let (upper, of_upper) = larger((*a, 0), (*b, 1));
            let (lower, of_lower) = larger((*c, 2), (*d, 3));
            let (largest, which) = larger((upper, of_upper), (lower, of_lower));
            *y = largest;
            *chosen = which;
        }
    }
}

/// Returns the larger number with its position. Among equals it returns the first, and NaN before any number.
#[inline(always)]
fn larger<T: Number>(a: (T, u8), b: (T, u8)) -> (T, u8) {
    let first = a.0 >= b.0 || a.0.is_nan();
    (if first { a.0 } else { b.0 }, if first { a.1 } else { b.1 })
}

#[macerator::with_simd]
fn gather_of_image<S: Simd, T: Number>(x: &[T], width: usize, columns: usize, y: &mut [T], chosen: &[u8]) {
    let rows = y.chunks_exact_mut(columns).zip(chosen.chunks_exact(columns));
    for ((y, chosen), x) in rows.zip(x.chunks_exact(2 * width)) {
        let (upper, lower) = x.split_at(width);
        let squares = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
        for ((y, chosen), ([a, b], [c, d])) in y.iter_mut().zip(chosen).zip(squares) {
            let upper = if *chosen == 0 { *a } else { *b };
            let lower = if *chosen == 2 { *c } else { *d };
            *y = if *chosen < 2 { upper } else { lower };
        }
    }
}

#[macerator::with_simd]
fn scatter_of_image<S: Simd, T: Number>(delta: &[T], chosen: &[u8], width: usize, columns: usize, x: &mut [T]) {
    let zero = T::default();
    let rows = delta.len() / columns;
    let (squares, odd_row) = x.split_at_mut(rows * 2 * width);
    odd_row.fill(zero);
    let deltas = delta.chunks_exact(columns).zip(chosen.chunks_exact(columns));
    for ((delta, chosen), x) in deltas.zip(squares.chunks_exact_mut(2 * width)) {
        let (upper, lower) = x.split_at_mut(width);
        for (row, of_row) in [(upper, 0), (lower, 2)] {
            let (pairs, odd_column) = row.as_chunks_mut::<2>();
            odd_column.fill(zero);
            for ((pair, delta), chosen) in pairs.iter_mut().zip(delta).zip(chosen) {
                pair[0] = if *chosen == of_row { *delta } else { zero };
                pair[1] = if *chosen == of_row + 1 { *delta } else { zero };
            }
        }
    }
}
