//! A vertical or horizontal axis: its range, rounded so that it seldom changes, and its labels.

use std::f64::consts::LOG10_2;

use crate::tui::words;

/// How values become heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// In proportion to the value.
    Linear,
    /// In proportion to the decimal logarithm. A value that is not positive has no height.
    Logarithmic,
}

impl Scale {
    /// Returns the other scale.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Linear => Self::Logarithmic,
            Self::Logarithmic => Self::Linear,
        }
    }

    fn height(self, value: f64) -> Option<f64> {
        let height = match self {
            Self::Linear => value,
            Self::Logarithmic => value.log10(),
        };
        height.is_finite().then_some(height)
    }
}

/// Minimum number of rows of characters per label.
const ROWS_PER_LABEL: usize = 2;

/// A vertical axis; a scatter also uses it as its horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    scale: Scale,
    /// Heights of the lower and the upper end.
    low: f64,
    high: f64,
    labels: Vec<Label>,
}

/// A labelled value.
#[derive(Clone, Debug, PartialEq)]
struct Label {
    value: f64,
    text: String,
    /// Whether the label is placed first, before the labels that may be left out.
    major: bool,
}

impl Axis {
    /// Creates an axis from `low` to `high` that is `rows` characters tall. Its ends are rounded outwards.
    #[must_use]
    pub fn new(scale: Scale, low: f64, high: f64, rows: usize) -> Self {
        let most = (rows / ROWS_PER_LABEL).max(2);
        match scale {
            Scale::Linear => Self::linear(low, high, most),
            Scale::Logarithmic => Self::logarithmic(low, high, most),
        }
    }

    /// Creates a linear axis with exactly these ends, which differ.
    #[must_use]
    pub fn between(low: f64, high: f64, rows: usize) -> Self {
        let mut axis = Self::linear(low, high, (rows / ROWS_PER_LABEL).max(2));
        (axis.low, axis.high) = (low, high);
        axis.labels.retain(|label| (low..=high).contains(&label.value));
        axis
    }

    /// Creates a linear axis from the fraction `low` to 1, labelled in per cent.
    #[must_use]
    pub fn percentages(low: f64, rows: usize) -> Self {
        let mut axis = Self::linear(low, 1.0, (rows / ROWS_PER_LABEL).max(2));
        axis.high = 1.0;
        axis.labels.retain(|label| label.value <= 1.0 + 1e-9);
        for label in &mut axis.labels {
            // Rounding and `abs` avoid `-0%`: a zero that was computed from steps may be slightly negative.
            label.text = words::whole_percent((label.value * 100.0).round().abs());
        }
        axis
    }

    /// Creates an axis of names: the first at 0, the next at 1, and so on, with room on both sides.
    #[must_use]
    pub fn names(names: &[String]) -> Self {
        let labels = names.iter().enumerate().map(|(at, name)| Label {
            value: at as f64,
            text: name.clone(),
            major: true,
        });
        Self {
            scale: Scale::Linear,
            low: -0.5,
            high: names.len().max(1) as f64 - 0.5,
            labels: labels.collect(),
        }
    }

    /// Returns the position of `value`: 0 at the lower end of the axis, 1 at the upper end. Other positions are outside
    /// the axis. `None` if the value has no height on this scale.
    #[must_use]
    pub fn position(&self, value: f64) -> Option<f64> {
        let height = self.scale.height(value)?;
        Some((height - self.low) / (self.high - self.low))
    }

    /// Returns the labels with their positions: the major ones if `major`, otherwise the others.
    pub fn labels(&self, major: bool) -> impl Iterator<Item = (f64, &str)> {
        let wanted = self.labels.iter().filter(move |label| label.major == major);
        wanted.filter_map(|label| Some((self.position(label.value)?, label.text.as_str())))
    }

    fn linear(low: f64, high: f64, most: usize) -> Self {
        // An axis with equal ends would have no length.
        let (low, high) = if high - low > high.abs().max(low.abs()) * 1e-9 {
            (low, high)
        } else {
            let margin = (high.abs() * 0.1).max(1e-9);
            (low - margin, high + margin)
        };
        let step = nice_at_least((high - low) / most as f64);
        // The ends are rounded to a fraction of a step. With whole steps up to half of a small chart could be empty.
        let part = step / if mantissa(step) == 2 { 4.0 } else { 5.0 };
        let (low, high) = ((low / part + 1e-9).floor() * part, (high / part - 1e-9).ceil() * part);
        let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
        let decimals = usize::try_from(-words::floor(step.log10() + 1e-9)).unwrap_or(0);
        let mut labels = Vec::new();
        let mut tick = first;
        while tick <= last {
            labels.push(Label {
                value: tick * step,
                text: label(tick * step, step, decimals),
                major: true,
            });
            tick += 1.0;
        }
        Self {
            scale: Scale::Linear,
            low,
            high,
            labels,
        }
    }

