//! Numbers, durations and the words of files as people read them.

use std::time::Duration;

use crate::number::{decade, fixed};
use crate::quantity::{Format, Quantity};

/// A value with `digits` significant digits: "41.3", "0.0123", "1.2e-7", "–" for what is not finite.
#[must_use]
pub fn value(value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let decade = decade(value, usize::try_from(digits).unwrap_or(1)).unwrap_or(0);
    let decimals = usize::try_from((digits - 1 - decade).max(0)).unwrap_or(0);
    if (-4..6).contains(&decade) {
        format!("{value:.decimals$}")
    } else {
        let digits = usize::try_from(digits - 2).unwrap_or(0);
        format!("{value:.digits$e}")
    }
}

/// The largest integer not above `value`, which has to be small.
#[allow(clippy::cast_possible_truncation)] // Decades of floats lie within ±400.
pub(super) fn floor(value: f64) -> i32 {
    value.floor() as i32
}

/// A share as a percentage with one decimal, "87.5%", but for the whole, "100%".
#[must_use]
pub fn percent(share: Option<f64>) -> String {
    match share {
        Some(1.0) => "100%".to_owned(),
        Some(share) if share.is_finite() => format!("{}%", fixed(share * 100.0, 1)),
        _ => "–".to_owned(),
    }
}

/// A value of a quantity, in three digits or a decimal of a per cent.
#[must_use]
pub fn value_of(quantity: &Quantity, value_of_it: f64) -> String {
    match quantity.format {
        Format::Number => value(value_of_it, 3),
        Format::Share => percent(Some(value_of_it)),
        Format::Seconds => seconds(value_of_it),
    }
}

/// A time in the unit that fits: "1.2 ms".
#[must_use]
pub fn seconds(seconds: f64) -> String {
    let (scale, unit) = match seconds.abs() {
        ..1e-3 => (1e6, "µs"),
        ..1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    let number = value(seconds * scale, 3);
    if seconds.is_finite() {
        format!("{number} {unit}")
    } else {
        number
    }
}

/// A count with its thousands apart: "12 345".
#[must_use]
pub fn count(number: u64) -> String {
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

/// A count for an axis: "800", "10k", "2.5M".
#[must_use]
pub fn short_count(number: u64) -> String {
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

/// An amount of memory: "512 MiB", "1.76 GiB".
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let (number, unit) = scaled(bytes, bytes);
    format!("{number} {unit}")
}

/// A part of an amount of memory, in the unit of the whole: "12.0 of 128 GiB".
#[must_use]
pub fn part_of_bytes(part: u64, whole: u64) -> String {
    let (whole_number, unit) = scaled(whole, whole);
    format!("{} of {whole_number} {unit}", scaled(part, whole).0)
}

fn scaled(bytes: u64, like: u64) -> (String, &'static str) {
    let (shift, unit) = match like {
        0..0x10_0000 => (10, "KiB"),
        0x10_0000..0x4000_0000 => (20, "MiB"),
        _ => (30, "GiB"),
    };
    (value(bytes as f64 / (1_u64 << shift) as f64, 3), unit)
}

/// Words that begin a sentence.
pub(super) fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A duration in its two largest units: "8s", "4m 05s", "2h 07m", "3d 04h".
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// An estimate: "~4m 05s", or "–" where nothing is known.
#[must_use]
pub fn estimate(left: Option<Duration>) -> String {
    left.map_or_else(|| "–".to_owned(), |left| format!("~{}", duration(left)))
}

/// What a file has, in an error: not all of it, and nothing that a terminal would obey.
pub(super) fn said(text: &str) -> String {
    const LONGEST: usize = 200;
    let escaped = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut said: String = text.chars().take(LONGEST).map(escaped).collect();
    if text.chars().nth(LONGEST).is_some() {
        said.push('…');
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_significant_digits_over_many_decades() {
        for (number, expected) in [
            (41.27, "41.3"),
            (0.2, "0.200"),
            (9.996, "10.0"),
            (123_456.0, "123456"),
            (1.25e7, "1.2e7"),
            (1.26e-7, "1.3e-7"),
            (-3.456, "-3.46"),
            (0.0, "0"),
            (-0.0, "0"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(value(number, 3), expected);
        }
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        for (seconds, expected) in [(8, "8s"), (245, "4m 05s"), (7_620, "2h 07m"), (273_600, "3d 04h")] {
            assert_eq!(duration(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn counts_are_readable_at_any_size() {
        assert_eq!(count(1_234_567), "1 234 567");
        assert_eq!(count(12), "12");
        for (number, expected) in [(9_999, "9999"), (10_000, "10k"), (12_500, "12.5k"), (2_500_000, "2.5M")] {
            assert_eq!(short_count(number), expected);
        }
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        assert_eq!(percent(None), "–");
        assert_eq!(percent(Some(1.0)), "100%");
        assert_eq!(percent(Some(-0.0)), "0.0%");
        assert_eq!(percent(Some(f64::NAN)), "–");
        assert_eq!(estimate(None), "–");
    }
}
