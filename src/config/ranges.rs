//! The allowed ranges of settings: one declaration serves the rule, its message and the book.

use std::fmt;

/// The lower limit of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Low {
    /// At least this number.
    Least(f64),
    /// Any number above this one.
    Above(f64),
}

/// The upper limit of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum High {
    /// At most this number.
    Most(f64),
    /// Any number below this one.
    Below(f64),
    /// Any finite number.
    Finite,
    /// No limit.
    None,
}

/// A range of numbers. Its text is the one in messages and in the book: "at least 0 and below 1".
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    low: Low,
    high: High,
    note: &'static str,
}

impl Range {
    const fn new(low: Low, high: High) -> Self {
        Self { low, high, note: "" }
    }

    /// Adds an explanation to the text of the range.
    const fn noted(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    /// Returns whether the range contains a number. Whole numbers are exact up to 2⁵³, which is above every limit here.
    pub(super) fn contains(&self, number: f64) -> bool {
        let above = match self.low {
            Low::Least(low) => number >= low,
            Low::Above(low) => number > low,
        };
        let below = match self.high {
            High::Most(high) => number <= high,
            High::Below(high) => number < high,
            High::Finite => number.is_finite(),
            High::None => true,
        };
        above && below
    }
}

/// A number as people write it: 10000 and not 10000.0, 1e-12 and not 0.000000000001.
struct Plain(f64);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.fract() == 0.0 {
            write!(f, "{}", self.0)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low, self.high) {
            (Low::Least(low), High::Most(high)) => write!(f, "{} to {}", Plain(low), Plain(high))?,
            (low, high) => {
                match low {
                    Low::Least(low) => write!(f, "at least {}", Plain(low))?,
                    Low::Above(low) => write!(f, "above {}", Plain(low))?,
                }
                match high {
                    High::Most(high) => write!(f, " and at most {}", Plain(high))?,
                    High::Below(high) => write!(f, " and below {}", Plain(high))?,
                    High::Finite => f.write_str(" and finite")?,
                    High::None => {}
                }
            }
        }
        f.write_str(self.note)
    }
}

/// A range that depends on other settings: `{}` stands for its largest number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dependent(&'static str);

impl Dependent {
    /// Returns the text of the range for a message, with this largest number.
    pub(super) fn up_to(self, largest: usize) -> String {
        self.0.replace("{}", &largest.to_string())
    }
}

/// The text for the book.
impl fmt::Display for Dependent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace("{}", "N"))
    }
}

/// Classes of one's own data. Labels are stored as bytes.
pub(super) const CLASSES: Range = Range::new(Low::Least(2.0), High::Most(256.0));
/// The largest label of a first class; labels in files have up to 32 bits.
pub(super) const FIRST_LABEL: u32 = 1_000_000;
/// A fraction that must not be everything: a dropout probability, a momentum.
pub(super) const BELOW_ONE: Range = Range::new(Low::Least(0.0), High::Below(1.0));
pub(super) const POSITIVE: Range = Range::new(Low::Above(0.0), High::Finite);
pub(super) const NOT_NEGATIVE: Range = Range::new(Low::Least(0.0), High::Finite);
/// A smaller number would be 0 in 32 bits, and a gradient of 0 would be divided by it.
pub(super) const EPS: Range = Range::new(Low::Least(1e-30), High::Finite);
pub(super) const AT_LEAST_ONE: Range = Range::new(Low::Least(1.0), High::None);
/// A trillion steps at a million steps a second take twelve days. A larger number is a typing error.
pub(super) const COUNT: Range = Range::new(Low::Least(1.0), High::Most(1e12));
/// The factor by which each step of a schedule multiplies the learning rate.
pub(super) const FACTOR: Range = Range::new(Low::Above(0.0), High::Most(1.0));
pub(super) const COSINE_END: Range =
    Range::new(Low::Least(0.0), High::Most(1.0)).noted(", the part of the learning rate that the cosine ends at");
