//! Settings and properties of LibTorch in the whole process.

use std::sync::{Mutex, PoisonError};

use crate::raw;
use crate::raw::LibTorchError;
use crate::tensors::or_panic;

/// Returns the number of CUDA devices that LibTorch sees.
pub fn cuda_devices() -> usize {
    usize::try_from(tch::Cuda::device_count()).unwrap_or(0)
}

/// Checks a device by making a number on the CPU, or on the CUDA device of this index. A device can be listed and still
/// fail, for example because another program uses it or because it is too new for LibTorch.
///
/// # Errors
///
/// The first line of LibTorch's message; the lines below it are C++ functions.
pub fn try_out(cuda: Option<usize>) -> Result<(), LibTorchError> {
    let device = cuda.map_or(tch::Device::Cpu, tch::Device::Cuda);
    let said = match tch::Tensor::f_zeros([1], (tch::Kind::Float, device)) {
        Ok(_) => return Ok(()),
        Err(error) => error.to_string(),
    };
    Err(LibTorchError(said.lines().next().unwrap_or_default().to_owned()))
}

/// The last setting given to LibTorch. Before the first one, LibTorch uses TF32 for convolutions.
static TF32: Mutex<Option<bool>> = Mutex::new(None);

/// Sets whether products of 32-bit numbers on CUDA may round their factors to TF32, ten bits of mantissa, from the next
/// product on. Returns the former setting; before the first call that is false.
pub fn allow_tf32(allowed: bool) -> bool {
    let mut told = TF32.lock().unwrap_or_else(PoisonError::into_inner);
    if *told != Some(allowed) {
        or_panic(raw::allow_tf32(allowed));
    }
    told.replace(allowed).unwrap_or_default()
}

/// Sets whether cuDNN tries several algorithms for every new shape of a convolution and keeps the fastest.
pub fn autotune_convolutions(on: bool) {
    tch::Cuda::cudnn_set_benchmark(on);
}

/// Sets whether cuDNN uses only algorithms that give the same bits each time.
pub fn deterministic_convolutions(on: bool) {
    or_panic(raw::deterministic(on));
}

/// Returns the version of LibTorch that this crate was built for and the version that is loaded, for example "2.9.0"
/// and "2.11.0", if they differ.
///
/// Different versions may be incompatible: LibTorch promises nothing from one version to the next.
pub fn other_version_loaded() -> Option<[String; 2]> {
    let versions = raw::versions();
    // Only the patch may differ; its byte is the third from the top.
    let [built, loaded] = versions.map(|version| version >> 48);
    (built != loaded).then(|| versions.map(words))
}

/// Formats a version, which has one byte each for major, minor and patch, from the top.
fn words(version: u64) -> String {
    let [major, minor, patch, ..] = version.to_be_bytes();
    format!("{major}.{minor}.{patch}")
}
