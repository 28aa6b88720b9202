//! Where tensors live: the only module that names a back end.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

/// What the user asked for with `--device`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// CUDA through LibTorch if there is one, else LibTorch on the CPU, else flex.
    #[default]
    Auto,
    /// The pure-Rust CPU back end.
    Flex,
    /// LibTorch on the CPU.
    LibTorch,
    /// LibTorch on the CUDA device of this index.
    LibTorchCuda(usize),
}

/// A device that is there.
#[derive(Clone, Debug)]
pub struct OpenDevice {
    /// The handle for making tensors, without autodiff.
    pub device: Device,
    /// In words, for people: "flex (CPU)".
    pub name: String,
    /// Whether its memory is the host's.
    pub on_host: bool,
}

/// Why a device cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Not a device's name.
    #[error("`{0}` is not a device; expected auto, flex, libtorch or libtorch:cuda:N with N from 0")]
    Unknown(String),
    /// This build has no such back end.
    #[error("device {0} is not in this build; it has {present}. {1}", present = present())]
    NotBuilt(DeviceChoice, &'static str),
    /// The back end is there, the device is not.
    #[error("device {0} is not on this machine, which has {1} CUDA device(s) that LibTorch can see; {present} can be used", present = present())]
    Absent(DeviceChoice, usize),
}

/// The back ends of this build, for an error's words.
fn present() -> &'static str {
    match (cfg!(feature = "flex"), cfg!(feature = "tch")) {
        (true, true) => "flex, libtorch",
        (true, false) => "flex",
        (false, true) => "libtorch",
        (false, false) => "none: build with the feature `flex` or `tch`",
    }
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
/// If this build lacks the back end, or the machine lacks the device.
pub fn open(choice: DeviceChoice) -> Result<OpenDevice, DeviceError> {
    match choice {
        DeviceChoice::Auto => open_best(),
        DeviceChoice::Flex => flex(),
        DeviceChoice::LibTorch => libtorch::cpu(),
        DeviceChoice::LibTorchCuda(index) => libtorch::cuda(index),
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

#[cfg(feature = "tch")]
#[expect(
    deprecated,
    reason = "burn favours its own CUDA back end; LibTorch is what this program is asked to run on"
)]
mod libtorch {
    use super::{Device, DeviceChoice, DeviceError, OpenDevice};

    pub(super) fn cpu() -> Result<OpenDevice, DeviceError> {
        Ok(OpenDevice {
            device: Device::libtorch(),
            name: "libtorch (CPU)".to_owned(),
            on_host: true,
        })
    }

    pub(super) fn cuda(index: usize) -> Result<OpenDevice, DeviceError> {
        let count = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
        if index >= count {
            return Err(DeviceError::Absent(DeviceChoice::LibTorchCuda(index), count));
        }
        Ok(OpenDevice {
            device: Device::libtorch_cuda(index),
            name: format!("libtorch (CUDA {index})"),
            on_host: false,
        })
    }
}

#[cfg(not(feature = "tch"))]
mod libtorch {
    use super::{DeviceChoice, DeviceError, OpenDevice};

    const HOW: &str = "The README says how to build with the feature `tch` in one command.";

    pub(super) fn cpu() -> Result<OpenDevice, DeviceError> {
        Err(DeviceError::NotBuilt(DeviceChoice::LibTorch, HOW))
    }

    pub(super) fn cuda(index: usize) -> Result<OpenDevice, DeviceError> {
        Err(DeviceError::NotBuilt(DeviceChoice::LibTorchCuda(index), HOW))
    }
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
    }
}
