//! Sharpness-aware minimization (Foret et al. 2021, "Sharpness-aware minimization for efficiently improving
//! generalization"), exactly and as its authors' code has it.
//!
//! A step takes two gradients of the same batch with the same dropout masks: g at the parameters w, and the one that
//! the optimizer uses at w + ρ g/‖g‖. Weight decay is part of the loss in both, and batch norm takes the statistics of
//! the first pass into its running ones.

use burn::tensor::Tensor;

/// Below any norm that is not zero for want of a gradient.
const TINY: f64 = 1e-30;

/// The ascent of one step.
pub(super) struct Climb {
    /// w + ρ g/‖g‖, `[parameters]`; w itself where g is zero.
    pub(super) parameters: Tensor<1>,
    /// ‖g‖, `[1]`, still on the device.
    pub(super) norm: Tensor<1>,
}

impl Climb {
    /// From w along g, both `[parameters]`, as far as ρ.
    pub(super) fn new(parameters: &Tensor<1>, gradient: &Tensor<1>, rho: f64) -> Self {
        // Scaled by its largest entry, so that no square leaves the format's range.
        let largest = gradient.clone().abs().max().clamp_min(TINY);
        let scaled = gradient.clone() / largest.clone();
        let length = (scaled.clone() * scaled.clone()).sum().sqrt().clamp_min(TINY);
        Self {
            parameters: parameters.clone() + scaled / length.clone() * rho,
            norm: length * largest,
        }
    }
}
