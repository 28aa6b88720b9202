//! Conversions between burn's tensors and LibTorch's.

// Burn deprecates LibTorch in favour of its own CUDA back end, but this crate is for LibTorch.
#![expect(deprecated)]

use std::ops::Deref;

use burn::backend::{BackendTypes, LibTorch};
use burn::tensor::{Int, Tensor};

use crate::raw::LibTorchError;

type Primitive = <LibTorch as BackendTypes>::FloatTensorPrimitive;

/// A tensor of burn, as LibTorch's tensor. While it exists, burn knows that the memory is shared, and does not write to
/// it.
pub(crate) struct Seen(Primitive);

impl Deref for Seen {
    type Target = tch::Tensor;

    fn deref(&self) -> &tch::Tensor {
        &self.0.tensor
    }
}

/// Returns whether a tensor is LibTorch's.
pub fn is_here<const D: usize>(tensor: &Tensor<D>) -> bool {
    primitive(tensor).is_some()
}

pub(crate) fn see<const D: usize>(tensor: &Tensor<D>) -> Seen {
    let Some(primitive) = primitive(tensor) else {
        panic!("a tensor of another back end was passed to LibTorch")
    };
    Seen(primitive)
}

fn primitive<const D: usize>(tensor: &Tensor<D>) -> Option<Primitive> {
    tensor.clone().try_into_primitive::<LibTorch>().ok()
}

/// Returns the burn tensor of a new LibTorch tensor. `tensor` must not share its memory with any tensor of burn.
pub(crate) fn own<const D: usize>(tensor: tch::Tensor) -> Tensor<D> {
    Tensor::from_primitive::<LibTorch>(Primitive::new(tensor))
}

/// Returns the burn tensor of whole numbers, with the same condition as [`own`].
pub(crate) fn own_indices<const D: usize>(tensor: tch::Tensor) -> Tensor<D, Int> {
    Tensor::from_primitive::<LibTorch>(Primitive::new(tensor))
}

/// Returns the result, or panics with LibTorch's message, as burn-tch does.
pub(crate) fn or_panic<T>(result: Result<T, LibTorchError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
