//! The losses of recent batches, read from the device every few steps.

use burn::tensor::Tensor;
use sharpness::tensor::{Reading, works_behind};

/// The number of losses that are read together: reading each one would make the device wait for the host.
const AT_ONCE: usize = 32;

/// Mean losses of batches, `[1]` each, that have not been read yet.
///
/// On a device that works asynchronously, a read begins when [`AT_ONCE`] losses are there and is completed [`AT_ONCE`]
/// steps later, when the values have arrived; nothing waits. On other devices they are read immediately.
pub(super) struct Losses {
    lag: bool,
    /// Still on the device, in the order of their steps.
    fresh: Vec<Tensor<1>>,
    asked_for: Option<Asked>,
}

/// Losses that are being copied to the host.
struct Asked {
    /// The same losses on the device, for a checkpoint.
    losses: Vec<Tensor<1>>,
    reading: Reading,
}

impl Losses {
    /// Returns an empty set, for the device of `like`.
    pub(super) fn new<const D: usize>(like: &Tensor<D>) -> Self {
        Self {
            lag: works_behind(like),
            fresh: Vec::new(),
            asked_for: None,
        }
    }

    /// Takes over the losses that an earlier process had not read.
    pub(super) fn go_on_with(&mut self, mut losses: Vec<Tensor<1>>) {
        // There are at least `AT_ONCE` losses only if the read of the first ones had begun.
        let fresh = losses.split_off(if losses.len() < AT_ONCE { 0 } else { AT_ONCE });
        (self.asked_for, self.fresh) = (ask(losses), fresh);
    }

    pub(super) fn push(&mut self, loss: Tensor<1>) {
        self.fresh.push(loss);
    }

    /// Returns all unread losses, in the order of their steps.
    pub(super) fn all(&self) -> Vec<Tensor<1>> {
        let asked_for = self.asked_for.iter().flat_map(|asked| &asked.losses);
        asked_for.chain(&self.fresh).cloned().collect()
    }

    /// Returns the losses whose read is complete, each once, in the order of their steps; with `now`, all of them.
    pub(super) fn look(&mut self, now: bool) -> Vec<f64> {
        if self.fresh.len() < AT_ONCE && !now {
            return Vec::new();
        }
        let earlier = self.asked_for.take();
        self.asked_for = ask(std::mem::take(&mut self.fresh));
        let later = if now || !self.lag { self.asked_for.take() } else { None };
        let asked = earlier.into_iter().chain(later);
        asked.flat_map(|asked| asked.reading.wait()).collect()
    }
}

/// Begins a read; returns `None` if there are no losses.
fn ask(losses: Vec<Tensor<1>>) -> Option<Asked> {
    (!losses.is_empty()).then(|| Asked {
        reading: Reading::begin(Tensor::cat(losses.clone(), 0)),
        losses,
    })
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    fn loss(step: usize) -> Tensor<1> {
        Tensor::from_data([step as f64], &sharptui_flex::device())
    }

    fn losses(lag: bool) -> Losses {
        Losses {
            lag,
            ..Losses::new(&loss(0))
        }
    }

    /// Pushes a loss for each of `steps`. Returns each step at which losses were read, with these losses.
    fn seen(losses: &mut Losses, steps: std::ops::Range<usize>) -> Vec<(usize, Vec<f64>)> {
        let looks = steps.map(|step| {
            losses.push(loss(step));
            (step, losses.look(false))
        });
        looks.filter(|(_, seen)| !seen.is_empty()).collect()
    }

    fn numbers(steps: std::ops::Range<usize>) -> Vec<f64> {
        steps.map(|step| step as f64).collect()
    }

    #[test]
    fn losses_are_looked_at_together_and_where_the_device_lags_when_the_next_are_asked_for() {
        let expected = [(31, numbers(0..32)), (63, numbers(32..64))];
        assert_eq!(seen(&mut losses(false), 0..70), expected);
        let mut lagging = losses(true);
        let expected = [(63, numbers(0..32)), (95, numbers(32..64))];
        assert_eq!(seen(&mut lagging, 0..100), expected);
        assert_eq!(lagging.look(true), numbers(64..100));
        assert!(lagging.look(true).is_empty());
    }

    #[test]
    fn what_another_process_left_is_looked_at_when_it_would_have_been() {
        for lag in [false, true] {
            for stop in [0, 1, 31, 32, 40, 63, 64, 80] {
                let (mut whole, mut first, mut second) = (losses(lag), losses(lag), losses(lag));
                let mut parts = seen(&mut first, 0..stop);
                second.go_on_with(first.all());
                parts.extend(seen(&mut second, stop..130));
                assert_eq!(parts, seen(&mut whole, 0..130), "stopped before {stop}");
                assert_eq!(second.look(true), whole.look(true));
            }
        }
    }

    #[test]
    fn where_no_device_lags_what_one_had_asked_for_is_looked_at_with_the_next() {
        let mut lagging = losses(true);
        seen(&mut lagging, 0..40);
        let mut elsewhere = losses(false);
        elsewhere.go_on_with(lagging.all());
        assert_eq!(seen(&mut elsewhere, 40..70), [(63, numbers(0..64))]);
    }
}
