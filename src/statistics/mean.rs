//! Means and differences of means, with Student's t.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{CONFIDENCE, Interval};

/// A mean, or a difference of means, and how far off it may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How many values, or pairs of values, it is made of; of a difference without pairs, the smaller group's.
    pub count: usize,
    /// The estimate itself.
    pub value: f64,
    /// Its interval of 95 %; none where there are fewer than two values, or where all are equal: a spread of zero in a
    /// handful of values is a coincidence of rounding (accuracies are whole numbers of examples) and no certainty.
    pub interval: Option<Interval>,
}

impl Estimate {
    /// Of numbers that were divided by `scale`.
    fn scaled(count: usize, value: f64, half_width: Option<f64>, scale: f64) -> Self {
        Self {
            count,
            value: value * scale,
            interval: half_width.map(|half_width| Interval::around(value * scale, half_width * scale)),
        }
    }

    /// Its sign (−1 or 1), if its interval tells it.
    #[must_use]
    pub fn told_sign(&self) -> Option<f64> {
        self.interval.filter(Interval::tells_sign).map(|_| self.value.signum())
    }
}

/// The mean of `values` with its interval x̄ ± t₀.₉₇₅,ₙ₋₁·s/√n; none of no values.
#[must_use]
pub fn mean(values: &[f64]) -> Option<Estimate> {
    let scale = scale_of(values.iter());
    let (mean, variance) = moments(&scaled(values, scale))?;
    let count = values.len();
    let half_width =
        variance.and_then(|variance| Some(t_quantile(count as f64 - 1.0)? * (variance / count as f64).sqrt()));
    Some(Estimate::scaled(count, mean, half_width, scale))
}

/// The mean of `after − before` over `pairs` of (before, after), with the interval of the mean of the differences: what
/// the pairs have in common, such as the initial parameters of a seed, cancels.
#[must_use]
pub fn paired_difference(pairs: &[(f64, f64)]) -> Option<Estimate> {
    let differences: Vec<f64> = pairs.iter().map(|(before, after)| after - before).collect();
    mean(&differences)
}

/// The difference `mean(after) − mean(before)` of groups that have no pairs, with Welch's interval: variances of their
/// own, degrees of freedom by Welch and Satterthwaite (Welch 1947, Biometrika 34).
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

/// Mean and unbiased variance; no variance of fewer than two values or of equal ones. None of no values.
fn moments(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let count = values.len() as f64;
    let (&first, _) = values.split_first()?;
    let mean = values.iter().sum::<f64>() / count;
    let differ = values.iter().any(|value| (value - first).abs() > SAME * first.abs());
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    Some((mean, differ.then_some(variance)))
}

/// A power of two near the largest of the values, by which nothing is rounded: squares of what is 1e200 or 1e-200 would
/// leave the range of a float.
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

/// Numbers closer than this, relatively, are equal but for the rounding of their subtraction.
const SAME: f64 = 1e-9;

/// The quantile of Student's t that leaves (1 − 95 %)/2 above it.
fn t_quantile(degrees_of_freedom: f64) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, degrees_of_freedom).ok()?;
    Some(distribution.inverse_cdf(0.5 + CONFIDENCE / 2.0))
}
