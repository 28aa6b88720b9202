//! TF32: whether CUDA's libraries may round the factors of 32-bit products to ten bits of mantissa.
//!
//! They do so fast, and products of the Hessian with a vector are then good to three digits or so, where λ_max is asked
//! for with a residual of 1e-2 and audited at 1e-3. PyTorch leaves it on for convolutions. No function of tch
//! reaches that switch; the environment does, as long as it is set before the libraries load.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::Command;

use super::{DeviceChoice, DeviceError, libtorch};

/// At 0, no library of NVIDIA's uses TF32, whatever the program says.
/// See <https://docs.nvidia.com/deeplearning/cudnn/latest/api/cudnn-graph-library.html>, `cudnnMathType_t`.
const OVERRIDE: &str = "NVIDIA_TF32_OVERRIDE";

/// At 1, PyTorch uses TF32 for matrix products, too.
/// See <https://docs.pytorch.org/docs/stable/cuda_environment_variables.html>.
const MATRICES: &str = "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE";

/// Sees to it that CUDA's libraries use TF32 if it is `allowed`, and otherwise do not: where the environment says
/// something else and `choice` is a CUDA device, this process starts its program again, from the beginning.
///
/// # Errors
///
/// If the program cannot be started again.
pub fn settle_tf32(choice: DeviceChoice, allowed: bool) -> Result<(), DeviceError> {
    let devices = libtorch::cuda_devices();
    let on_cuda = match choice {
        DeviceChoice::Auto => devices > 0,
        DeviceChoice::LibTorchCuda(index) => index < devices,
        DeviceChoice::Flex | DeviceChoice::LibTorch => false,
    };
    if on_cuda { settle(allowed) } else { Ok(()) }
}

/// Whether the environment turns TF32 off.
#[cfg(feature = "tch")]
pub(super) fn is_off() -> bool {
    env::var_os(OVERRIDE).is_some_and(|value| value == "0")
}

fn settle(allowed: bool) -> Result<(), DeviceError> {
    let wanted = wanted(allowed);
    if wanted
        .iter()
        .all(|(name, value)| env::var_os(name).as_deref() == value.map(OsStr::new))
    {
        return Ok(());
    }
    let error = restart(&wanted);
    Err(DeviceError::Restart(OVERRIDE, error.to_string()))
}

/// What the environment has to say; nothing where a variable must not be set.
fn wanted(allowed: bool) -> [(&'static str, Option<&'static str>); 2] {
    [
        (OVERRIDE, (!allowed).then_some("0")),
        (MATRICES, allowed.then_some("1")),
    ]
}

/// Puts this program in its own place, in another environment; comes back only with the reason why it could not.
#[cfg(unix)]
fn restart(environment: &[(&str, Option<&str>)]) -> io::Error {
    use std::os::unix::process::CommandExt;

    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut arguments = env::args_os();
    let mut command = Command::new(&program);
    command.arg0(arguments.next().unwrap_or_else(|| OsString::from(program)));
    command.args(arguments);
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.exec()
}

#[cfg(not(unix))]
fn restart(_: &[(&str, Option<&str>)]) -> io::Error {
    io::ErrorKind::Unsupported.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set in the child that the test makes of itself, so that it knows that it is one.
    const CHILD: &str = "SHARPTUI_TEST_OF_TF32";

    #[test]
    fn the_program_starts_itself_again_in_the_environment_that_decides_on_tf32() {
        if let Some(allowed) = env::var_os(CHILD) {
            let allowed = allowed == "true";
            settle(allowed).unwrap();
            println!("settled {:?} {:?}", env::var_os(OVERRIDE), env::var_os(MATRICES));
            return;
        }
        for (allowed, settled) in [("false", r#"Some("0") None"#), ("true", r#"None Some("1")"#)] {
            for before in ["0", "1"] {
                let mut command = Command::new(env::current_exe().unwrap());
                command.args(["the_program_starts_itself_again", "--nocapture", "--test-threads", "1"]);
                command.env(CHILD, allowed).env(OVERRIDE, before).env(MATRICES, before);
                let output = command.output().unwrap();
                let said = String::from_utf8(output.stdout).unwrap();
                assert!(output.status.success(), "{said}");
                assert!(said.contains(&format!("settled {settled}")), "{said}");
            }
        }
    }

    #[test]
    fn on_the_cpu_nothing_is_started_again() {
        assert_eq!(settle_tf32(DeviceChoice::Flex, false), Ok(()));
        assert_eq!(settle_tf32(DeviceChoice::LibTorch, true), Ok(()));
    }
}
