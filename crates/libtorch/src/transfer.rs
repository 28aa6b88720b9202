//! Copies between the memory of the host and of a device, without waiting.

use burn::tensor::{Int, Tensor};
use tch::kind::Element;

use crate::raw;
use crate::raw::Mark;
use crate::tensors::{is_here, or_panic, own, own_indices, see};

/// Returns a tensor of these numbers on the device and in the format of `like`.
///
/// On CUDA the device copies them later, from memory that is kept until then. The host does not wait.
pub fn upload<T: Element, const D: usize, const E: usize>(
    numbers: &[T],
    shape: [usize; D],
    like: &Tensor<E>,
) -> Tensor<D> {
    let like = see(like);
    let shape = shape.map(|size| i64::try_from(size).unwrap_or(i64::MAX));
    // In their own format: small formats are fast to copy, and the device converts them.
    let there = sent(numbers, like.device());
    own(there.to_kind(like.kind()).view(&shape[..]))
}

/// Returns a tensor of indices, `[count]`, copied in the same way.
pub fn upload_indices<const E: usize>(indices: &[i64], like: &Tensor<E>) -> Tensor<1, Int> {
    own_indices(sent(indices, see(like).device()))
}

fn sent<T: Element>(numbers: &[T], device: tch::Device) -> tch::Tensor {
    let here = tch::Tensor::from_slice(numbers);
    if device == tch::Device::Cpu {
        return here;
    }
    match or_panic(raw::pinned(&here)) {
        [Some(pinned)] => pinned.to_device_(device, T::KIND, true, false),
        [None] => unreachable!("LibTorch returned no copy"),
    }
}

/// Returns whether the device of `tensor` works asynchronously, so that a read waits for it.
pub fn works_behind<const D: usize>(tensor: &Tensor<D>) -> bool {
    is_here(tensor) && see(tensor).device() != tch::Device::Cpu
}

/// A copy of numbers from a device to the host.
pub struct Reading {
    numbers: tch::Tensor,
    /// The end of the copy; `None` if the numbers are already on the host.
    there: Option<Mark>,
}

impl Reading {
    /// Starts to copy `tensor`. The copy takes place after the work that is queued now.
    pub fn begin(tensor: &Tensor<1>) -> Self {
        let seen = see(tensor);
        let wide = seen.to_kind(tch::Kind::Double);
        // Into host memory that the device writes directly.
        let numbers = wide.to_device_(tch::Device::Cpu, tch::Kind::Double, true, false);
        let there = match seen.device() {
            tch::Device::Cpu => None,
            _ => Some(or_panic(Mark::set(&seen))),
        };
        Self { numbers, there }
    }

    /// Waits for the numbers and returns them.
    pub fn wait(self) -> Vec<f64> {
        if let Some(there) = &self.there {
            or_panic(there.wait());
        }
        Vec::try_from(&self.numbers).unwrap_or_else(|error| panic!("{error}"))
    }
}
