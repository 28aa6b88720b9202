//! The devices that hold tensors. No other module names a back end.

mod environment;
#[cfg(feature = "tch")]
mod libtorch;
mod memory;
mod panics;
mod runners;

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

pub use environment::settle_environment;

pub use memory::is_out_of_memory;
pub use panics::shorten_panics;
pub use runners::{RunnerChoice, RunnerChoiceError};

/// The value of `--device`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// LibTorch on CUDA device 0 if it exists, else LibTorch on the CPU, else flex.
    #[default]
    Auto,
    /// The pure-Rust CPU back end.
    Flex,
    /// LibTorch on the CPU.
    LibTorch,
    /// LibTorch on the CUDA device of this index.
    LibTorchCuda(usize),
}

/// A device that is ready for use.
#[derive(Clone, Debug)]
pub struct OpenDevice {
    /// The handle for creating tensors, without autodiff.
    pub device: Device,
    /// The short name, for people: "flex (CPU)", "libtorch (CUDA 0)".
    pub name: String,
    /// The name with the version of the library, if it has one: "libtorch 2.9.0+cu128 (CPU)".
    pub full_name: String,
    /// Whether its memory is the memory of the host.
    pub on_host: bool,
}

/// Options of CUDA's libraries for convolutions and matrix products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Computing {
    /// Whether they may round the factors of 32-bit products to TF32's ten bits of mantissa.
    pub tf32: bool,
    /// Whether cuDNN may try several algorithms for every new shape of a convolution and keep the fastest
    /// (`torch.backends.cudnn.benchmark`). The choice depends on measured times, so runs may differ in the last bits.
    pub autotune: bool,
    /// Whether cuDNN uses only algorithms that give the same bits each time (`torch.backends.cudnn.deterministic`).
    pub deterministic: bool,
}

/// The reason why a device cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The text is not the name of a device.
    #[error("`{0}` is not a device; expected auto, flex, libtorch or libtorch:cuda:N with N from 0")]
    Unknown(String),
    /// This build does not contain the back end.
    #[error("device {0} is not in this build; it has {present}. {1}", present = present())]
    NotBuilt(DeviceChoice, &'static str),
    /// This build contains the back end, but the device does not exist.
    #[error("device {0} was not found: {1}; available: {present}", present = present())]
    Absent(DeviceChoice, String),
    /// The device exists but does not work.
    #[error("device {0} does not work: {1}; available: {present}", present = present())]
    Broken(DeviceChoice, String),
}

/// Lists the devices of this build on this machine, for error messages.
fn present() -> String {
    let mut devices = Vec::new();
    if cfg!(feature = "flex") {
        devices.push(DeviceChoice::Flex);
    }
    if cfg!(feature = "tch") {
        devices.push(DeviceChoice::LibTorch);
        devices.extend((0..libtorch::cuda_devices()).map(DeviceChoice::LibTorchCuda));
    }
    if devices.is_empty() {
        return "none: build with the feature `flex` or `tch`".to_owned();
    }
    let names: Vec<String> = devices.iter().map(ToString::to_string).collect();
    names.join(", ")
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => write!(f, "auto"),
            Self::Flex => write!(f, "flex"),
            Self::LibTorch => write!(f, "libtorch"),
            Self::LibTorchCuda(index) => write!(f, "libtorch:cuda:{index}"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        match text {
            "auto" => Ok(Self::Auto),
            "flex" => Ok(Self::Flex),
            "libtorch" => Ok(Self::LibTorch),
            _ => text
                .strip_prefix("libtorch:cuda:")
                .filter(|index| index.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|index| index.parse().ok())
                .map(Self::LibTorchCuda)
                .ok_or_else(|| DeviceError::Unknown(text.to_owned())),
        }
    }
}

/// Opens the device that was chosen.
///
/// # Errors
///
/// Fails if this build does not contain the back end, or if the device does not exist or does not work.
pub fn open(choice: DeviceChoice) -> Result<OpenDevice, DeviceError> {
    match choice {
        DeviceChoice::Auto => open_best(),
        DeviceChoice::Flex => flex(),
        DeviceChoice::LibTorch => libtorch::cpu(),
        DeviceChoice::LibTorchCuda(index) => libtorch::cuda(index),
    }
}

