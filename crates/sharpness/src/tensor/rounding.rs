//! TF32: on CUDA, 32-bit products whose factors are rounded to ten bits of mantissa.

use burn::tensor::{DType, Tensor};

use super::transfer::works_behind;

/// Returns whether products with the device and format of `tensor` can be rounded to TF32: on CUDA, in 32 bits.
pub fn can_round<const D: usize>(tensor: &Tensor<D>) -> bool {
    works_behind(tensor) && tensor.dtype() == DType::F32
}

/// A guard that allows or forbids CUDA to round the factors of 32-bit products to TF32. When it is dropped, the former
/// setting returns.
pub struct Rounding {
    #[cfg(feature = "tch")]
    before: bool,
}

impl Rounding {
    /// Allows or forbids rounding.
    pub fn to_tf32(allowed: bool) -> Self {
        #[cfg(not(feature = "tch"))]
        let _ = allowed;
        Self {
            #[cfg(feature = "tch")]
            before: sharptui_libtorch::allow_tf32(allowed),
        }
    }
}

impl Drop for Rounding {
    fn drop(&mut self) {
        #[cfg(feature = "tch")]
        sharptui_libtorch::allow_tf32(self.before);
    }
}
