//! Numbers in a report: with only the significant digits, and with the minus sign − instead of a hyphen.

use super::run::Measure;
use crate::number::count::counted;
use crate::number::{self, Places};
use crate::statistics::{Estimate, Interval, Kendall};

/// The text for NaN and infinity.
const NOT_FINITE: &str = "not finite";

/// Formats a number with `digits` significant digits; very large and very small numbers have an exponent.
pub(super) fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return NOT_FINITE.to_owned();
    }
    minus(&number::significant(value, digits))
}

/// Formats a number with `decimals` decimals.
fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NOT_FINITE.to_owned();
    }
    minus(&number::fixed(value, decimals))
}

/// Formats a fraction from 0 to 1 in percent.
pub(super) fn percent(share: f64) -> String {
    if share.is_finite() {
        minus(&number::percent(share))
    } else {
        NOT_FINITE.to_owned()
    }
}

/// Formats a value of a measure with its unit. It has at least as many digits as the difference `beside`, which is
/// shown next to it.
pub(super) fn value(measure: Measure, value: f64, beside: &Estimate) -> String {
    let (unit, alone) = match measure {
        Measure::TestAccuracy => (" %", fixed(value, 1)),
        Measure::Lambda(_) => ("", significant(value, 3)),
    };
    let places = beside
        .interval
        .and_then(|interval| Places::of(value.abs(), half_width(interval)));
    let as_beside = places.map(|places| powered(places, value)).unwrap_or_default();
    let longest = if as_beside.chars().count() > alone.chars().count() {
        as_beside
    } else {
        alone
    };
    with_unit(&longest, unit)
}

/// Formats a difference of a measure with its interval: "−17.9 [−19.2, −16.1]", "+1.20 points [0.35, 2.05]".
pub(super) fn difference(measure: Measure, difference: &Estimate) -> String {
    let (unit, bare): (&str, fn(f64) -> String) = match measure {
        Measure::TestAccuracy => (" points", |value| fixed(value, 1)),
        Measure::Lambda(_) => ("", |value| significant(value, 3)),
    };
    if let Some(interval) = difference.interval {
        let ends = [interval.low, interval.high];
        let largest = difference.value.abs().max(interval.low.abs()).max(interval.high.abs());
        let [value, low, high] = match Places::of(largest, half_width(interval)) {
            Some(places) => [difference.value, ends[0], ends[1]].map(|value| powered(places, value)),
            None => [difference.value, ends[0], ends[1]].map(|value| significant(value, 3)),
        };
        return format!("{}{unit} [{low}, {high}]", signed(difference.value, value));
    }
    let signed = signed(difference.value, bare(difference.value));
    if difference.count > 1 {
        format!("{signed}{unit}, no interval from {} equal values", difference.count)
    } else {
        format!("{signed}{unit}, no interval from 1 seed")
    }
}

/// Formats a mean with its interval, for tables: "45.15 ± 0.68", "(2.0 ± 6.1)e−7".
pub(super) fn mean(measure: Measure, mean: &Estimate) -> String {
    let (unit, bare): (&str, fn(f64) -> String) = match measure {
        Measure::TestAccuracy => (" %", |value| fixed(value, 2)),
        Measure::Lambda(_) => ("", |value| significant(value, 4)),
    };
    let Some(interval) = mean.interval else {
        return with_unit(&bare(mean.value), unit);
    };
    let half = half_width(interval);
    match Places::of(mean.value.abs(), half) {
        Some(places) => {
            let pair = minus(&format!("{} ± {}", places.digits(mean.value), places.digits(half)));
            match places.power() {
                power if power.is_empty() => format!("{pair}{unit}"),
                power => format!("({pair}){}{unit}", minus(&power)),
            }
        }
        None => format!("{} ± {}{unit}", bare(mean.value), significant(half, 2)),
    }
}

/// Formats a rank correlation with its interval and its number of cells: "τ-b −0.45 [−0.69, −0.12], 18 cells".
pub(super) fn correlation(kendall: &Kendall) -> String {
    let cells = counted(kendall.count as u64, "cell");
    let between = if kendall.interval.is_some() {
        ","
    } else {
        ", no interval from"
    };
    format!("τ-b {}{between} {cells}", tau(kendall))
}

