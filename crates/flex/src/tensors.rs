//! Conversions between burn's tensors and slices of numbers.

use burn::backend::{BackendTypes, Flex};
use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::number::Number;

pub(crate) type Primitive = <Flex as BackendTypes>::FloatTensorPrimitive;

/// A tensor of burn-flex, contiguous in memory.
pub(crate) struct Seen(Primitive);

impl Seen {
    pub(crate) fn format(&self) -> DType {
        self.0.dtype()
    }

    /// Returns its numbers in row-major order.
    ///
    /// # Panics
    ///
    /// If T is not the tensor's format.
    pub(crate) fn numbers<T: Number>(&self) -> &[T] {
        match self.0.as_slice() {
            Some(numbers) => numbers,
            None => panic!("a tensor of {:?}, not of {:?}", self.format(), T::dtype()),
        }
    }
}

/// Returns the device of burn-flex's tensors.
pub fn device() -> Device {
    Device::flex()
}

/// Returns whether a tensor is burn-flex's, in a format that this crate supports.
pub fn is_here<const D: usize>(tensor: &Tensor<D>) -> bool {
    primitive(tensor.clone()).is_some()
}

pub(crate) fn see<const D: usize>(tensor: &Tensor<D>) -> Seen {
    let primitive = taken(tensor.clone());
    Seen(if primitive.is_contiguous() {
        primitive
    } else {
        primitive.to_contiguous()
    })
}

/// Returns burn-flex's own tensor of a burn tensor.
pub(crate) fn taken<const D: usize>(tensor: Tensor<D>) -> Primitive {
    primitive(tensor).unwrap_or_else(|| panic!("a tensor of another back end or format was passed to flex"))
}

fn primitive<const D: usize>(tensor: Tensor<D>) -> Option<Primitive> {
    if !matches!(tensor.dtype(), DType::F32 | DType::F64) {
        return None;
    }
    tensor.try_into_primitive::<Flex>().ok()
}

/// Returns the tensor of these numbers, on the device of `like`.
pub(crate) fn own<T: Number, const D: usize, const E: usize>(
    numbers: Vec<T>,
    shape: [usize; D],
    like: &Tensor<E>,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers, shape), (&like.device(), T::dtype()))
}