pub(super) const ACCURACY: Range = Range::new(Low::Above(0.0), High::Most(1.0)).noted(", where 1 is all correct");
/// Training needs a part of the time; otherwise the cell never ends.
pub(super) const SHARE: Range = Range::new(Low::Above(0.0), High::Most(0.9));
pub(super) const TOLERANCE: Range = Range::new(Low::Least(1e-12), High::Most(0.5));
pub(super) const PRODUCTS: Range = Range::new(Low::Least(2.0), High::Most(10_000.0));
/// Below this, the batches needed for the error would not end.
pub(super) const RELATIVE_ERROR: Range = Range::new(Low::Least(1e-4), High::Most(1.0));
/// So many are always drawn, because their standard error decides how many more are.
pub(super) const BATCHES: Range = Range::new(Low::Least(32.0), High::Most(1e6));
/// Hutch++ takes two products for each vector of its sketch, and needs two samples for a standard error.
pub(super) const TRACE_PRODUCTS: Range = Range::new(Low::Least(4.0), High::Most(10_000.0));
/// A line of `metrics.jsonl` has all nodes and weights, and must stay readable.
pub(super) const SPECTRUM_VECTORS: Range = Range::new(Low::Least(1.0), High::Most(16.0));
/// The basis takes the memory of as many vectors.
pub(super) const SPECTRUM_STEPS: Range = Range::new(Low::Least(2.0), High::Most(200.0));
/// Each eigenvalue needs its own curve on the screen.
pub(super) const EIGENVALUES: Range = Range::new(Low::Least(1.0), High::Most(16.0));
/// Each probe needs its own measurement and its own curve on the screen.
pub(super) const PROBES: Range = Range::new(Low::Least(1.0), High::Most(8.0));
/// The largest number of hidden layers of a fully connected network.
pub(super) const MOST_LAYERS: usize = 64;
/// Two layers of the largest width already have more parameters than the intended machines can hold.
pub(super) const LAYER_WIDTH: Range = Range::new(Low::Least(1.0), High::Most(65_536.0));
pub(super) const CHANNELS: Range = Range::new(Low::Least(1.0), High::Most(4096.0));
/// For `Vgg11` and `ResNet18`, whose last convolutions have 8 times as many channels.
pub(super) const WIDE_NETWORK: Range = Range::new(Low::Least(1.0), High::Most(4096.0 / 8.0));
/// For `ResNet20`, whose last convolutions have 4 times as many channels.
pub(super) const NARROW_NETWORK: Range = Range::new(Low::Least(1.0), High::Most(4096.0 / 4.0));
pub(super) const BATCH: Dependent = Dependent("`Full` or 1 to {}, the training examples in use");
pub(super) const GROUP: Dependent = Dependent("`Full`, or at least 2 and at most {}, the training examples in use");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_range_are_those_of_its_limits() {
        assert_eq!(BELOW_ONE.to_string(), "at least 0 and below 1");
        assert!(BELOW_ONE.contains(0.0) && !BELOW_ONE.contains(1.0) && !BELOW_ONE.contains(-1e-9));
        assert_eq!(TOLERANCE.to_string(), "1e-12 to 0.5");
        assert!(TOLERANCE.contains(1e-12) && TOLERANCE.contains(0.5) && !TOLERANCE.contains(0.51));
        assert_eq!(POSITIVE.to_string(), "above 0 and finite");
        assert!(POSITIVE.contains(1e-300) && !POSITIVE.contains(0.0) && !POSITIVE.contains(f64::INFINITY));
        assert_eq!(COUNT.to_string(), "1 to 1000000000000");
        assert!(COUNT.contains(1e12) && !COUNT.contains(1e12 + 1.0) && !COUNT.contains(0.0));
        assert!(!NOT_NEGATIVE.contains(f64::NAN) && !BELOW_ONE.contains(f64::NAN));
        assert_eq!(AT_LEAST_ONE.to_string(), "at least 1");
        assert_eq!(BATCH.to_string(), "`Full` or 1 to N, the training examples in use");
        assert_eq!(BATCH.up_to(1000), "`Full` or 1 to 1000, the training examples in use");
    }
}
