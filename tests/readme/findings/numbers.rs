//! The statistics of the findings, written once more and apart from those of the program, and how the page writes numbers.

/// The 0.975 quantile of the normal distribution, from tables.
const NORMAL: f64 = 1.959_964;

/// The 0.975 quantile of Student's t for the mean of so many values, from tables.
const STUDENT: [(usize, f64); 2] = [(5, 2.776_445), (10, 2.262_157)];

/// A number with the ends of its 95 % interval.
#[derive(Clone, Copy, Debug)]
pub struct Interval([f64; 3]);

impl Interval {
    /// Returns the mean of as many values as the table of quantiles has, with the interval by Student's t.
    pub fn of_mean(values: &[f64]) -> Self {
        let n = values.len();
        let (_, quantile) = STUDENT
            .into_iter()
            .find(|(count, _)| *count == n)
            .unwrap_or_else(|| panic!("no quantile for the mean of {n} values"));
        let mean = mean(values);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let half = quantile * (squares / ((n - 1) * n) as f64).sqrt();
        Self([mean, mean - half, mean + half])
    }

    /// Returns Kendall's τ-b, with the interval of Bonett and Wright (2000): Fisher's z with variance 0.437 / (n − 4).
    pub fn of_rank_correlation(x: &[f64], y: &[f64]) -> Self {
        let tau = kendall(x, y);
        let half = NORMAL * (0.437 / (x.len() as f64 - 4.0)).sqrt();
        Self([tau, (tau.atanh() - half).tanh(), (tau.atanh() + half).tanh()])
    }

    /// Returns the number and its interval with these decimals.
    pub fn written(self, decimals: usize) -> String {
        let [value, low, high] = self.0.map(|value| written(value, decimals));
        let sign = if value.starts_with('−') { "" } else { "+" };
        format!("{sign}{value} [{low}, {high}]")
    }

    /// Returns the number and its interval, with the decimals that give three digits to the larger of the number and half the width of
    /// the interval.
    pub fn significant(self) -> String {
        let [value, low, high] = self.0;
        self.written(decimals(value.abs().max((high - low) / 2.0)))
    }
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns `b − a`, element by element.
pub fn differences([a, b]: &[Vec<f64>; 2]) -> Vec<f64> {
    b.iter().zip(a).map(|(b, a)| b - a).collect()
}

fn kendall(x: &[f64], y: &[f64]) -> f64 {
    let (mut score, mut of_x, mut of_y) = (0.0, 0.0_f64, 0.0);
    let sign = |difference: f64| if difference == 0.0 { 0.0 } else { difference.signum() };
    for i in 0..x.len() {
        for j in 0..i {
            let (a, b) = (sign(x[i] - x[j]), sign(y[i] - y[j]));
            score += a * b;
            of_x += a.abs();
            of_y += b.abs();
        }
    }
    score / (of_x * of_y).sqrt()
}

/// Writes a number with the sign of minus.
pub fn written(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}").replace('-', "−")
}

/// Writes a number with three digits.
pub fn significant(value: f64) -> String {
    written(value, decimals(value))
}

/// Returns how many decimals give three digits to a number.
fn decimals(value: f64) -> usize {
    (2 - value.abs().log10().floor() as i32).clamp(0, 9) as usize
}
