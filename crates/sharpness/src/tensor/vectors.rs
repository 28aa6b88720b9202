//! Arithmetic of parameter vectors.

use burn::tensor::Tensor;

/// Returns x + s y.
pub fn add_scaled(x: Tensor<1>, y: Tensor<1>, s: f64) -> Tensor<1> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(&x) {
        // In one pass over the vectors.
        return sharptui_libtorch::add_scaled(&x, &y, s);
    }
    x + y * s
}

/// Safe range of a sum of squares. If a sum is outside of it, single squares may have left float32's range, 1e-38 to
/// 3e38.
pub(crate) const SAFE_SQUARES: std::ops::Range<f64> = 1e-28..1e36;

/// Returns ‖x‖, and scales x first if the squares are outside of the safe range.
///
/// Without scaling, the residual of a Hessian near 1e-20 would be 0 in float32, and any value would seem converged.
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
