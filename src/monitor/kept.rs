//! Measurements that are more than a number, of some steps of a cell, in bounded memory.

/// The most measurements that are kept.
const MOST: usize = 128;

/// Measurements with their steps, in the order of the steps. When there are too many, every second one is dropped, and
/// then only every second new one is kept; the first and the last are always there.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<T> {
    all: Vec<(u64, T)>,
    /// One of this many measurements is kept.
    each: u64,
    /// The number of measurements since the last one that is kept for good.
    since: u64,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            each: 1,
            since: 0,
        }
    }
}

impl<T> Kept<T> {
    /// Adds a measurement after the others.
    pub(super) fn push(&mut self, step: u64, measured: T) {
        // A step that is observed again replaces its measurement; the last one is dropped if it was not to be kept.
        let is_again = self.all.last().is_some_and(|(last, _)| *last == step);
        if is_again || (self.since > 0 && self.since < self.each) {
            self.all.pop();
        } else {
            self.since = 0;
        }
        self.all.push((step, measured));
        self.since += u64::from(!is_again);
        if self.all.len() > MOST {
            let mut index = 0;
            self.all.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.each *= 2;
            self.since = 1;
        }
    }

    /// Returns the measurement at this step, or the last one before it; without a step, the last one.
    #[must_use]
    pub fn at(&self, step: Option<u64>) -> Option<(u64, &T)> {
        let found = match step {
            Some(step) => self.all.iter().rev().find(|(known, _)| *known <= step),
            None => self.all.last(),
        };
        found.map(|(step, measured)| (*step, measured))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_kept_and_the_number_is_bounded() {
        let mut kept = Kept::default();
        assert_eq!(kept.at(None), None);
        for step in 0..10_000 {
            kept.push(step, step * 2);
            assert!(kept.all.len() <= MOST);
            assert_eq!(kept.at(None), Some((step, &(step * 2))));
            assert_eq!(kept.at(Some(0)), Some((0, &0)));
        }
        assert!(kept.all.len() > MOST / 4, "{}", kept.all.len());
        let (step, _) = kept.at(Some(5_000)).unwrap();
        assert!(step <= 5_000 && step > 4_700, "{step}");
    }

    #[test]
    fn a_step_that_is_measured_again_has_its_new_measurement() {
        let mut kept = Kept::default();
        for (step, value) in [(0, 'a'), (10, 'b'), (10, 'c'), (20, 'd')] {
            kept.push(step, value);
        }
        assert_eq!(kept.all, [(0, 'a'), (10, 'c'), (20, 'd')]);
        assert_eq!(kept.at(Some(15)), Some((10, &'c')));
    }
}
