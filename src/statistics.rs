//! Statistics over a few seeds: means with confidence intervals, differences of means, rank correlation, and
//! adjustments for many comparisons.
//!
//! All functions are pure and take finite numbers. If there are too few values for a confidence interval, the interval
//! is `None`, and the program draws no conclusion from the estimate.

mod kendall;
mod many;
mod mean;

pub use kendall::{Kendall, kendall};
pub use many::holm;
pub use mean::{Estimate, Square, StandardError, difference_of_differences, mean, paired_difference, welch_difference};

/// The confidence level of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// A confidence interval; `low` ≤ `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// Returns the interval `middle` ± `half_width`.
    fn around(middle: f64, half_width: f64) -> Self {
        Self {
            low: middle - half_width,
            high: middle + half_width,
        }
    }

    /// Returns whether zero lies outside the interval, so that the sign of the estimated quantity is known.
    #[must_use]
    pub fn tells_sign(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}