    fn logarithmic(low: f64, high: f64, most: usize) -> Self {
        let high = if high > 0.0 { high.log10() } else { 0.0 };
        let low = if low > 0.0 { low.log10() } else { high - 1.0 };
        let (first, last) = (tenths_below(low), tenths_above(high).max(tenths_below(low) + 0.3));
        let decades = last - first;
        // Few decades: labels at 1, 2 and 5 of each. More decades: one label each. Too many: one label per several
        // decades.
        let mantissas: &[f64] = if decades <= 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let stride = (words::floor(decades) / i32::try_from(most).unwrap_or(1) + 1).max(1);
        let mut labels = Vec::new();
        for decade in words::floor(first)..=words::floor(last) {
            if mantissas.len() == 1 && decade.rem_euclid(stride) != 0 {
                continue;
            }
            for mantissa in mantissas {
                let value = mantissa * 10_f64.powi(decade);
                if (first - 1e-9..=last + 1e-9).contains(&value.log10()) {
                    labels.push(Label {
                        value,
                        text: words::value(value, 1),
                        major: *mantissa <= 1.0,
                    });
                }
            }
        }
        Self {
            scale: Scale::Logarithmic,
            low: first,
            high: last,
            labels,
        }
    }
}

/// Ends of a logarithmic axis lie at 1, 2 or 5 times a power of ten.
const ENDS: [f64; 4] = [0.0, LOG10_2, 1.0 - LOG10_2, 1.0];

fn tenths_below(height: f64) -> f64 {
    let decade = height.floor();
    ENDS.iter()
        .rev()
        .map(|end| decade + end)
        .find(|end| *end <= height + 1e-9)
        .unwrap_or(decade)
}

fn tenths_above(height: f64) -> f64 {
    let decade = height.floor();
    ENDS.iter()
        .map(|end| decade + end)
        .find(|end| *end >= height - 1e-9)
        .unwrap_or(decade + 1.0)
}

/// Returns the smallest of 1, 2 and 5 times a power of ten that is at least `value`, which must be positive.
pub(super) fn nice_at_least(value: f64) -> f64 {
    let unit = 10_f64.powi(words::floor(value.log10()));
    let mantissa = value / unit;
    let nice = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|nice| *nice >= mantissa - 1e-9)
        .unwrap_or(10.0);
    nice * unit
}

/// Returns the leading digit of 1, 2 or 5 times a power of ten.
fn mantissa(nice: f64) -> i32 {
    words::floor(nice / 10_f64.powi(words::floor(nice.log10() + 1e-9)) + 0.5)
}

fn label(value: f64, step: f64, decimals: usize) -> String {
    // A value that should be zero may differ from it slightly, because it was computed from steps.
    let value = if value.abs() < step / 2.0 { 0.0 } else { value };
    if value.abs() >= 1e5 || decimals > 4 {
        words::value(value, 2)
    } else {
        format!("{value:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.labels.iter().map(|label| label.text.as_str()).collect()
    }

    #[test]
    fn linear_labels_are_round_and_hold_the_range() {
        let axis = Axis::new(Scale::Linear, 0.0, 43.7, 15);
        assert_eq!(labels(&axis), ["0", "10", "20", "30", "40"]);
        assert_eq!(axis.position(44.0), Some(1.0));
        assert_eq!(axis.position(22.0), Some(0.5));
    }

    #[test]
    fn a_flat_curve_gets_room_around_it() {
        for value in [3.0, 0.0, -7.5, 1e-12] {
            let axis = Axis::new(Scale::Linear, value, value, 9);
            let position = axis.position(value).unwrap();
            assert!((0.05..=0.95).contains(&position), "{value} lies at {position}");
        }
    }

    #[test]
    fn a_narrow_logarithmic_axis_is_labelled_within_its_decades() {
        let axis = Axis::new(Scale::Logarithmic, 0.06, 1.7, 12);
        assert_eq!(labels(&axis), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(axis.position(0.0), None);
        assert_eq!(axis.position(-1.0), None);
    }

    #[test]
    fn a_wide_logarithmic_axis_is_labelled_every_few_decades() {
        let axis = Axis::new(Scale::Logarithmic, 1e-12, 1.0, 12);
        let labels = labels(&axis);
        assert!((3..=7).contains(&labels.len()), "{labels:?}");
    }

    #[test]
    fn a_logarithmic_axis_of_nothing_positive_still_has_two_ends() {
        let axis = Axis::new(Scale::Logarithmic, -1.0, 0.0, 12);
        assert!(axis.high > axis.low);
    }

    #[test]
    fn percentages_end_at_a_hundred() {
        assert_eq!(
            labels(&Axis::percentages(0.0, 11)),
            ["0%", "20%", "40%", "60%", "80%", "100%"]
        );
        assert_eq!(Axis::percentages(0.83, 9).position(1.0), Some(1.0));
    }
}
