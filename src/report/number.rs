//! Numbers in a report: as many digits as say something, a real minus sign.

use super::run::Measure;
use crate::statistics::{Estimate, Interval, Kendall};

/// So many significant digits, without an exponent where people would not write one.
pub(super) fn significant(value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return "not finite".to_owned();
    }
    let magnitude = if value == 0.0 {
        0
    } else {
        value.abs().log10().floor() as i32
    };
    if !(-4..7).contains(&magnitude) {
        return minus(&format!("{value:.*e}", usize::try_from(digits - 1).unwrap_or(0)));
    }
    let decimals = usize::try_from(digits - 1 - magnitude).unwrap_or(0);
    minus(&format!("{value:.decimals$}"))
}

/// A share from 0 to 1 in percent.
pub(super) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "not finite".to_owned();
    }
    minus(&format!("{:.2} %", share * 100.0))
}

/// A value of a measure, with its unit.
pub(super) fn value(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Lambda(_) => significant(value, 3),
        Measure::TestAccuracy => minus(&format!("{value:.1} %")),
    }
}

/// A difference of a measure with its interval: "−17.9 [−19.2, −16.1]", "+1.2 points [0.3, 2.1]".
pub(super) fn difference(measure: Measure, difference: &Estimate) -> String {
    let decimals = match measure {
        Measure::TestAccuracy => 1,
        Measure::Lambda(_) => {
            let size = difference.interval.map_or(difference.value.abs(), |interval| {
                difference.value.abs().max((interval.high - interval.low) / 2.0)
            });
            decimals_of(size)
        }
    };
    let unit = match measure {
        Measure::TestAccuracy => " points",
        Measure::Lambda(_) => "",
    };
    let signed = minus(&format!("{:+.decimals$}", difference.value));
    match difference.interval {
        Some(interval) => format!("{signed}{unit} {}", bracket(interval, decimals)),
        None if difference.count > 1 => format!("{signed}{unit}, no interval from {} equal values", difference.count),
        None => format!("{signed}{unit}, no interval from 1 seed"),
    }
}

/// A mean with its interval, for tables.
pub(super) fn mean(measure: Measure, mean: &Estimate) -> String {
    let (decimals, unit) = match measure {
        Measure::TestAccuracy => (2, " %"),
        Measure::Lambda(_) => (decimals_of(mean.value.abs()) + 1, ""),
    };
    let middle = minus(&format!("{:.decimals$}", mean.value));
    match mean.interval {
        Some(interval) => {
            let half = (interval.high - interval.low) / 2.0;
            format!("{middle} ± {half:.decimals$}{unit}")
        }
        None => format!("{middle}{unit}"),
    }
}

/// A rank correlation with its interval and how many cells it is of: "τ-b −0.45 [−0.69, −0.12], 18 cells".
pub(super) fn correlation(kendall: &Kendall) -> String {
    let cells = if kendall.count == 1 { "cell" } else { "cells" };
    let tau = minus(&format!("{:+.2}", kendall.tau_b));
    match kendall.interval {
        Some(interval) => format!("τ-b {tau} {}, {} {cells}", bracket(interval, 2), kendall.count),
        None => format!("τ-b {tau}, no interval from {} {cells}", kendall.count),
    }
}

/// An interval.
pub(super) fn bracket(interval: Interval, decimals: usize) -> String {
    minus(&format!("[{:.decimals$}, {:.decimals$}]", interval.low, interval.high))
}

/// Decimals that leave about three digits of a number of this size.
fn decimals_of(size: f64) -> usize {
    if size <= 0.0 || !size.is_finite() {
        return 1;
    }
    usize::try_from(2 - size.log10().floor() as i32).unwrap_or(0).min(6)
}

/// A hyphen is no minus sign; and nothing is "−0.0".
fn minus(text: &str) -> String {
    let is_zero = |text: &str| text.chars().all(|letter| "-+0.".contains(letter)) && text.starts_with('-');
    if is_zero(text) {
        return text.replace('-', "±");
    }
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        let cases = [
            (45.1545, "45.2"),
            (0.012_345, "0.0123"),
            (1234.5, "1234"),
            (-0.5, "−0.500"),
            (1.5e-7, "1.50e−7"),
            (f64::NAN, "not finite"),
        ];
        for (number, text) in cases {
            assert_eq!(significant(number, 3), text);
        }
    }

    #[test]
    fn differences_say_their_interval_or_that_there_is_none() {
        let lambda = Estimate {
            count: 3,
            value: -17.93,
            interval: Some(Interval {
                low: -19.21,
                high: -16.1,
            }),
        };
        assert_eq!(difference(Measure::Lambda(0), &lambda), "−17.9 [−19.2, −16.1]");
        let single = Estimate {
            count: 1,
            value: 0.5,
            interval: None,
        };
        assert_eq!(
            difference(Measure::TestAccuracy, &single),
            "+0.5 points, no interval from 1 seed"
        );
    }
}
