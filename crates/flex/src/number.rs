//! The floating-point formats of the operations, and vectors of them.

use std::ops::AddAssign;

use burn::tensor::Element;
use bytemuck::{Pod, bytes_of, cast_slice, cast_slice_mut, pod_read_unaligned};
use macerator::{ReduceAdd, Simd, VAdd, VMulAdd, Vector};

/// f32 or f64.
pub(crate) trait Number:
    Element + Pod + PartialOrd + AddAssign + VAdd + VMulAdd + ReduceAdd + Send + Sync
{
    const ONE: Self;

    fn is_nan(self) -> bool;
}

impl Number for f32 {
    const ONE: Self = 1.0;

    #[inline(always)]
    fn is_nan(self) -> bool {
        self.is_nan()
    }
}

impl Number for f64 {
    const ONE: Self = 1.0;

    #[inline(always)]
    fn is_nan(self) -> bool {
        self.is_nan()
    }
}

/// Loads a vector from the first numbers of `from`.
#[inline(always)]
pub(crate) fn load<S: Simd, T: Number>(from: &[T]) -> Vector<S, T> {
    pod_read_unaligned(cast_slice(&from[..T::lanes::<S>()]))
}

/// Stores a vector into the first numbers of `to`.
#[inline(always)]
pub(crate) fn store<S: Simd, T: Number>(to: &mut [T], vector: Vector<S, T>) {
    cast_slice_mut(&mut to[..T::lanes::<S>()]).copy_from_slice(bytes_of(&vector));
}
