//! Compares numbers on a screen with expected values.

/// Returns whether the first number after `words` on the screen is `value`, to every digit shown. Fractions of 1 may be
/// shown as percentages.
pub fn shows(shown: &str, words: &str, value: f64) -> bool {
    let after = shown.split_once(words).map_or("", |(_, rest)| rest.trim_start());
    let is_of_number = |letter: char| letter.is_ascii_digit() || letter == '.';
    let (number, rest) = after.split_at(after.find(|letter| !is_of_number(letter)).unwrap_or(after.len()));
    let scale = if rest.starts_with('%') { 100.0 } else { 1.0 };
    let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let half_of_last = 0.5 * 0.1_f64.powi(i32::try_from(decimals).unwrap());
    // A half may be rounded up or down.
    let near = |number: f64| (number - value * scale).abs() <= half_of_last * (1.0 + 1e-9);
    number.parse().is_ok_and(near)
}
