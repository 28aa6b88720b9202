//! Formats numbers for people: only significant digits, and no sign on a zero.
//!
//! The screen, the plain lines, the log and the report format numbers, percentages, times and counts with these
//! functions. Each of them decides itself what it writes for a value that is missing or not finite.

pub mod count;
pub mod time;

/// The powers of ten of the first digit for which a number is written without an exponent.
const PLAIN: std::ops::Range<i32> = -4..6;

/// Returns the same number, with −0 replaced by 0. An empty sum and the negative of a zero sum are −0.
#[must_use]
pub fn unsigned_zero(value: f64) -> f64 {
    value + 0.0
}

/// Formats a number with a fixed number of decimals. A number that rounds to zero has no sign.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| b"0.".contains(&byte)) => digits.to_owned(),
        _ => text,
    }
}

/// Formats a number with this many significant digits, with an exponent for very small and large numbers: "45.2",
/// "0.0123", "1.50e-7", "0".
#[must_use]
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let places = digits.saturating_sub(1);
    match decade(value, digits) {
        Some(decade) if PLAIN.contains(&decade) => {
            let decimals = i32::try_from(places).unwrap_or(i32::MAX).saturating_sub(decade);
            fixed(value, usize::try_from(decimals).unwrap_or(0))
        }
        _ => format!("{value:.places$e}"),
    }
}

/// Formats a number like [`significant`] for narrow places: with an exponent, it has one digit less. "45.2", "1.2e7".
#[must_use]
pub fn narrow(value: f64, digits: usize) -> String {
    let has_exponent = decade(value, digits).is_some_and(|decade| !PLAIN.contains(&decade));
    significant(value, digits - usize::from(has_exponent && digits > 1))
}

/// Formats a number like [`significant`] for running text, without zeros at the end of decimals: "12.3" with four
/// digits.
#[must_use]
pub fn trimmed(value: f64, digits: usize) -> String {
    let text = significant(value, digits);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Formats a share as a percentage, "87.50 %". With two decimals, one example of 10,000 makes a difference.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", fixed(share * 100.0, 2))
}

/// Formats a share as a percentage for narrow places: "87.5%", or "100%" for a share of exactly 1.
#[must_use]
pub fn narrow_percent(share: f64) -> String {
    let decimals = usize::from(share.to_bits() != 1.0_f64.to_bits());
    format!("{}%", fixed(share * 100.0, decimals))
}

/// Formats a percentage without decimals, "87%".
#[must_use]
pub fn whole_percent(percent: f64) -> String {
    format!("{}%", fixed(percent, 0))
}

/// Returns the power of ten of the first digit of a value after rounding to `digits` digits: with two digits, 0 for
/// 9.94 and 1 for 9.96. Returns `None` for zero and for values that are not finite.
#[must_use]
pub fn decade(value: f64, digits: usize) -> Option<i32> {
    if value == 0.0 || !value.is_finite() {
        return None;
    }
    let places = digits.saturating_sub(1);
    let text = format!("{value:.places$e}");
    text.rsplit_once('e')?.1.parse().ok()
}

/// Returns whether the character is a hyphen, dash or minus sign other than the ASCII `-`.
#[must_use]
pub fn is_dash(letter: char) -> bool {
    matches!(
        letter,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}'
    )
}

/// Returns whether the character has no width. Such characters are often copied with text.
#[must_use]
pub fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}'
    )
}

/// The format of a value and its uncertainty: the last digit of both is the second digit of the uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// The power of ten that is written after the digits; 0 if none is written.
    exponent: i32,
    /// The power of ten of the last digit.
    last: i32,
}

/// The largest number of digits: an `f64` has no more significant digits.
const MOST_DIGITS: i32 = 15;

impl Places {
    /// Returns the format for numbers with this largest magnitude and this uncertainty. Returns `None` if either is not
    /// finite, or if the uncertainty is zero or below the precision of an `f64`.
    #[must_use]
    pub fn of(largest: f64, uncertainty: f64) -> Option<Self> {
        let of_uncertainty = decade(uncertainty, 2)?;
        let first = match largest {
            0.0 => of_uncertainty,
            _ => decade(largest, 2)?.max(of_uncertainty),
        };
        let last = of_uncertainty - 1;
        (first - last < MOST_DIGITS).then_some(Self {
            exponent: if PLAIN.contains(&first) { 0 } else { first },
            last,
        })
    }

    /// Formats one of the numbers, without the power of ten.
    #[must_use]
    pub fn digits(self, value: f64) -> String {
        // Two divisions: the power of ten itself may be outside the range of an f64.
        let half = self.exponent / 2;
        let value = value / 10_f64.powi(half) / 10_f64.powi(self.exponent - half);
        let last = self.last - self.exponent;
        if last > 0 {
            let unit = 10_f64.powi(last);
            return fixed((value / unit).round() * unit, 0);
        }
        fixed(value, usize::try_from(-last).unwrap_or(0))
    }