impl OpenDevice {
    /// Sets the options for all later computations. It has an effect only on CUDA.
    pub fn compute(&self, how: Computing) {
        if !self.on_host {
            libtorch::compute(how);
        }
    }

    /// Returns the environment variables that set the number of threads of this back end, the first one that is set
    /// counts. A GPU has none.
    pub fn thread_variables(&self) -> &'static [&'static str] {
        if !self.on_host {
            &[]
        } else if self.name.starts_with("flex") {
            &["RAYON_NUM_THREADS"]
        } else {
            &["OMP_NUM_THREADS", "MKL_NUM_THREADS"]
        }
    }

    /// Explains a panic on this device to people. If the device ran out of memory, the text says what to do; otherwise
    /// it is the message of the panic.
    pub fn explain_panic(&self, said: &str) -> String {
        memory::explain(said, &self.full_name).unwrap_or_else(|| format!("panic: {said}"))
    }
}

fn open_best() -> Result<OpenDevice, DeviceError> {
    libtorch::cuda(0).or_else(|_| libtorch::cpu()).or_else(|_| flex())
}

#[cfg(feature = "flex")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature it is an error")]
fn flex() -> Result<OpenDevice, DeviceError> {
    Ok(OpenDevice {
        device: Device::flex(),
        name: "flex (CPU)".to_owned(),
        full_name: "flex (CPU)".to_owned(),
        on_host: true,
    })
}

#[cfg(not(feature = "flex"))]
fn flex() -> Result<OpenDevice, DeviceError> {
    Err(DeviceError::NotBuilt(
        DeviceChoice::Flex,
        "Build without `--no-default-features`.",
    ))
}

#[cfg(not(feature = "tch"))]
mod libtorch {
    use super::{DeviceChoice, DeviceError, OpenDevice};

    const HOW: &str = "In the program's source, `.cargo/libtorch` sets LibTorch up and builds with it.";

    pub(super) fn cpu() -> Result<OpenDevice, DeviceError> {
        Err(DeviceError::NotBuilt(DeviceChoice::LibTorch, HOW))
    }

    pub(super) fn cuda(index: usize) -> Result<OpenDevice, DeviceError> {
        Err(DeviceError::NotBuilt(DeviceChoice::LibTorchCuda(index), HOW))
    }

    pub(super) fn cuda_devices() -> usize {
        0
    }

    pub(super) fn compute(_: super::Computing) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_shown() {
        for text in ["auto", "flex", "libtorch", "libtorch:cuda:0", "libtorch:cuda:12"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_device_is_refused_with_its_name() {
        for text in [
            "",
            "cuda",
            "libtorch:cuda",
            "libtorch:cuda:",
            "libtorch:cuda:-1",
            "libtorch:cuda:+1",
            "FLEX",
        ] {
            let message = text.parse::<DeviceChoice>().unwrap_err().to_string();
            assert!(message.contains(&format!("`{text}`")), "{message}");
        }
    }

    #[cfg(not(feature = "tch"))]
    #[test]
    fn a_build_without_libtorch_says_so() {
        let message = open(DeviceChoice::LibTorch).unwrap_err().to_string();
        assert!(
            message.contains("libtorch is not in this build; it has flex"),
            "{message}"
        );
        assert!(message.contains("`.cargo/libtorch`"), "{message}");
    }

    #[cfg(feature = "tch")]
    #[test]
    fn a_cuda_device_that_is_not_there_is_an_error_that_names_what_is() {
        let message = open(DeviceChoice::LibTorchCuda(99)).unwrap_err().to_string();
        assert!(
            message.starts_with("device libtorch:cuda:99 was not found: "),
            "{message}"
        );
        assert!(message.contains("available: flex, libtorch"), "{message}");
    }

    #[cfg(feature = "tch")]
    #[test]
    fn libtorch_says_its_version() {
        let device = open(DeviceChoice::LibTorch).unwrap();
        assert_eq!(device.name, "libtorch (CPU)");
        let version = device.full_name.strip_prefix("libtorch ").unwrap_or_default();
        assert!(version.starts_with(|digit: char| digit.is_ascii_digit()), "{version}");
    }
}
