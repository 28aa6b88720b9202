//! What a few seeds say and what they do not: means with intervals, differences, rank correlation.
//!
//! Pure functions over finite numbers. Where there is too little to say how far off an estimate may be, its interval is
//! absent; nothing is ever claimed without one.

mod kendall;
mod mean;

pub use kendall::{Kendall, kendall};
pub use mean::{Estimate, mean, paired_difference, welch_difference};

/// The confidence of every interval.
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
    /// The interval so far on both sides of its middle.
    fn around(middle: f64, half_width: f64) -> Self {
        Self {
            low: middle - half_width,
            high: middle + half_width,
        }
    }

    /// Whether zero lies outside, so that the sign of what is estimated can be told.
    #[must_use]
    pub fn tells_sign(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}
