//! Numbers, durations and text from files, formatted for people.

use std::time::Duration;

use crate::number;
use crate::quantity::{Format, Quantity};

pub use crate::number::count::{apart as count, short as short_count};
pub use crate::number::time::{duration, duration_of};
pub use crate::number::whole_percent;

/// Placeholder for a number that is missing or not finite.
const NONE: &str = "–";

/// Formats a value with `digits` significant digits: "41.3", "0.0123", "1.2e-7"; "–" if the value is not finite.
#[must_use]
pub fn value(value: f64, digits: usize) -> String {
    if value.is_finite() {
        number::narrow(value, digits)
    } else {
        NONE.to_owned()
    }
}

/// Returns the largest integer not above `value`, which must fit an `i32`.
#[allow(clippy::cast_possible_truncation)] // Decades of floats lie within ±400.
pub(super) fn floor(value: f64) -> i32 {
    value.floor() as i32
}

/// Formats a share as a percentage with one decimal, "87.5%"; the whole is "100%".
#[must_use]
pub fn percent(share: Option<f64>) -> String {
    share
        .filter(|share| share.is_finite())
        .map_or_else(|| NONE.to_owned(), number::narrow_percent)
}

/// Formats a value of a quantity: a number in three digits, a share as a percentage with one decimal, a time in the
/// unit that fits.
#[must_use]
pub fn value_of(quantity: &Quantity, value_of_it: f64) -> String {
    match quantity.format {
        Format::Number => value(value_of_it, 3),
        Format::Share => percent(Some(value_of_it)),
        Format::Seconds => seconds(value_of_it),
    }
}

/// Formats a time in the unit that fits: "1.20 ms".
#[must_use]
pub fn seconds(seconds: f64) -> String {
    if seconds.is_finite() {
        number::time::seconds(seconds)
    } else {
        NONE.to_owned()
    }
}

/// Formats an amount of memory: "512 MiB", "1.76 GiB".
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let (number, unit) = scaled(bytes, bytes);
    format!("{number} {unit}")
}

/// Formats a part of an amount of memory, in the unit of the whole: "12.0 of 128 GiB".
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

/// Formats an estimate: "~4m 05s", or "–" if it is unknown.
#[must_use]
pub fn estimate(left: Option<Duration>) -> String {
    left.map_or_else(|| NONE.to_owned(), |left| format!("~{}", duration(left)))
}

/// Returns text from a file for use in an error: at most 200 characters, with control characters replaced by blanks.
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
    fn what_is_not_known_is_a_dash() {
        assert_eq!(value(f64::INFINITY, 3), "–");
        assert_eq!(seconds(f64::NAN), "–");
        assert_eq!(percent(None), "–");
        assert_eq!(percent(Some(1.0)), "100%");
        assert_eq!(percent(Some(-0.0)), "0.0%");
        assert_eq!(percent(Some(f64::NAN)), "–");
        assert_eq!(estimate(None), "–");
    }
}
