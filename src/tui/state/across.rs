//! What goes across the charts: steps, epochs or seconds.
//!
//! What is chosen by key (a part of the run, a step to read out) is kept in steps of the chosen cell; it is turned into places
//! across a chart where that is drawn.

use std::borrow::Cow;

use crate::monitor::{Cell, Curve};
use crate::tui::plot::{Unit, Window};

/// What goes across the charts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Across {
    /// Optimizer steps.
    #[default]
    Steps,
    /// Passes over the training data, which cells of unlike batch size share.
    Epochs,
    /// Seconds the cell has run, pauses excluded.
    Seconds,
}

/// Epochs and seconds are placed in thousandths.
const PARTS: f64 = 1e3;

impl Across {
    /// All of them, as preferences name them.
    pub(in crate::tui) const ALL: [Self; 3] = [Self::Steps, Self::Epochs, Self::Seconds];

    pub(in crate::tui) fn next(self) -> Self {
        match self {
            Self::Steps => Self::Epochs,
            Self::Epochs => Self::Seconds,
            Self::Seconds => Self::Steps,
        }
    }

    /// Its name, in preferences, too.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Epochs => "epochs",
            Self::Seconds => "seconds",
        }
    }

    /// What the numbers along the axis are.
    pub(in crate::tui) fn unit(self, cell: &Cell) -> Unit {
        match self {
            Self::Steps => Unit::Steps {
                per_epoch: cell.plan.steps_per_epoch,
            },
            Self::Epochs => Unit::Epochs,
            Self::Seconds => Unit::Seconds,
        }
    }

    /// Where a step of a cell lies; later steps never lie before earlier ones.
    pub(in crate::tui) fn place(self, cell: &Cell, step: u64) -> u64 {
        match self {
            Self::Steps => step,
            Self::Epochs => parts(step as f64 / cell.plan.steps_per_epoch.max(1) as f64),
            Self::Seconds => parts(cell.seconds_at(step)),
        }
    }

    /// The step of a cell that lies there, or the last one before.
    pub(in crate::tui) fn step(self, cell: &Cell, place: u64, among: Window) -> u64 {
        let (mut low, mut high) = (among.from, among.to);
        while low < high {
            let middle = high - (high - low) / 2;
            if self.place(cell, middle) <= place {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// The places between which these steps of a cell lie. Where time to come is guessed, its end is rounded, so that it does
    /// not move with every guess.
    pub(in crate::tui) fn window(self, cell: &Cell, steps: Window) -> Window {
        let [from, to] = [steps.from, steps.to].map(|step| self.place(cell, step));
        // What comes before the first step took time, too.
        let from = if steps.from == 0 { 0 } else { from };
        let is_guess = self == Self::Seconds && steps.to > cell.progress.step;
        let to = if is_guess { rounded_up(to) } else { to };
        Window {
            from,
            to: to.max(from + 1),
        }
    }

    /// A curve of a cell, placed.
    pub(in crate::tui) fn curve<'a>(self, cell: &Cell, curve: &'a Curve) -> Cow<'a, Curve> {
        match self {
            Self::Steps => Cow::Borrowed(curve),
            Self::Epochs | Self::Seconds => Cow::Owned(curve.placed(|step| self.place(cell, step))),
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Neither is negative, and a cast stops at the ends.
fn parts(value: f64) -> u64 {
    (value * PARTS).round() as u64
}

/// To two digits, of which the second is 0 or 5.
fn rounded_up(place: u64) -> u64 {
    let decade = 10_u64.pow(place.max(1).ilog10());
    let grain = (decade / 2).max(1);
    place.div_ceil(grain).saturating_mul(grain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::Fixture;

    #[test]
    fn a_place_leads_back_to_its_step_on_every_axis() {
        let fixture = Fixture::half_way();
        let cell = &fixture.monitor.cells[2];
        let all = Window { from: 0, to: 1_000 };
        for across in Across::ALL {
            let mut before = 0;
            for step in (0..=1_000).step_by(7) {
                let place = across.place(cell, step);
                assert!(place >= before, "{across:?} {step}");
                before = place;
                let back = across.step(cell, place, all);
                assert_eq!(across.place(cell, back), place, "{across:?} {step}");
            }
        }
    }

    #[test]
    fn what_is_guessed_is_rounded_up() {
        let rounded: Vec<u64> = [0, 1, 9, 11, 62, 999, 62_001].map(rounded_up).into();
        assert_eq!(rounded, [0, 1, 9, 15, 65, 1_000, 65_000]);
    }
}
