//! The formats that are computed in, and vectors of them.

use burn::tensor::Element;
use bytemuck::{Pod, bytes_of, cast_slice, cast_slice_mut, pod_read_unaligned};
use macerator::{ReduceAdd, Simd, VAdd, VMulAdd, Vector};

/// f32 or f64.
pub(crate) trait Number: Element + Pod + VAdd + VMulAdd + ReduceAdd + Send + Sync {}

impl Number for f32 {}
impl Number for f64 {}

/// As many numbers as a vector has, from the first of `from` on.
#[inline(always)]
pub(crate) fn load<S: Simd, T: Number>(from: &[T]) -> Vector<S, T> {
    pod_read_unaligned(cast_slice(&from[..T::lanes::<S>()]))
}

/// The reverse of [`load`].
#[inline(always)]
pub(crate) fn store<S: Simd, T: Number>(to: &mut [T], vector: Vector<S, T>) {
    cast_slice_mut(&mut to[..T::lanes::<S>()]).copy_from_slice(bytes_of(&vector));
}