    /// Returns the text after the digits: "e-7", or nothing.
    #[must_use]
    pub fn power(self) -> String {
        match self.exponent {
            0 => String::new(),
            exponent => format!("e{exponent}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        for (number, text) in [
            (45.1545, "45.2"),
            (0.012_345, "0.0123"),
            (9.996, "10.0"),
            (1234.5, "1234"),
            (-0.5, "-0.500"),
            (2e-7, "2.00e-7"),
            (-1e30, "-1.00e30"),
            (9.999e6, "1.00e7"),
            (5e-324, "4.94e-324"),
            (f64::MAX, "1.80e308"),
        ] {
            assert_eq!(significant(number, 3), text);
        }
    }

    #[test]
    fn narrow_places_and_running_text_have_shorter_numbers() {
        for (number, digits, text) in [
            (41.27, 3, "41.3"),
            (0.2, 3, "0.200"),
            (9.996, 3, "10.0"),
            (123_456.0, 3, "123456"),
            (1.25e7, 3, "1.2e7"),
            (999_999.0, 3, "1.0e6"),
            (1.26e-7, 3, "1.3e-7"),
            (-3.456, 3, "-3.46"),
            (2e-7, 1, "2e-7"),
            (-0.0, 3, "0"),
        ] {
            assert_eq!(narrow(number, digits), text);
        }
        for (number, text) in [
            (12.3, "12.3"),
            (-40.0, "-40"),
            (0.000_123_456, "0.0001235"),
            (9.999_96, "10"),
            (1234.56, "1235"),
            (1200.0, "1200"),
            (1_234_567.0, "1.235e6"),
            (1e-12, "1.000e-12"),
            (0.0, "0"),
        ] {
            assert_eq!(trimmed(number, 4), text);
        }
    }

    #[test]
    fn shares_are_percentages() {
        for (share, wide, short) in [
            (0.875, "87.50 %", "87.5%"),
            (1.0, "100.00 %", "100%"),
            (-0.0, "0.00 %", "0.0%"),
            (0.9999, "99.99 %", "100.0%"),
        ] {
            assert_eq!((percent(share).as_str(), narrow_percent(share).as_str()), (wide, short));
        }
    }

    #[test]
    fn no_zero_has_a_sign() {
        assert_eq!(significant(-0.0, 3), "0");
        assert!(unsigned_zero(-0.0).is_sign_positive());
        for (number, text) in [(-0.0, "0.00"), (-0.004, "0.00"), (-0.006, "-0.01"), (-100.0, "-100.00")] {
            assert_eq!(fixed(number, 2), text);
        }
        assert_eq!(fixed(-0.4, 0), "0");
        assert_eq!(fixed(f64::NAN, 2), "NaN");
    }

    /// Formats a value with its uncertainty.
    fn pair(value: f64, uncertainty: f64) -> Option<String> {
        let places = Places::of(value.abs(), uncertainty)?;
        let (value, uncertainty) = (places.digits(value), places.digits(uncertainty));
        Some(
            format!("{value} ± {uncertainty} {}", places.power())
                .trim_end()
                .to_owned(),
        )
    }

    #[test]
    fn a_value_ends_with_the_second_digit_of_its_uncertainty() {
        for (value, uncertainty, text) in [
            (45.154_53, 0.678_4, "45.15 ± 0.68"),
            (45.154_53, 0.996, "45.2 ± 1.0"),
            (2e-7, 6.1e-7, "2.0 ± 6.1 e-7"),
            (-2.04e-8, 6.1e-7, "-0.2 ± 6.1 e-7"),
            (-2e-9, 6.1e-7, "0.0 ± 6.1 e-7"),
            (3.0, 1.26e5, "0 ± 130000"),
            (123_456.0, 31_234.0, "123000 ± 31000"),
            (1.234_56e30, 3.1e28, "1.235 ± 0.031 e30"),
            (1.0, 1e-9, "1.0000000000 ± 0.0000000010"),
            (3e-320, 2e-320, "3.0 ± 2.0 e-320"),
            (1.7e308, 1e307, "1.70 ± 0.10 e308"),
            (0.0, 0.25, "0.00 ± 0.25"),
        ] {
            assert_eq!(pair(value, uncertainty).unwrap(), text);
        }
        for (value, uncertainty) in [
            (1.0, f64::INFINITY),
            (f64::NAN, 1.0),
            (0.0, 0.0),
            (1.0, 0.0),
            (1.0, 1e-30),
        ] {
            assert_eq!(pair(value, uncertainty), None);
        }
    }
}
