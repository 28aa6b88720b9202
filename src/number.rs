//! Numbers as people read them: as many digits as say something, and no sign on a zero.
//!
//! The screen, lines, the log and the report write numbers, percentages, times and counts by these functions. What stands
//! for a value that is missing or not finite is their own.

pub mod count;
pub mod time;

/// Decades within which people write a number without an exponent.
const PLAIN: std::ops::Range<i32> = -4..6;

/// The same number, but 0 for −0: a sum of nothing, and the negative of a sum that is zero, come out as −0.
#[must_use]
pub fn unsigned_zero(value: f64) -> f64 {
    value + 0.0
}

/// So many decimals; what rounds to zero has no sign.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| b"0.".contains(&byte)) => digits.to_owned(),
        _ => text,
    }
}

/// So many significant digits, with an exponent where people would write one: "45.2", "0.0123", "1.50e-7", "0".
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

/// The same for narrow places: an exponent takes the room of one digit. "45.2", "1.2e7".
#[must_use]
pub fn narrow(value: f64, digits: usize) -> String {
    let has_exponent = decade(value, digits).is_some_and(|decade| !PLAIN.contains(&decade));
    significant(value, digits - usize::from(has_exponent && digits > 1))
}

/// The same for running text, where zeros at the end of decimals say nothing: "12.3" of four digits.
#[must_use]
pub fn trimmed(value: f64, digits: usize) -> String {
    let text = significant(value, digits);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A share as a percentage, "87.50 %": two decimals tell single examples of 10,000 apart.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", fixed(share * 100.0, 2))
}

/// The same for narrow places, "87.5%", but for the whole, "100%".
#[must_use]
pub fn narrow_percent(share: f64) -> String {
    let decimals = usize::from(share.to_bits() != 1.0_f64.to_bits());
    format!("{}%", fixed(share * 100.0, decimals))
}

/// A percentage without decimals, "87%".
#[must_use]
pub fn whole_percent(percent: f64) -> String {
    format!("{}%", fixed(percent, 0))
}

/// The power of ten of the first digit of a value that is rounded to so many digits: 0 of 9.94 and 1 of 9.96 with two.
/// None of zero and of what is not finite.
#[must_use]
pub fn decade(value: f64, digits: usize) -> Option<i32> {
    if value == 0.0 || !value.is_finite() {
        return None;
    }
    let places = digits.saturating_sub(1);
    let text = format!("{value:.places$e}");
    text.rsplit_once('e')?.1.parse().ok()
}

/// Hyphens, dashes and minus signs other than that of the keyboard.
#[must_use]
pub fn is_dash(letter: char) -> bool {
    matches!(
        letter,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}'
    )
}

/// Characters of no width that come along when text is copied.
#[must_use]
pub fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}'
    )
}

/// How numbers are written that belong together: their last digit is the second one of their uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// The power of ten that is written behind them; 0 where none is.
    exponent: i32,
    /// The power of ten of the last digit.
    last: i32,
}

/// More digits than a float has say nothing.
const MOST_DIGITS: i32 = 15;

impl Places {
    /// Of the largest of the numbers, and their uncertainty. None where either is not finite, or the uncertainty is zero
    /// or beyond the digits of a float.
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

    /// One of the numbers, without the power of ten.
    #[must_use]
    pub fn digits(self, value: f64) -> String {
        // In steps: a power of ten beyond a float's range may be needed for a number within it.
        let half = self.exponent / 2;
        let value = value / 10_f64.powi(half) / 10_f64.powi(self.exponent - half);
        let last = self.last - self.exponent;
        if last > 0 {
            let unit = 10_f64.powi(last);
            return fixed((value / unit).round() * unit, 0);
        }
        fixed(value, usize::try_from(-last).unwrap_or(0))
    }

    /// What is written behind the digits: "e-7", or nothing.
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

    /// A value with its uncertainty.
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
