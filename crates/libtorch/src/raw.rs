//! The calls of `operations.cpp`: the only `unsafe` code of the workspace.
//!
//! They are sound because of the rules at the top of that file, and for two more reasons. A [`Tensor`] always has a
//! live handle, which a shared reference keeps alive during the call. Each returned handle is owned by exactly one new
//! [`Tensor`].

use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

use tch::Tensor;
use torch_sys::C_tensor;

/// The message of an exception of LibTorch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibTorchError(pub String);

impl std::fmt::Display for LibTorchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LibTorchError {}

/// A point in the work of a device.
#[repr(C)]
struct Event {
    _private: [u8; 0],
}

unsafe extern "C" {
    fn sharptui_version_compiled() -> u64;
    fn sharptui_version_loaded() -> u64;
    fn sharptui_convolution_backward(
        delta: *const C_tensor,
        x: *const C_tensor,
        weight: *const C_tensor,
        stride: i64,
        padding: i64,
        wanted: *const bool,
        out: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn sharptui_batch_norm(
        x: *const C_tensor,
        weight: *const C_tensor,
        bias: *const C_tensor,
        running_mean: *const C_tensor,
        running_variance: *const C_tensor,
        momentum: f64,
        epsilon: f64,
        out: *mut *mut C_tensor,
        way: *mut i64,
    ) -> *mut c_char;
    fn sharptui_batch_norm_backward(
        delta: *const C_tensor,
        x: *const C_tensor,
        weight: *const C_tensor,
        mean: *const C_tensor,
        rate: *const C_tensor,
        reserve: *const C_tensor,
        epsilon: f64,
        way: i64,
        wanted: *const bool,
        out: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn sharptui_add_scaled(x: *const C_tensor, y: *const C_tensor, scale: f64, out: *mut *mut C_tensor) -> *mut c_char;
    fn sharptui_allow_tf32(allowed: bool) -> *mut c_char;
    fn sharptui_deterministic(on: bool) -> *mut c_char;
    fn sharptui_pinned(tensor: *const C_tensor, out: *mut *mut C_tensor) -> *mut c_char;
    fn sharptui_mark(on: *const C_tensor, out: *mut *mut Event) -> *mut c_char;
    fn sharptui_mark_wait(mark: *const Event) -> *mut c_char;
    fn sharptui_mark_free(mark: *mut Event);
    fn sharptui_words_free(words: *mut c_char);
}

/// The output tensors of a call; `None` for a tensor that was not requested.
type Outputs<const N: usize> = [Option<Tensor>; N];

/// Returns the versions of LibTorch that this crate was compiled for and that is loaded, in the format of
/// `TORCH_ABI_VERSION`.
pub(crate) fn versions() -> [u64; 2] {
    // SAFETY: it takes nothing and returns a number.
    let compiled = unsafe { sharptui_version_compiled() };
    // SAFETY: the same.
    let loaded = unsafe { sharptui_version_loaded() };
    [compiled, loaded]
}

pub(crate) fn convolution_backward(
    delta: &Tensor,
    x: &Tensor,
    weight: &Tensor,
    [stride, padding]: [i64; 2],
    wanted: [bool; 3],
) -> Result<Outputs<3>, LibTorchError> {
    let mut out = [null_mut(); 3];
    // SAFETY: the handles live as long as the references; `wanted` and `out` have the three elements that are read and
    // written.
    let words = unsafe {
        sharptui_convolution_backward(
            delta.as_ptr(),
            x.as_ptr(),
            weight.as_ptr(),
            stride,
            padding,
            wanted.as_ptr(),
            out.as_mut_ptr(),
        )
    };
    // SAFETY: `words` and `out` come from that call.
    unsafe { finish(words, out) }
}

/// Returns y, the mean, 1/√(σ² + ε), data for the backward pass, and the number of the chosen implementation.
pub(crate) fn batch_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    running: Option<(&mut Tensor, &mut Tensor)>,
    momentum: f64,
    epsilon: f64,
) -> Result<(Outputs<4>, i64), LibTorchError> {
    let mut out = [null_mut(); 4];
    let mut way = 0;
    let (mean, variance) = running.map_or((null(), null()), |(mean, variance)| (mean.as_ptr(), variance.as_ptr()));
    // SAFETY: as for `convolution_backward`; the running statistics, which are written to, are borrowed exclusively.
    let words = unsafe {
        sharptui_batch_norm(
            x.as_ptr(),
            weight.as_ptr(),
            bias.as_ptr(),
            mean,
            variance,
            momentum,
            epsilon,
            out.as_mut_ptr(),
            &raw mut way,
        )
    };
    // SAFETY: `words` and `out` come from that call.
    unsafe { finish(words, out) }.map(|out| (out, way))
}

/// The data of a forward pass of batch normalization that its derivatives need.
pub(crate) struct Normalized<'a> {
    pub(crate) x: &'a Tensor,
    pub(crate) mean: &'a Tensor,
    pub(crate) rate: &'a Tensor,
    pub(crate) reserve: &'a Tensor,
    pub(crate) way: i64,
    pub(crate) epsilon: f64,
}

