//! Means and differences of means, with intervals by Student's t.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{CONFIDENCE, Interval};

/// A mean, or a difference of means, with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number of values or of pairs. For a difference without pairs, it is the size of the smaller group.
    pub count: usize,
    /// The estimate itself.
    pub value: f64,
    /// Its 95 % confidence interval. It is `None` with fewer than two values, or if all values are equal: a few equal
    /// values are a coincidence of rounding (accuracies count whole examples) and do not mean that the spread is zero.
    pub interval: Option<Interval>,
    /// Its standard error, if it has an interval.
    pub error: Option<StandardError>,
}

/// The standard error of an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StandardError {
    /// The standard error itself.
    pub value: f64,
    /// The degrees of freedom of its Student's t.
    pub freedom: f64,
}

impl Estimate {
    /// Builds an estimate from numbers that were divided by `scale`.
    fn scaled(count: usize, value: f64, error: Option<StandardError>, scale: f64) -> Self {
        let error = error.map(|error| StandardError {
            value: error.value * scale,
            ..error
        });
        let mut estimate = Self {
            count,
            value: value * scale,
            interval: None,
            error,
        };
        estimate.interval = estimate.interval_at(CONFIDENCE);
        estimate
    }

    /// Builds an estimate without an interval.
    fn bare(count: usize, value: f64) -> Self {
        Self {
            count,
            value,
            interval: None,
            error: None,
        }
    }

    /// Returns its interval with another confidence level, x ± t·se with the quantile t of (1 + `confidence`)/2.
    #[must_use]
    pub fn interval_at(&self, confidence: f64) -> Option<Interval> {
        let error = self.error?;
        let quantile = error.distribution()?.inverse_cdf(0.5 + confidence / 2.0);
        Some(Interval::around(self.value, quantile * error.value))
    }

    /// Returns its Bonferroni interval: of `comparisons` such intervals, all contain their true values with a
    /// probability of at least 95 %. Each has the confidence level 1 − 0.05/`comparisons` (Dunn 1961, Journal of the
    /// American Statistical Association 56).
    #[must_use]
    pub fn bonferroni(&self, comparisons: usize) -> Option<Interval> {
        self.interval_at(1.0 - (1.0 - CONFIDENCE) / comparisons.max(1) as f64)
    }

    /// Returns the two-sided p-value of its t test: the probability of |t| ≥ |x|/se if the true value is 0. It is below
    /// 0.05 if zero lies outside the interval.
    #[must_use]
    pub fn p_value(&self) -> Option<f64> {
        let error = self.error?;
        Some((2.0 * error.distribution()?.sf(self.value.abs() / error.value)).min(1.0))
    }

    /// Returns its sign (−1 or 1) if zero lies outside its interval.
    #[must_use]
    pub fn told_sign(&self) -> Option<f64> {
        self.interval.filter(Interval::tells_sign).map(|_| self.value.signum())
    }
}

/// Computes the mean of `values` with its interval x̄ ± t₀.₉₇₅,ₙ₋₁·s/√n. Returns `None` if there are no values.
#[must_use]
pub fn mean(values: &[f64]) -> Option<Estimate> {
    let scale = scale_of(values.iter());
    let (mean, variance) = moments(&scaled(values, scale))?;
    let count = values.len();
    let error = variance.map(|variance| StandardError {
        value: (variance / count as f64).sqrt(),
        freedom: count as f64 - 1.0,
    });
    Some(Estimate::scaled(count, mean, error, scale))
}

/// Computes the mean of `after − before` over `pairs` of (before, after), with the interval of the mean of the
/// differences. Influences that both values of a pair share, such as the initial parameters of a seed, cancel.
#[must_use]
pub fn paired_difference(pairs: &[(f64, f64)]) -> Option<Estimate> {
    let differences: Vec<f64> = pairs.iter().map(|(before, after)| after - before).collect();
    mean(&differences)
}

