//! ReLU and its slope.

use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use macerator::Simd;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use crate::memory::{PART, written};
use crate::number::Number;
use crate::tensors::{Seen, own, see, taken};

/// Returns max(x, 0), and NaN where x is NaN. The result replaces x in memory if no other tensor shares that memory.
pub fn relu(x: Tensor<4>) -> Tensor<4> {
    // x is consumed, so that its numbers have a single owner if no other tensor shares them.
    let mut primitive = taken(x);
    let format = primitive.dtype();
    // In row-major order, which it mostly is already.
    if primitive.layout().contiguous_offsets() != Some((0, primitive.bytes().len() / format.size())) {
        primitive = primitive.to_contiguous();
    }
    match format {
        DType::F64 => rectify(primitive.storage_mut::<f64>()),
        _ => rectify(primitive.storage_mut::<f32>()),
    }
    Tensor::from_primitive::<Flex>(primitive)
}

fn rectify<T: Number>(x: &mut [T]) {
    if x.len() <= PART {
        rectify_part::<T>(x);
    } else {
        x.par_chunks_mut(PART).for_each(rectify_part::<T>);
    }
}

#[macerator::with_simd]
fn rectify_part<S: Simd, T: Number>(x: &mut [T]) {
    for x in x {
        *x = if *x <= T::default() { T::default() } else { *x };
    }
}

/// Returns φ' δ for the y of [`relu`]; φ' is 1 where y > 0, else 0.
pub fn times_slope(y: &Tensor<4>, delta: &Tensor<4>) -> Tensor<4> {
    let (seen, seen_delta) = (see(y), see(delta));
    match seen.format() {
        DType::F64 => slope_of::<f64>(&seen, &seen_delta, delta),
        _ => slope_of::<f32>(&seen, &seen_delta, delta),
    }
}

fn slope_of<T: Number>(y: &Seen, delta: &Seen, like: &Tensor<4>) -> Tensor<4> {
    let (y, delta) = (y.numbers::<T>(), delta.numbers::<T>());
    assert_eq!(y.len(), delta.len(), "y and δ are of one shape");
    let write = |products: &mut [T]| {
        if y.len() <= PART {
            return slope_of_part::<T>(y, delta, products);
        }
        let parts = products
            .par_chunks_mut(PART)
            .zip(y.par_chunks(PART).zip(delta.par_chunks(PART)));
        parts.for_each(|(products, (y, delta))| slope_of_part::<T>(y, delta, products));
    };
    let products = written(y.len(), write);
    own(products, like.dims(), like)
}

/// Computes φ' δ. As in all other operations, 0 times a number that is not finite is NaN.
#[macerator::with_simd]
fn slope_of_part<S: Simd, T: Number>(y: &[T], delta: &[T], products: &mut [T]) {
    for ((product, y), delta) in products.iter_mut().zip(y).zip(delta) {
        let slope = if *y > T::default() { T::ONE } else { T::default() };
        *product = slope * *delta;
    }
}
