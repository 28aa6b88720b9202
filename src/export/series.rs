//! The columns of an export: every declared quantity, with its possible error and whether its search converged.

use crate::event::Point;
use crate::quantity::{self, Quantity, Subject};

/// One column, or one curve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Series {
    pub(super) quantity: &'static Quantity,
    pub(super) part: Part,
    /// The name in `metrics.jsonl`.
    pub(super) key: &'static str,
}

/// What a series shows of its quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The value.
    Value,
    /// Its possible error.
    Error,
    /// Whether the search for the value converged, as 1 or 0.
    Converged,
}

impl Series {
    /// Returns every series, in the order of tables.
    pub(super) fn all() -> Vec<Self> {
        let of = |quantity: &'static Quantity| {
            let parts = [
                (Part::Value, Some(quantity.key)),
                (Part::Error, quantity.error_key()),
                (Part::Converged, quantity.converged_key()),
            ];
            parts
                .into_iter()
                .filter_map(move |(part, key)| key.map(|key| Self { quantity, part, key }))
        };
        quantity::all().flat_map(of).collect()
    }

    /// Returns its number in a point, if the point has one; NaN means a measurement whose result is not finite.
    pub(super) fn number(&self, point: &Point) -> Option<f64> {
        match self.part {
            Part::Value => self.quantity.value(point),
            Part::Error => self.quantity.uncertainty(point),
            Part::Converged => {
                let outcome = self.quantity.outcome(point)?;
                Some(f64::from(u8::from(outcome.converged)))
            }
        }
    }

    /// Returns whether it belongs to a probe.
    pub(super) fn is_of_probe(&self) -> bool {
        self.quantity.subject == Subject::Probe
    }
}