/// Formats τ-b with its interval, if it has one: "−0.45 [−0.69, −0.12]".
pub(super) fn tau(kendall: &Kendall) -> String {
    let tau = signed(kendall.tau_b, fixed(kendall.tau_b, 2));
    match kendall.interval {
        Some(interval) => format!("{tau} [{}, {}]", fixed(interval.low, 2), fixed(interval.high, 2)),
        None => tau,
    }
}

/// Formats a p-value with two significant digits.
pub(super) fn p_value(p_value: f64) -> String {
    if p_value > 0.0 && p_value < LEAST_P {
        format!("< {}", significant(LEAST_P, 1))
    } else {
        significant(p_value, 2)
    }
}

/// Smallest p-value that is written: smaller ones depend more on the assumptions of the test than on the data.
const LEAST_P: f64 = 1e-4;

/// Formats a difference without its interval, to be read beside the difference `beside`: "−30.8", "+2.30 points".
pub(super) fn change(measure: Measure, change: f64, beside: &Estimate) -> String {
    let text = value(measure, change, beside);
    let text = match measure {
        Measure::TestAccuracy => text.replace(" %", " points"),
        Measure::Lambda(_) => text,
    };
    if change > 0.0 && text.contains(|letter: char| ('1'..='9').contains(&letter)) {
        format!("+{text}")
    } else {
        text
    }
}

/// Formats the size of a difference with its interval, and without the sign that a sentence has: "1.9 points [1.1, 2.7]".
pub(super) fn size(measure: Measure, of: &Estimate) -> String {
    let turned = |estimate: &Estimate| Estimate {
        value: -estimate.value,
        interval: estimate.interval.map(|interval| Interval {
            low: -interval.high,
            high: -interval.low,
        }),
        ..*estimate
    };
    let positive = if of.value < 0.0 { turned(of) } else { *of };
    let text = difference(measure, &positive);
    text.strip_prefix('+').map_or(text.clone(), str::to_owned)
}

/// Formats an interval alone, with the digits that [`difference`] has.
pub(super) fn interval(measure: Measure, of: &Estimate, interval: Interval) -> String {
    let text = difference(
        measure,
        &Estimate {
            interval: Some(interval),
            ..*of
        },
    );
    text.split_once('[')
        .map_or(text.clone(), |(_, ends)| format!("[{ends}"))
}

fn half_width(interval: Interval) -> f64 {
    (interval.high - interval.low) / 2.0
}

/// Formats one number with the decimals and the power of ten of `places`.
fn powered(places: Places, value: f64) -> String {
    let digits = places.digits(value);
    if is_zero(&digits) {
        return digits;
    }
    minus(&format!("{digits}{}", places.power()))
}

/// Adds a plus sign if the number is greater than zero, and is not written as zero.
fn signed(value: f64, text: String) -> String {
    if value > 0.0 && !is_zero(&text) {
        format!("+{text}")
    } else {
        text
    }
}

fn is_zero(text: &str) -> bool {
    text.chars().all(|letter| "0.".contains(letter))
}

/// Adds the unit to a number; [`NOT_FINITE`] gets none.
fn with_unit(text: &str, unit: &str) -> String {
    if text == NOT_FINITE {
        text.to_owned()
    } else {
        format!("{text}{unit}")
    }
}

