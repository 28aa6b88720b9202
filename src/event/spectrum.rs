//! The spectral density and the layers' eigenvalues at one step.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::nulls::{nan_where_null, nans_where_null};

/// A spectral density by stochastic Lanczos quadrature: one list for each random vector. The mean over the vectors of
/// Σⱼ wⱼ f(θⱼ) estimates the mean of f over all eigenvalues.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpectrumPoint {
    /// The nodes θⱼ, the largest first. Null if products were not finite.
    #[serde(deserialize_with = "nans_where_null")]
    pub nodes: Vec<Vec<f64>>,
    /// The weights wⱼ, whose sum is 1.
    #[serde(deserialize_with = "nans_where_null")]
    pub weights: Vec<Vec<f64>>,
}

/// λ_max of one layer's block of the Hessian.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerPoint {
    /// The name of the layer.
    pub name: String,
    /// The number of its parameters.
    pub parameters: u64,
    /// The largest eigenvalue of its block; NaN if products were not finite.
    #[serde(deserialize_with = "nan_where_null")]
    pub lambda_max: f64,
    /// The residual: an eigenvalue of the block lies within this distance.
    #[serde(deserialize_with = "nan_where_null")]
    pub residual: f64,
    /// Whether the residual met the tolerance.
    pub converged: bool,
}

/// The standard deviation of the normal density that smooths a spectral density, as a fraction of the spectrum's width.
const SMOOTHING: f64 = 0.01;

impl SpectrumPoint {
    /// Returns the smallest and the largest node; `None` if there are none, or if they are not finite.
    #[must_use]
    pub fn ends(&self) -> Option<(f64, f64)> {
        let nodes = self.nodes.iter().flatten().copied();
        let ends = nodes
            .map(|node| (node, node))
            .reduce(|(low, high), (node, _)| (low.min(node), high.max(node)));
        let is_finite = self.nodes.iter().flatten().all(|node| node.is_finite());
        ends.filter(|_| is_finite)
    }

    /// Returns the standard deviation of the normal density with which [`density`](Self::density) is to be smoothed: a
    /// hundredth of the spectrum's width.
    #[must_use]
    pub fn smoothing(&self) -> f64 {
        let (low, high) = self.ends().unwrap_or((0.0, 1.0));
        ((high - low) * SMOOTHING).max(f64::MIN_POSITIVE)
    }

    /// Returns the estimated density of eigenvalues at x, convolved with a normal density of standard deviation `width`.
    /// Its integral is 1.
    #[must_use]
    pub fn density(&self, x: f64, width: f64) -> f64 {
        let height = 1.0 / (width * (2.0 * PI).sqrt());
        let lists = self.nodes.iter().zip(&self.weights);
        let sums = lists.map(|(nodes, weights)| {
            let pairs = nodes.iter().zip(weights);
            pairs
                .map(|(node, weight)| weight * height * (-0.5 * ((x - node) / width).powi(2)).exp())
                .sum::<f64>()
        });
        sums.sum::<f64>() / self.nodes.len().max(1) as f64
    }

    /// Returns the estimated share of eigenvalues above x.
    #[must_use]
    pub fn share_above(&self, x: f64) -> f64 {
        let lists = self.nodes.iter().zip(&self.weights);
        let sums = lists.map(|(nodes, weights)| {
            let above = nodes.iter().zip(weights).filter(|(node, _)| **node > x);
            above.map(|(_, weight)| weight).sum::<f64>()
        });
        sums.sum::<f64>() / self.nodes.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_vectors() -> SpectrumPoint {
        SpectrumPoint {
            nodes: vec![vec![5.0, 0.0], vec![5.0, 1.0, -1.0]],
            weights: vec![vec![0.1, 0.9], vec![0.3, 0.2, 0.5]],
        }
    }

    #[test]
    fn a_density_has_the_integral_one_and_the_mean_of_the_nodes() {
        let spectrum = two_vectors();
        assert_eq!(spectrum.ends(), Some((-1.0, 5.0)));
        let width = 0.1;
        let step = 0.01;
        let grid = (0..1_000).map(|n| -3.0 + step * f64::from(n));
        let (mut integral, mut mean) = (0.0, 0.0);
        for x in grid {
            integral += step * spectrum.density(x, width);
            mean += step * x * spectrum.density(x, width);
        }
        assert!((integral - 1.0).abs() < 1e-9);
        // (0.5 + 0 + 1.5 + 0.2 − 0.5) / 2.
        assert!((mean - 0.85).abs() < 1e-9, "{mean}");
        assert!((spectrum.share_above(2.0) - 0.2).abs() < 1e-15);
        assert!((spectrum.smoothing() - 0.06).abs() < 1e-15);
    }

    #[test]
    fn numbers_that_are_not_finite_are_null_on_disk_and_have_no_ends() {
        let mut spectrum = two_vectors();
        spectrum.nodes[1][0] = f64::NAN;
        let text = serde_json::to_string(&spectrum).unwrap();
        let back: SpectrumPoint = serde_json::from_str(&text).unwrap();
        assert!(text.contains("null") && back.nodes[1][0].is_nan() && back.ends().is_none());
        assert_eq!(SpectrumPoint::default().ends(), None);
    }
}
