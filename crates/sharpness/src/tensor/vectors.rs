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

/// Squares that add up to something outside of this may have left float32's range, 1e-38 to 3e38, one by one.
pub(crate) const SAFE_SQUARES: std::ops::Range<f64> = 1e-28..1e36;

/// ‖x‖.
///
/// Without care the residual of a Hessian near 1e-20 would be 0 in float32, and any value would seem converged.
pub fn norm(x: &Tensor<1>) -> f64 {
    let squares = (x.clone() * x.clone()).sum().into_scalar::<f64>();
    if squares.is_nan() || SAFE_SQUARES.contains(&squares) {
        return squares.sqrt();
    }
    let largest = x.clone().abs().max().into_scalar::<f64>();
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let scaled = x.clone() / largest;
    largest * (scaled.clone() * scaled).sum().into_scalar::<f64>().sqrt()
}