/// Replaces hyphens by minus signs.
fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64, half: f64) -> Estimate {
        Estimate {
            count: 3,
            value,
            interval: Some(Interval {
                low: value - half,
                high: value + half,
            }),
            error: None,
        }
    }

    fn alone(count: usize, value: f64) -> Estimate {
        Estimate {
            count,
            value,
            interval: None,
            error: None,
        }
    }

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        let cases = [
            (45.1545, "45.2"),
            (1234.5, "1234"),
            (-0.5, "−0.500"),
            (1.5e-7, "1.50e−7"),
            (1e30, "1.00e30"),
            (-0.0, "0"),
            (f64::NAN, "not finite"),
            (f64::NEG_INFINITY, "not finite"),
        ];
        for (number, text) in cases {
            assert_eq!(significant(number, 3), text);
        }
        assert_eq!(percent(-0.0), "0.00 %");
        assert_eq!(percent(f64::NAN), "not finite");
        assert_eq!(value(Measure::TestAccuracy, -0.0, &alone(1, 0.0)), "0.0 %");
    }

    #[test]
    fn what_stands_beside_a_difference_has_its_digits_and_never_fewer_than_three() {
        for (number, half, text) in [
            (29.95, 0.25, "29.95"),
            (29.95, 300.0, "29.9"),
            (2.5e-7, 6.1e-9, "2.500e−7"),
            (-0.0, 0.25, "0.00"),
        ] {
            assert_eq!(value(Measure::Lambda(0), number, &estimate(1.0, half)), text);
        }
        assert_eq!(value(Measure::TestAccuracy, 69.95, &estimate(1.0, 0.25)), "69.95 %");
    }

    #[test]
    fn means_end_where_their_interval_says() {
        for (value, half, text) in [
            (45.154_53, 0.678_4, "45.15 ± 0.68"),
            (2.04e-7, 6.1e-7, "(2.0 ± 6.1)e−7"),
            (-2e-9, 6.1e-7, "(0.0 ± 6.1)e−7"),
            (-8e-5, 3.14e-5, "(−8.0 ± 3.1)e−5"),
            (-0.004, 1.2, "0.0 ± 1.2"),
            (1.25e30, 3e28, "(1.250 ± 0.030)e30"),
        ] {
            assert_eq!(mean(Measure::Lambda(0), &estimate(value, half)), text);
        }
        assert_eq!(mean(Measure::TestAccuracy, &estimate(80.0, 1.234)), "80.0 ± 1.2 %");
        for (value, text) in [
            (-0.0, "0"),
            (2e-7, "2.000e−7"),
            (45.154_53, "45.15"),
            (f64::INFINITY, "not finite"),
        ] {
            assert_eq!(mean(Measure::Lambda(0), &alone(1, value)), text);
        }
        assert_eq!(mean(Measure::TestAccuracy, &alone(1, f64::NAN)), "not finite");
    }

    #[test]
    fn differences_say_their_interval_or_that_there_is_none() {
        for (value, half, text) in [
            (-17.93, 1.56, "−17.9 [−19.5, −16.4]"),
            (0.5, 0.248_41, "+0.50 [0.25, 0.75]"),
            (-1e-7, 6e-7, "−1.0e−7 [−7.0e−7, 5.0e−7]"),
            (6.001e-7, 6e-7, "+0.60e−6 [0.00, 1.20e−6]"),
            (-0.004, 1.2, "0.0 [−1.2, 1.2]"),
            (0.004, 1.2, "0.0 [−1.2, 1.2]"),
        ] {
            assert_eq!(difference(Measure::Lambda(0), &estimate(value, half)), text);
        }
        assert_eq!(
            difference(Measure::TestAccuracy, &estimate(2.0, 0.248)),
            "+2.00 points [1.75, 2.25]"
        );
        assert_eq!(
            difference(Measure::TestAccuracy, &alone(1, 0.5)),
            "+0.5 points, no interval from 1 seed"
        );
        assert_eq!(
            difference(Measure::TestAccuracy, &alone(2, -0.0)),
            "0.0 points, no interval from 2 equal values"
        );
        assert_eq!(
            difference(Measure::Lambda(0), &alone(1, -3e-7)),
            "−3.00e−7, no interval from 1 seed"
        );
    }

    #[test]
    fn effects_are_written_beside_their_difference_and_sizes_have_no_sign() {
        let beside = estimate(-2.0, 0.248);
        assert_eq!(change(Measure::TestAccuracy, 1.5, &beside), "+1.50 points");
        assert_eq!(change(Measure::TestAccuracy, -1e-9, &beside), "0.00 points");
        assert_eq!(change(Measure::Lambda(0), -30.84, &estimate(1.0, 30.0)), "−30.8");
        assert_eq!(size(Measure::TestAccuracy, &beside), "2.00 points [1.75, 2.25]");
        assert_eq!(size(Measure::Lambda(0), &estimate(17.93, 1.56)), "17.9 [16.4, 19.5]");
        let wider = Interval { low: -2.9, high: -1.1 };
        assert_eq!(interval(Measure::TestAccuracy, &beside, wider), "[−2.90, −1.10]");
        for (value, text) in [
            (1.0, "1.0"),
            (0.0467, "0.047"),
            (1e-4, "0.00010"),
            (9e-5, "< 0.0001"),
            (0.0, "0"),
        ] {
            assert_eq!(p_value(value), text);
        }
    }

    #[test]
    fn a_correlation_of_nearly_nothing_has_no_sign() {
        let kendall = Kendall {
            count: 20,
            tau_b: -0.001,
            interval: Some(Interval { low: -0.3, high: 0.001 }),
            p_value: 0.9,
        };
        assert_eq!(correlation(&kendall), "τ-b 0.00 [−0.30, 0.00], 20 cells");
    }
}
