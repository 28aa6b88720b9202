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
}

impl Estimate {
    /// Builds an estimate from numbers that were divided by `scale`.
    fn scaled(count: usize, value: f64, half_width: Option<f64>, scale: f64) -> Self {
        Self {
            count,
            value: value * scale,
            interval: half_width.map(|half_width| Interval::around(value * scale, half_width * scale)),
        }
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
    let half_width =
        variance.and_then(|variance| Some(t_quantile(count as f64 - 1.0)? * (variance / count as f64).sqrt()));
    Some(Estimate::scaled(count, mean, half_width, scale))
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
    let half_width = first_variance.zip(second_variance).and_then(|(first, second)| {
        let (n, m) = (before.len() as f64, after.len() as f64);
        let (a, b) = (first / n, second / m);
        let freedom = (a + b).powi(2) / (a * a / (n - 1.0) + b * b / (m - 1.0));
        Some(t_quantile(freedom)? * (a + b).sqrt())
    });
    let count = before.len().min(after.len());
    Some(Estimate::scaled(count, second - first, half_width, scale))
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

/// Returns the 97.5 % quantile of Student's t.
fn t_quantile(degrees_of_freedom: f64) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, degrees_of_freedom).ok()?;
    Some(distribution.inverse_cdf(0.5 + CONFIDENCE / 2.0))
}
