//! Arithmetic of parameter vectors.

use burn::tensor::Tensor;

/// x + s y.
pub fn add_scaled(x: Tensor<1>, y: Tensor<1>, s: f64) -> Tensor<1> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(&x) {
        // In one pass.
        return sharptui_libtorch::add_scaled(&x, &y, s);
    }
    x + y * s
}
