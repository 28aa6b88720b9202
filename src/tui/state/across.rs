//! What the screen needs of the horizontal axis of its charts.
//!
//! Zoom and cursor are kept in steps of the chosen cell. Drawing converts the steps to places on the axis.

use std::borrow::Cow;

use crate::curve::{self, Across, Curve};
use crate::monitor::Cell;
use crate::tui::plot::{Unit, Window};

impl Across {
    /// Returns the next axis, in a circle.
    pub(in crate::tui) fn next(self) -> Self {
        match self {
            Self::Steps => Self::Epochs,
            Self::Epochs => Self::Seconds,
            Self::Seconds => Self::Steps,
        }
    }

    /// Returns the axis, or steps if the files of another program do not say where the steps of a cell lie on it.
    pub(in crate::tui) fn known(self, cell: &Cell) -> Self {
        let has_times = !cell.plan.is_foreign() || cell.progress.seconds > 0.0;
        match self {
            Self::Epochs if cell.plan.steps_per_epoch == 0 => Self::Steps,
            Self::Seconds if !has_times => Self::Steps,
            _ => self,
        }
    }

    /// Returns the unit of the numbers along the axis.
    pub(in crate::tui) fn unit(self, cell: &Cell) -> Unit {
        match self.known(cell) {
            Self::Steps => Unit::Steps {
                per_epoch: cell.plan.steps_per_epoch,
            },
            Self::Epochs => Unit::Epochs,
            Self::Seconds => Unit::Seconds,
        }
    }

    /// Returns the place of a step of a cell. A later step never has a smaller place.
    pub(in crate::tui) fn place(self, cell: &Cell, step: u64) -> u64 {
        match self.known(cell) {
            Self::Steps => step,
            Self::Epochs => curve::place(step as f64 / cell.plan.steps_per_epoch.max(1) as f64),
            Self::Seconds => curve::place(cell.seconds_at(step)),
        }
    }

    /// Returns the last step of a cell, within `among`, that lies at or before a place.
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

    /// Converts a window of steps of a cell to places. If the end is an estimate of future time, it is rounded up, so
    /// that it does not move with every new estimate.
    pub(in crate::tui) fn window(self, cell: &Cell, steps: Window) -> Window {
        let [from, to] = [steps.from, steps.to].map(|step| self.place(cell, step));
        // The work before the first step takes time, too.
        let from = if steps.from == 0 { 0 } else { from };
        let is_guess = self.known(cell) == Self::Seconds && steps.to > cell.progress.step;
        let to = if is_guess { rounded_up(to) } else { to };
        Window {
            from,
            to: to.max(from + 1),
        }
    }

    /// Converts a curve of a cell to places.
    pub(in crate::tui) fn curve<'a>(self, cell: &Cell, curve: &'a Curve) -> Cow<'a, Curve> {
        match self.known(cell) {
            Self::Steps => Cow::Borrowed(curve),
            Self::Epochs | Self::Seconds => Cow::Owned(curve.placed(|step| self.place(cell, step))),
        }
    }
}

/// Rounds up to two significant digits, of which the second is 0 or 5.
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
