//! LibTorch on the CPU and on CUDA.

// Burn favours its own CUDA back end; LibTorch is what this program is asked to run on.
#![expect(deprecated)]

use burn::tensor::Device;

use super::{DeviceChoice, DeviceError, OpenDevice, tf32};

pub(super) fn cpu() -> Result<OpenDevice, DeviceError> {
    try_out(DeviceChoice::LibTorch, tch::Device::Cpu)?;
    Ok(opened(Device::libtorch(), "CPU", true))
}

pub(super) fn cuda(index: usize) -> Result<OpenDevice, DeviceError> {
    let choice = DeviceChoice::LibTorchCuda(index);
    if index >= cuda_devices() {
        return Err(DeviceError::Absent(choice, why_not_there()));
    }
    try_out(choice, tch::Device::Cuda(index))?;
    let tf32 = if tf32::is_off() { "off" } else { "on" };
    let place = format!("CUDA {index}, TF32 {tf32}");
    Ok(opened(Device::libtorch_cuda(index), &place, false))
}

/// How many CUDA devices LibTorch can see.
pub(super) fn cuda_devices() -> usize {
    usize::try_from(tch::Cuda::device_count()).unwrap_or(0)
}

pub(super) fn autotune(on: bool) {
    tch::Cuda::cudnn_set_benchmark(on);
}

/// Makes a number there: a device can be listed and still refuse, busy with another program or too new for LibTorch.
fn try_out(choice: DeviceChoice, device: tch::Device) -> Result<(), DeviceError> {
    match tch::Tensor::f_zeros([1], (tch::Kind::Float, device)) {
        Ok(_) => Ok(()),
        Err(error) => {
            // Below the first line stand C++ functions.
            let said = error.to_string();
            let first = said.lines().next().unwrap_or_default().to_owned();
            Err(DeviceError::Broken(choice, first))
        }
    }
}

fn why_not_there() -> String {
    match cuda_devices() {
        0 => "LibTorch sees no CUDA device: it is one for the CPU alone, or the driver is missing or too old (does \
              `nvidia-smi` see the device?)"
            .to_owned(),
        1 => "LibTorch sees one CUDA device, number 0".to_owned(),
        count => format!("LibTorch sees {count} CUDA devices, numbered from 0"),
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
