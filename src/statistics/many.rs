//! Many comparisons: p-values that stay valid when the smallest of several is picked.

/// Adjusts the p-values of a family of comparisons by Holm's step-down method: if no effect exists, the probability that
/// any adjusted p-value is below 0.05 is at most 5 %, however the comparisons depend on each other. Of m p-values in
/// ascending order, the i-th becomes the largest of min(1, (m − j + 1)·pⱼ) over j ≤ i (Holm 1979, Scandinavian Journal
/// of Statistics 6). Returns them in the order of `p_values`.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; count];
    let mut least: f64 = 0.0;
    for (place, index) in order.into_iter().enumerate() {
        least = least.max(p_values[index] * (count - place) as f64).min(1.0);
        adjusted[index] = least;
    }
    adjusted
}
