//! Kendall's rank correlation τ-b.

use statrs::distribution::{ContinuousCDF, Normal};

use super::{CONFIDENCE, Interval};

/// The largest number of pairs for which the p-value is computed exactly (without ties). For more pairs, the normal
/// approximation is good enough.
const MOST_COUNTED: usize = 33;

/// The rank correlation of two quantities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kendall {
    /// The number of pairs of values.
    pub count: usize,
    /// τ-b, from −1 to 1.
    pub tau_b: f64,
    /// Its 95 % confidence interval; `None` with fewer than five pairs.
    pub interval: Option<Interval>,
    /// The two-sided p-value: the probability of a τ-b at least this far from 0 if the two quantities are independent.
    pub p_value: f64,
}

impl Kendall {
    /// Returns the sign of τ-b (−1 or 1) if both the interval and the p-value are significant, else `None`. The
    /// interval is an approximation for values without ties; the p-value is exact, or corrected for ties.
    #[must_use]
    pub fn told_sign(&self) -> Option<f64> {
        self.interval
            .filter(|interval| interval.tells_sign() && self.p_value < 1.0 - CONFIDENCE)
            .map(|_| self.tau_b.signum())
    }
}

/// Computes Kendall's τ-b = (C − D)/√((N − T)(N − U)) of n finite pairs of values. Of the N = n(n−1)/2 pairs of pairs,
/// C are concordant, D are discordant, T are tied in the first quantity and U are tied in the second (Kendall 1945,
/// Biometrika 33). Returns `None` if τ-b is not defined: with fewer than two pairs, or if a quantity never changes.
///
/// The interval is Fisher's z, artanh τ ± 1.96·√(0.437/(n−4)), by Fieller, Hartley and Pearson (1957, Biometrika 44;
/// Bonett and Wright 2000, Psychometrika 65). At τ = ±1, artanh τ is infinite and the interval would have no width.
/// There, z is computed at ±(1 − 1/N) instead, half a pair away. With five pairs in perfect order, the interval is
/// [0.17, 1], and the probability of a perfect order is 2/5! = 0.017.
#[must_use]
pub fn kendall(pairs: &[(f64, f64)]) -> Option<Kendall> {
    let count = pairs.len();
    let all = (count * count.saturating_sub(1) / 2) as f64;
    let (mut balance, mut ties) = (0.0, [0.0; 2]);
    for (index, (x, y)) in pairs.iter().enumerate() {
        for (other_x, other_y) in &pairs[..index] {
            let (dx, dy) = (sign(x - other_x), sign(y - other_y));
            balance += dx * dy;
            ties[0] += f64::from(dx == 0.0);
            ties[1] += f64::from(dy == 0.0);
        }
    }
    let untied = (all - ties[0]) * (all - ties[1]);
    if untied <= 0.0 {
        return None;
    }
    let tau_b = (balance / untied.sqrt()).clamp(-1.0, 1.0);
    let has_ties = ties.iter().any(|&tied| tied > 0.0);
    let p_value = if has_ties || count > MOST_COUNTED {
        approximate_p(pairs, balance)?
    } else {
        counted_p(count, (all - balance.abs()) / 2.0)
    };
    Some(Kendall {
        count,
        tau_b,
        interval: interval(count, tau_b, all),
        p_value,
    })
}

fn sign(difference: f64) -> f64 {
    if difference == 0.0 { 0.0 } else { difference.signum() }
}

fn interval(count: usize, tau: f64, all_pairs: f64) -> Option<Interval> {
    let freedom = count.checked_sub(4).filter(|&freedom| freedom > 0)? as f64;
    let most = 1.0 - 1.0 / all_pairs;
    let z = tau.clamp(-most, most).atanh();
    let half_width = normal()?.inverse_cdf(0.5 + CONFIDENCE / 2.0) * (0.437 / freedom).sqrt();
    Some(Interval {
        low: if tau <= -most { -1.0 } else { (z - half_width).tanh() },
        high: if tau >= most { 1.0 } else { (z + half_width).tanh() },
    })
}

/// Computes the exact two-sided p-value over all n! orders, which are equally likely: twice the probability of at most
/// `inversions` discordant pairs.
///
/// The number of orders of n elements with k inversions is the sum of the numbers for n − 1 elements with k − n + 1 to
/// k inversions.
fn counted_p(count: usize, inversions: f64) -> f64 {
    let most = inversions as usize;
    let mut shares = vec![0.0; most + 1];
    shares[0] = 1.0;
    for elements in 2..=count {
        let before = shares.clone();
        for (k, share) in shares.iter_mut().enumerate() {
            let from = (k + 1).saturating_sub(elements);
            *share = before[from..=k].iter().sum::<f64>() / elements as f64;
        }
    }
    (2.0 * shares.iter().sum::<f64>()).min(1.0)
}

/// Computes the two-sided p-value of C − D in the normal approximation, with mean 0 and the variance corrected for ties
/// (Kendall 1970, Rank Correlation Methods, section 4).
fn approximate_p(pairs: &[(f64, f64)], balance: f64) -> Option<f64> {
    let n = pairs.len() as f64;
    let groups = [
        tied_groups(pairs.iter().map(|(x, _)| *x).collect()),
        tied_groups(pairs.iter().map(|(_, y)| *y).collect()),
    ];
    let [x, y] = &groups;
    let sum = |groups: &[f64], of: fn(f64) -> f64| groups.iter().map(|&size| of(size)).sum::<f64>();
    let spread = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
    let two = |t: f64| t * (t - 1.0);
    let three = |t: f64| t * (t - 1.0) * (t - 2.0);
    let mut variance = (spread(n) - sum(x, spread) - sum(y, spread)) / 18.0;
    variance += sum(x, two) * sum(y, two) / (2.0 * two(n));
    if n > 2.0 {
        variance += sum(x, three) * sum(y, three) / (9.0 * three(n));
    }
    let z = balance.abs() / variance.sqrt();
    Some((2.0 * normal()?.sf(z)).min(1.0))
}

/// Returns the sizes of the groups of equal values.
fn tied_groups(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
        .chunk_by(|a, b| sign(a - b) == 0.0)
        .map(|group| group.len() as f64)
        .collect()
}

fn normal() -> Option<Normal> {
    Normal::new(0.0, 1.0).ok()
}
