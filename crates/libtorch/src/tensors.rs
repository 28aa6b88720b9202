//! Between burn's tensors and LibTorch's.

// Burn favours its own CUDA back end; LibTorch is what this crate is for.
#![expect(deprecated)]

use std::ops::Deref;

use burn::backend::{BackendTypes, LibTorch};
use burn::tensor::{Int, Tensor};

use crate::raw::LibTorchError;

type Primitive = <LibTorch as BackendTypes>::FloatTensorPrimitive;

/// A tensor of burn's, seen as LibTorch's. As long as it is there, burn knows that the memory is not its alone, and does
/// not write to it.
pub(crate) struct Seen(Primitive);

impl Deref for Seen {
    type Target = tch::Tensor;

    fn deref(&self) -> &tch::Tensor {
        &self.0.tensor
    }
}

/// Whether a tensor is LibTorch's.
pub fn is_here<const D: usize>(tensor: &Tensor<D>) -> bool {
    primitive(tensor).is_some()
}

pub(crate) fn see<const D: usize>(tensor: &Tensor<D>) -> Seen {
    let Some(primitive) = primitive(tensor) else {
        panic!("a tensor of another back end was handed to LibTorch")
    };
    Seen(primitive)
}

fn primitive<const D: usize>(tensor: &Tensor<D>) -> Option<Primitive> {
    tensor.clone().try_into_primitive::<LibTorch>().ok()
}

/// The burn tensor of a new one: `tensor` must not share its memory with any that burn has.
pub(crate) fn own<const D: usize>(tensor: tch::Tensor) -> Tensor<D> {
    Tensor::from_primitive::<LibTorch>(Primitive::new(tensor))
}

/// The same of whole numbers.
pub(crate) fn own_indices<const D: usize>(tensor: tch::Tensor) -> Tensor<D, Int> {
    Tensor::from_primitive::<LibTorch>(Primitive::new(tensor))
}

/// Passes on what LibTorch threw, as burn-tch does.
pub(crate) fn or_panic<T>(result: Result<T, LibTorchError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
