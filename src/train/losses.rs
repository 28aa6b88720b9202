//! The losses of the last steps' batches, which are looked at now and then.

use burn::tensor::Tensor;

/// Looked at together: reading each would make the device wait for the host.
const AT_ONCE: usize = 32;

/// Mean losses of batches, `[1]` each, that nobody has looked at.
///
/// Where a device works behind the host's back, they are asked for and looked at [`AT_ONCE`] steps later, when they have
/// long been here, so that nobody waits; elsewhere at once.
#[derive(Default)]
pub(super) struct Losses {
    /// Still on the device, in the order of their steps.
    fresh: Vec<Tensor<1>>,
    asked_for: Option<Asked>,
}

/// Losses on their way to the host.
struct Asked {
    /// The same on the device, for a checkpoint.
    losses: Vec<Tensor<1>>,
    #[cfg(feature = "tch")]
    reading: sharptui_libtorch::Reading,
}

impl Losses {
    /// Those that an earlier process had not looked at.
    pub(super) fn of(mut losses: Vec<Tensor<1>>) -> Self {
        // Where nobody waits for them, there are that many only if the first had been asked for.
        let fresh = losses.split_off(if losses.len() < AT_ONCE { 0 } else { AT_ONCE });
        let asked_for = ask(losses);
        Self { fresh, asked_for }
    }

    pub(super) fn push(&mut self, loss: Tensor<1>) {
        self.fresh.push(loss);
    }

    /// All of them, in the order of their steps.
    pub(super) fn all(&self) -> Vec<Tensor<1>> {
        let asked_for = self.asked_for.iter().flat_map(|asked| &asked.losses);
        asked_for.chain(&self.fresh).cloned().collect()
    }

    /// Those that can be looked at, each once; `now` means all.
    pub(super) fn look(&mut self, now: bool) -> Vec<f64> {
        if now {
            return read(std::mem::take(self).all());
        }
        if self.fresh.len() < AT_ONCE {
            return Vec::new();
        }
        let fresh = std::mem::take(&mut self.fresh);
        match fresh.first() {
            Some(loss) if arrives_later(loss) => {
                let earlier = std::mem::replace(&mut self.asked_for, ask(fresh));
                earlier.map_or_else(Vec::new, Asked::wait)
            }
            _ => read(fresh),
        }
    }
}

fn read(losses: Vec<Tensor<1>>) -> Vec<f64> {
    if losses.is_empty() {
        return Vec::new();
    }
    Tensor::cat(losses, 0).into_data_as::<f64>().iter::<f64>().collect()
}

#[cfg(feature = "tch")]
fn arrives_later(loss: &Tensor<1>) -> bool {
    sharptui_libtorch::works_behind(loss)
}

#[cfg(not(feature = "tch"))]
fn arrives_later(_: &Tensor<1>) -> bool {
    false
}

/// `None` of no losses.
#[cfg(feature = "tch")]
fn ask(losses: Vec<Tensor<1>>) -> Option<Asked> {
    (!losses.is_empty()).then(|| Asked {
        reading: sharptui_libtorch::Reading::begin(&Tensor::cat(losses.clone(), 0)),
        losses,
    })
}

#[cfg(not(feature = "tch"))]
fn ask(losses: Vec<Tensor<1>>) -> Option<Asked> {
    (!losses.is_empty()).then_some(Asked { losses })
}

impl Asked {
    #[cfg(feature = "tch")]
    fn wait(self) -> Vec<f64> {
        self.reading.wait()
    }

    #[cfg(not(feature = "tch"))]
    fn wait(self) -> Vec<f64> {
        read(self.losses)
    }
}
