//! TF32: whether CUDA's libraries may round the factors of 32-bit products to ten bits of mantissa.
//!
//! They do so fast, and products of the Hessian with a vector are then good to three digits or so, where λ_max is asked
//! for with a residual of 1e-2 and audited at 1e-3. PyTorch leaves it on for convolutions. No function of tch
//! reaches that switch; the environment does, as long as it is set before the libraries load.

/// At 0, no library of NVIDIA's uses TF32, whatever the program says.
/// See <https://docs.nvidia.com/deeplearning/cudnn/latest/api/cudnn-graph-library.html>, `cudnnMathType_t`.
const OVERRIDE: &str = "NVIDIA_TF32_OVERRIDE";

/// At 1, PyTorch uses TF32 for matrix products, too.
/// See <https://docs.pytorch.org/docs/stable/cuda_environment_variables.html>.
const MATRICES: &str = "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE";

/// Whether the environment turns TF32 off.
#[cfg(feature = "tch")]
pub(super) fn is_off() -> bool {
    std::env::var_os(OVERRIDE).is_some_and(|value| value == "0")
}

/// What the environment has to say; nothing where a variable must not be set.
pub(super) fn wanted(allowed: bool) -> [(&'static str, Option<&'static str>); 2] {
    [
        (OVERRIDE, (!allowed).then_some("0")),
        (MATRICES, allowed.then_some("1")),
    ]
}