/// Computes the difference `mean(after) − mean(before)` of two unpaired groups with Welch's interval: each group has
/// its own variance, and the degrees of freedom are those of Welch and Satterthwaite (Welch 1947, Biometrika 34).
#[must_use]
pub fn welch_difference(before: &[f64], after: &[f64]) -> Option<Estimate> {
    let scale = scale_of(before.iter().chain(after));
    let scaled = |values| moments(&scaled(values, scale));
    let ((first, first_variance), (second, second_variance)) = (scaled(before)?, scaled(after)?);
    let error = first_variance.zip(second_variance).map(|(first, second)| {
        let (n, m) = (before.len() as f64, after.len() as f64);
        let (a, b) = (first / n, second / m);
        StandardError {
            value: (a + b).sqrt(),
            freedom: (a + b).powi(2) / (a * a / (n - 1.0) + b * b / (m - 1.0)),
        }
    });
    let count = before.len().min(after.len());
    Some(Estimate::scaled(count, second - first, error, scale))
}

/// The values of one seed in the four cells of an interaction: two levels of one setting, at two levels of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Square {
    /// The values before and after at the first level of the other setting.
    pub first: (f64, f64),
    /// The values before and after at the second level.
    pub second: (f64, f64),
}

impl Square {
    /// Returns `(after − before)` at the first level minus `(after − before)` at the second.
    fn interaction(&self) -> f64 {
        (self.first.1 - self.first.0) - (self.second.1 - self.second.0)
    }

    fn largest(&self) -> f64 {
        let values = [self.first.0, self.first.1, self.second.0, self.second.1];
        values.iter().fold(0.0, |largest, value| value.abs().max(largest))
    }
}

/// Computes the difference of differences (the interaction): the mean over `seeds` of `(after − before)` at the first
/// level minus `(after − before)` at the second, with the interval of this mean, which has n − 1 degrees of freedom.
/// This is the interaction of a two-way design with repeated measures. Returns `None` without seeds.
///
/// Numbers that are equal except for the rounding of these subtractions are equal values, which have no interval.
#[must_use]
pub fn difference_of_differences(seeds: &[Square]) -> Option<Estimate> {
    let all: Vec<f64> = seeds.iter().map(Square::interaction).collect();
    let (&first, _) = all.split_first()?;
    let rounding = ROUNDING * seeds.iter().map(Square::largest).fold(0.0, f64::max);
    if all.iter().all(|one| (one - first).abs() <= rounding) {
        let value = if first.abs() <= rounding { 0.0 } else { first };
        return Some(Estimate::bare(all.len(), value));
    }
    mean(&all)
}

/// Computes the mean and the unbiased variance. There is no variance for fewer than two values or for equal values.
/// Returns `None` if there are no values.
fn moments(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let count = values.len() as f64;
    let (&first, _) = values.split_first()?;
    let mean = values.iter().sum::<f64>() / count;
    let differ = values.iter().any(|value| (value - first).abs() > SAME * first.abs());
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    Some((mean, differ.then_some(variance)))
}

/// Returns a power of two near the largest value. Division by it keeps squares within the range of an `f64` (the square
/// of 1e200 overflows, that of 1e-200 underflows) and causes no rounding.
fn scale_of<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    let largest = values.fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if largest > 0.0 && largest.is_finite() {
        largest.log2().floor().exp2()
    } else {
        1.0
    }
}

fn scaled(values: &[f64], scale: f64) -> Vec<f64> {
    values.iter().map(|value| value / scale).collect()
}

/// The relative difference below which two numbers count as equal: it can come from rounding in a subtraction.
const SAME: f64 = 1e-9;

/// The largest error of a difference of differences that comes from rounding, relative to the largest of its values. An
/// accuracy in per cent has a relative error of about 1e-16.
const ROUNDING: f64 = 1e-14;

impl StandardError {
    fn distribution(&self) -> Option<StudentsT> {
        StudentsT::new(0.0, 1.0, self.freedom).ok()
    }
}
