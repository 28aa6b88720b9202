//! TF32 for a while.

use burn::tensor::Tensor;

/// Whether products of what is computed from `tensor` can be rounded to TF32: on CUDA, in 32 bits.
pub fn can_round<const D: usize>(tensor: &Tensor<D>) -> bool {
    #[cfg(feature = "tch")]
    {
        sharptui_libtorch::works_behind(tensor) && tensor.dtype() == burn::tensor::DType::F32
    }
    #[cfg(not(feature = "tch"))]
    {
        let _ = tensor;
        false
    }
}

/// As long as it is there, CUDA may round the factors of 32-bit products to TF32, and afterwards no longer.
pub struct Rounding(());

impl Rounding {
    /// From now on.
    pub fn begin() -> Self {
        #[cfg(feature = "tch")]
        sharptui_libtorch::allow_tf32(true);
        Self(())
    }
}

impl Drop for Rounding {
    fn drop(&mut self) {
        #[cfg(feature = "tch")]
        sharptui_libtorch::allow_tf32(false);
    }
}
