//! Formats counts for people.

/// Formats a count with its noun: "1 cell", "12 cells".
#[must_use]
pub fn counted(count: u64, what: &str) -> String {
    format!("{count} {}", plural(count, what))
}

/// Returns the noun in singular or plural.
#[must_use]
pub fn plural(count: u64, what: &str) -> String {
    format!("{what}{}", if count == 1 { "" } else { "s" })
}

/// Formats a number with spaces between thousands: "12 345".
#[must_use]
pub fn apart(number: u64) -> String {
    let digits = number.to_string();
    let mut apart = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            apart.push(' ');
        }
        apart.push(digit);
    }
    apart
}

/// Formats a number for an axis: "800", "10k", "2.5M".
#[must_use]
pub fn short(number: u64) -> String {
    let scaled = |unit: u64, letter: char| {
        let value = number as f64 / unit as f64;
        let text = format!("{value:.2}");
        format!("{}{letter}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => scaled(1_000, 'k'),
        1_000_000..1_000_000_000 => scaled(1_000_000, 'M'),
        _ => scaled(1_000_000_000, 'G'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_readable_at_any_size() {
        assert_eq!(apart(1_234_567), "1 234 567");
        assert_eq!(apart(12), "12");
        for (number, expected) in [(9_999, "9999"), (10_000, "10k"), (12_500, "12.5k"), (2_500_000, "2.5M")] {
            assert_eq!(short(number), expected);
        }
        for (number, expected) in [(0, "0 cells"), (1, "1 cell"), (2, "2 cells")] {
            assert_eq!(counted(number, "cell"), expected);
        }
    }
}
