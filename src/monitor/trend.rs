//! The ratio to the edge of stability over the course of a cell, at low resolution, for sweeps of thousands of cells.

/// Number of parts into which the planned steps of a cell are divided.
pub const PARTS: usize = 12;

/// The largest ratio to the edge of stability in each part of a cell's planned steps; the ratio is λ_max·η/2 for
/// gradient descent.
///
/// It is kept when the curves of a cell are discarded. Adding the same measurement twice changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend([f32; PARTS]);

impl Default for Trend {
    fn default() -> Self {
        Self([f32::NAN; PARTS])
    }
}

impl Trend {
    /// Adds a measurement at `step` of `planned` steps. Non-finite ratios are ignored.
    pub(super) fn push(&mut self, step: u64, planned: u64, ratio: f64) {
        if ratio.is_finite() {
            let part = step.saturating_mul(PARTS as u64) / planned.max(1);
            let part = usize::try_from(part).unwrap_or(usize::MAX).min(PARTS - 1);
            self.0[part] = self.0[part].max(ratio as f32);
        }
    }

    /// Returns the ratio of each part; none if nothing was measured there.
    pub fn parts(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        let known = |ratio: &f32| (!ratio.is_nan()).then_some(f64::from(*ratio));
        self.0.iter().map(known)
    }

    /// Returns whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|ratio| ratio.is_nan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_single_planned_step_is_in_the_last_part() {
        let mut trend = Trend::default();
        trend.push(1, 1, 0.5);
        assert!(!trend.is_empty());
        assert_eq!(trend.parts().position(|part| part.is_some()), Some(PARTS - 1));
        // With 0 planned steps, a step still falls into a part.
        trend.push(0, 0, 0.25);
        assert_eq!(trend.parts().next(), Some(Some(0.25)));
    }

    #[test]
    fn each_part_keeps_its_largest_ratio_and_what_is_told_twice_counts_once() {
        let mut trend = Trend::default();
        assert!(trend.is_empty());
        for _ in 0..2 {
            for (step, ratio) in [
                (0, 0.5),
                (10, 0.75),
                (99, 0.25),
                (600, 1.5),
                (1_200, f64::NAN),
                (9_999, 1.0),
            ] {
                trend.push(step, 1_200, ratio);
            }
        }
        let parts: Vec<Option<f64>> = trend.parts().collect();
        assert_eq!(parts.len(), PARTS);
        assert_eq!((parts[0], parts[6], parts[11]), (Some(0.75), Some(1.5), Some(1.0)));
        assert_eq!(parts.iter().flatten().count(), 3);
    }
}
