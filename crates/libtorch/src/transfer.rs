//! Between the memory of the host and of a device, without waiting.

use burn::tensor::{Int, Tensor};
use tch::kind::Element;

use crate::raw;
use crate::raw::Mark;
use crate::tensors::{is_here, or_panic, own, own_indices, see};

/// A tensor of these numbers where `like` is, and in its format.
///
/// On CUDA they are copied when the device comes to it, out of memory that is kept until then; nobody waits.
pub fn upload<T: Element, const D: usize, const E: usize>(
    numbers: &[T],
    shape: [usize; D],
    like: &Tensor<E>,
) -> Tensor<D> {
    let like = see(like);
    let shape = shape.map(|size| i64::try_from(size).unwrap_or(i64::MAX));
    // In their own format: small numbers travel fast, and are turned into others there.
    let there = sent(numbers, like.device());
    own(there.to_kind(like.kind()).view(&shape[..]))
}

/// The same of indices, `[count]`.
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
        [None] => unreachable!("LibTorch left a copy out"),
    }
}

/// Whether the device of `tensor` does its work behind the host's back, so that reading from it means waiting for it.
pub fn works_behind<const D: usize>(tensor: &Tensor<D>) -> bool {
    is_here(tensor) && see(tensor).device() != tch::Device::Cpu
}

/// Numbers on their way from a device to the host.
pub struct Reading {
    numbers: tch::Tensor,
    /// Nothing where they are here already.
    there: Option<Mark>,
}

impl Reading {
    /// Asks for the numbers of `tensor` as they will be when the work that is queued up to now is done.
    pub fn begin(tensor: &Tensor<1>) -> Self {
        let seen = see(tensor);
        let wide = seen.to_kind(tch::Kind::Double);
        // Into memory that the device writes by itself.
        let numbers = wide.to_device_(tch::Device::Cpu, tch::Kind::Double, true, false);
        let there = match seen.device() {
            tch::Device::Cpu => None,
            _ => Some(or_panic(Mark::set(&seen))),
        };
        Self { numbers, there }
    }

    /// The numbers, once they are here.
    pub fn wait(self) -> Vec<f64> {
        if let Some(there) = &self.there {
            or_panic(there.wait());
        }
        Vec::try_from(&self.numbers).unwrap_or_else(|error| panic!("{error}"))
    }
}
