//! TF32: 32-bit products on CUDA with factors of ten bits of mantissa.

use burn::tensor::{DType, Tensor};

use super::transfer::works_behind;

/// Whether products of what is computed from `tensor` can be rounded to TF32: on CUDA, in 32 bits.
pub fn can_round<const D: usize>(tensor: &Tensor<D>) -> bool {
    works_behind(tensor) && tensor.dtype() == DType::F32
}

/// A guard: while it lives, CUDA may or may not round the factors of 32-bit products to TF32; then the former setting returns.
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
