//! Means of independent samples.

/// An estimate of a mean by independent samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// The estimate.
    pub value: f64,
    /// The standard error of the estimate, s/√m with the standard deviation s of m samples; NaN for a single sample.
    pub standard_error: f64,
    /// m − 1. The interval value ± t·standard_error covers the mean with probability 95 % if t is the 97.5 % quantile of
    /// Student's t with this many degrees of freedom and the samples are nearly normal.
    pub degrees_of_freedom: u64,
}

impl Sampled {
    /// Returns the mean of `samples`; NaN if there are none.
    pub(super) fn mean(samples: &[f64]) -> Self {
        let count = samples.len() as f64;
        let value = samples.iter().sum::<f64>() / count;
        let squares: f64 = samples.iter().map(|x| (x - value) * (x - value)).sum();
        Self {
            value,
            standard_error: (squares / (count - 1.0) / count).sqrt(),
            degrees_of_freedom: samples.len().saturating_sub(1) as u64,
        }
    }
}