pub(crate) fn batch_norm_backward(
    delta: &Tensor,
    weight: &Tensor,
    at: &Normalized,
    wanted: [bool; 3],
) -> Result<Outputs<3>, LibTorchError> {
    let mut out = [null_mut(); 3];
    // SAFETY: as for `convolution_backward`.
    let words = unsafe {
        sharptui_batch_norm_backward(
            delta.as_ptr(),
            at.x.as_ptr(),
            weight.as_ptr(),
            at.mean.as_ptr(),
            at.rate.as_ptr(),
            at.reserve.as_ptr(),
            at.epsilon,
            at.way,
            wanted.as_ptr(),
            out.as_mut_ptr(),
        )
    };
    // SAFETY: `words` and `out` come from that call.
    unsafe { finish(words, out) }
}

pub(crate) fn add_scaled(x: &Tensor, y: &Tensor, scale: f64) -> Result<Outputs<1>, LibTorchError> {
    let mut out = [null_mut(); 1];
    // SAFETY: as for `convolution_backward`.
    let words = unsafe { sharptui_add_scaled(x.as_ptr(), y.as_ptr(), scale, out.as_mut_ptr()) };
    // SAFETY: `words` and `out` come from that call.
    unsafe { finish(words, out) }
}

pub(crate) fn allow_tf32(allowed: bool) -> Result<(), LibTorchError> {
    // SAFETY: it takes a value, and LibTorch keeps the setting in atomics.
    let words = unsafe { sharptui_allow_tf32(allowed) };
    // SAFETY: `words` comes from that call.
    unsafe { finish(words, []) }.map(|[]| ())
}

pub(crate) fn deterministic(on: bool) -> Result<(), LibTorchError> {
    // SAFETY: as for `allow_tf32`.
    let words = unsafe { sharptui_deterministic(on) };
    // SAFETY: `words` comes from that call.
    unsafe { finish(words, []) }.map(|[]| ())
}

/// Copies a tensor of the host to memory that a device reads directly.
pub(crate) fn pinned(tensor: &Tensor) -> Result<Outputs<1>, LibTorchError> {
    let mut out = [null_mut(); 1];
    // SAFETY: the handle lives as long as the reference, and `out` has the one element that is written.
    let words = unsafe { sharptui_pinned(tensor.as_ptr(), out.as_mut_ptr()) };
    // SAFETY: `words` and `out` come from that call.
    unsafe { finish(words, out) }
}

/// A mark at the end of the work that was queued on a device.
pub(crate) struct Mark(*mut Event);

// SAFETY: an event of CUDA may be waited for and destroyed on any thread; only one thread uses it at a time.
unsafe impl Send for Mark {}

impl Mark {
    /// Marks the end of the work that is queued on the device of `on`.
    pub(crate) fn set(on: &Tensor) -> Result<Self, LibTorchError> {
        let mut mark = null_mut();
        // SAFETY: the handle lives as long as the reference; `mark` may be written to.
        let words = unsafe { sharptui_mark(on.as_ptr(), &raw mut mark) };
        // SAFETY: `words` comes from that call.
        unsafe { finish(words, []) }.map(|[]| Self(mark))
    }

    /// Waits until the device is past the mark.
    pub(crate) fn wait(&self) -> Result<(), LibTorchError> {
        // SAFETY: the event lives as long as `self`.
        let words = unsafe { sharptui_mark_wait(self.0) };
        // SAFETY: `words` comes from that call.
        unsafe { finish(words, []) }.map(|[]| ())
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // SAFETY: the event comes from `sharptui_mark`, and has no other owner.
        unsafe { sharptui_mark_free(self.0) }
    }
}

/// Takes ownership of the result of a call: its tensors, or the message of its exception.
///
/// # Safety
///
/// `words` and `out` come from one call of a function of `operations.cpp`, and are used nowhere else.
unsafe fn finish<const N: usize>(words: *mut c_char, out: [*mut C_tensor; N]) -> Result<Outputs<N>, LibTorchError> {
    if words.is_null() {
        return Ok(out.map(|handle| {
            // SAFETY: the handle is new and has no owner yet.
            (!handle.is_null()).then(|| unsafe { Tensor::from_ptr(handle) })
        }));
    }
    // SAFETY: the message ends with a zero, and is valid until it is freed below.
    let said = unsafe { CStr::from_ptr(words) }.to_string_lossy().into_owned();
    // SAFETY: the message comes from `operations.cpp`, and is freed only here.
    unsafe { sharptui_words_free(words) };
    Err(LibTorchError(said))
}
