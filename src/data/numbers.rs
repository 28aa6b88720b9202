//! The numbers that can be features and labels, and how messages quote what is none.

/// The largest magnitude of a feature. Sums of so many examples as fit into memory stay far below the largest number of
/// 64 bits.
const LARGEST: f64 = 1e30;

/// The allowed numbers, for messages.
pub(super) const ALLOWED: &str = "a number from -1e30 to 1e30";

/// Returns whether a number can be a feature.
pub(super) fn is_allowed(number: f64) -> bool {
    number.abs() <= LARGEST
}

/// Returns a number that can be a label as a whole number.
#[allow(clippy::cast_possible_truncation)] // the number is whole and small
pub(super) fn whole_number(number: f64) -> Option<i64> {
    let is_small = number.abs() <= f64::from(u32::MAX);
    (is_small && number.fract() == 0.0).then_some(number as i64)
}

/// Returns a field of a file for a message, cut to fit a line.
pub(super) fn quoted(field: &str) -> String {
    const LONGEST: usize = 40;
    if field.chars().count() <= LONGEST {
        return format!("{field:?}");
    }
    let start: String = field.chars().take(LONGEST).collect();
    format!("{:?}", start + "…")
}
