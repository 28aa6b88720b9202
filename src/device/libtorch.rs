//! LibTorch on the CPU and on CUDA.

// Burn deprecates its LibTorch back end in favour of its own CUDA back end, but this program must run on LibTorch.
#![expect(deprecated)]

use burn::tensor::Device;

pub(super) use sharptui_libtorch::cuda_devices;

use super::{Computing, DeviceChoice, DeviceError, OpenDevice};

pub(super) fn cpu() -> Result<OpenDevice, DeviceError> {
    try_out(DeviceChoice::LibTorch, None)?;
    Ok(opened(Device::libtorch(), "CPU", true))
}

pub(super) fn cuda(index: usize) -> Result<OpenDevice, DeviceError> {
    let choice = DeviceChoice::LibTorchCuda(index);
    if index >= cuda_devices() {
        return Err(DeviceError::Absent(choice, why_not_there()));
    }
    try_out(choice, Some(index))?;
    // By default, LibTorch allows TF32 in convolutions.
    compute(Computing::default());
    Ok(opened(Device::libtorch_cuda(index), &format!("CUDA {index}"), false))
}

pub(super) fn compute(how: Computing) {
    sharptui_libtorch::allow_tf32(how.tf32);
    sharptui_libtorch::autotune_convolutions(how.autotune);
    sharptui_libtorch::deterministic_convolutions(how.deterministic);
}

fn try_out(choice: DeviceChoice, cuda: Option<usize>) -> Result<(), DeviceError> {
    if let Some([built, loaded]) = sharptui_libtorch::other_version_loaded() {
        let why = format!(
            "this program was built for LibTorch {built}, but LibTorch {loaded} was loaded (because of LD_LIBRARY_PATH \
             or a replaced package); restore LibTorch {built}, or build the program again"
        );
        return Err(DeviceError::Broken(choice, why));
    }
    sharptui_libtorch::try_out(cuda).map_err(|error| DeviceError::Broken(choice, error.to_string()))
}
fn why_not_there() -> String {
    match cuda_devices() {
        0 => "LibTorch finds no CUDA device: this LibTorch is CPU-only, or the driver is missing or too old (does \
              `nvidia-smi` list the device?)"
            .to_owned(),
        1 => "LibTorch finds one CUDA device, number 0".to_owned(),
        count => format!("LibTorch finds {count} CUDA devices, numbered from 0"),
    }
}

fn opened(device: Device, place: &str, on_host: bool) -> OpenDevice {
    let name = format!("libtorch ({place})");
    OpenDevice {
        device,
        full_name: match option_env!("SHARPTUI_LIBTORCH_VERSION") {
            Some(version) => format!("libtorch {version} ({place})"),
            None => name.clone(),
        },
        name,
        on_host,
    }
}
