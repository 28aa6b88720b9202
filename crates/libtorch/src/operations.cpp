// LibTorch's own operations that the crate `tch` does not have.
//
// Rules of this file, which src/raw.rs relies on:
// - No exception leaves a function: each body is inside `guarded`, which returns the exception's message instead.
// - Input tensors are borrowed: they are neither freed nor written to, unless a comment says so.
// - Output tensors are new handles, which the caller frees with `at_free` of torch-sys (tch does this automatically).
// - After a failure no output has been written.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <ATen/Context.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_batch_norm_impl_index.h>
#include <ATen/ops/_batch_norm_impl_index_backward.h>
#include <ATen/ops/add.h>
#include <ATen/ops/convolution_backward.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/version.h>

namespace {

// Receives warnings of LibTorch and ignores them.
class Quiet : public c10::WarningHandler {
 public:
  void process(const c10::Warning&) override {}
};

// The message if there is no memory to copy another message. It is never freed.
char out_of_memory[] = "std::bad_alloc: no memory to copy the exception's message";

char* copied(const char* words) noexcept {
  char* copy = strdup(words);
  return copy != nullptr ? copy : out_of_memory;
}

// Runs `body` and returns the message of the exception that it throws, or null if it throws none. The caller passes the
// message to `sharptui_words_free`.
template <typename Body>
char* guarded(Body body) noexcept {
  try {
    // LibTorch's automatic differentiation is not used, so its records are skipped.
    at::AutoDispatchBelowADInplaceOrView without_autograd;
    body();
    return nullptr;
  } catch (const std::exception& exception) {
    return copied(exception.what());
  } catch (...) {
    return copied("an exception without a message");
  }
}

// Returns a tensor that may be missing, in the form that operations take.
std::optional<at::Tensor> optional(const at::Tensor* tensor) {
  if (tensor == nullptr) return std::nullopt;
  return *tensor;
}

// Writes handles for the caller; null for a tensor that was not requested. If memory runs out, it writes none.
template <typename... Tensors>
void hand_out(at::Tensor** out, Tensors&&... tensors) {
  std::array<std::unique_ptr<at::Tensor>, sizeof...(tensors)> handles{
      (tensors.defined() ? std::make_unique<at::Tensor>(std::move(tensors)) : nullptr)...};
  for (auto& handle : handles) *out++ = handle.release();
}

}  // namespace

extern "C" {

// Returns the version of LibTorch that this file was compiled against, in the format of `aoti_torch_abi_version`.
uint64_t sharptui_version_compiled() { return TORCH_ABI_VERSION; }

uint64_t sharptui_version_loaded() { return aoti_torch_abi_version(); }

// Calls `at::convolution_backward` for a square convolution without groups or dilation. Writes the derivatives with
// respect to the input to out[0], the weight to out[1] and the bias to out[2]. Each is null unless it is wanted.
char* sharptui_convolution_backward(
    const at::Tensor* delta, const at::Tensor* x, const at::Tensor* weight, int64_t stride, int64_t padding,
    const bool wanted[3], at::Tensor* out[3]) {
  return guarded([&] {
    const std::array<int64_t, 2> strides{stride, stride}, paddings{padding, padding}, ones{1, 1}, zeros{0, 0};
    const std::array<int64_t, 1> bias{weight->size(0)};
    auto [to_input, to_weight, to_bias] = at::convolution_backward(
        *delta, *x, *weight, bias, strides, paddings, ones, /*transposed=*/false, zeros, /*groups=*/1,
        {wanted[0], wanted[1], wanted[2]});
    hand_out(out, to_input, to_weight, to_bias);
  });
}

// Batch normalization with the statistics of the batch, by the implementation that `torch.nn.functional.batch_norm`
// chooses. Updates the averages `running_mean` and `running_variance`, if they are given. out[0] is y, out[1] the mean,
// out[2] 1/√(σ² + ε), out[3] data for the backward pass; `way` is the number of the chosen implementation.
char* sharptui_batch_norm(
    const at::Tensor* x, const at::Tensor* weight, const at::Tensor* bias, const at::Tensor* running_mean,
    const at::Tensor* running_variance, double momentum, double epsilon, at::Tensor* out[4], int64_t* way) {
  return guarded([&] {
    auto [y, mean, rate, reserve, taken] = at::_batch_norm_impl_index(
        *x, optional(weight), optional(bias), optional(running_mean), optional(running_variance), /*training=*/true,
        momentum, epsilon, at::globalContext().userEnabledCuDNN());
    hand_out(out, y, mean, rate, reserve);
    *way = taken;
  });
}

// The derivatives of batch normalization with respect to x, weight and bias along `delta`: out[0], out[1], out[2].
char* sharptui_batch_norm_backward(
    const at::Tensor* delta, const at::Tensor* x, const at::Tensor* weight, const at::Tensor* mean,
    const at::Tensor* rate, const at::Tensor* reserve, double epsilon, int64_t way, const bool wanted[3],
    at::Tensor* out[3]) {
  return guarded([&] {
    auto [to_x, to_weight, to_bias] = at::_batch_norm_impl_index_backward(
        way, *x, *delta, optional(weight), std::nullopt, std::nullopt, optional(mean), optional(rate),
        /*train=*/true, epsilon, {wanted[0], wanted[1], wanted[2]}, *reserve);
    hand_out(out, to_x, to_weight, to_bias);
  });
}

// Returns x + scale · y in out[0].
char* sharptui_add_scaled(const at::Tensor* x, const at::Tensor* y, double scale, at::Tensor* out[1]) {
  return guarded([&] {
    auto sum = at::add(*x, *y, scale);
    hand_out(out, sum);
  });
}

// Sets whether products of 32-bit numbers on CUDA may round their factors to TF32, from the next one on, in the whole
// process.
char* sharptui_allow_tf32(bool allowed) {
  return guarded([&] {
    // Since 2.9 LibTorch warns, once, that these two settings will have other names one day.
    Quiet quiet;
    c10::WarningUtils::WarningHandlerGuard guard(&quiet);
    at::globalContext().setAllowTF32CuBLAS(allowed);
    at::globalContext().setAllowTF32CuDNN(allowed);
  });
}

// Sets whether cuDNN uses only algorithms that give the same bits each time.
char* sharptui_deterministic(bool on) {
  return guarded([&] { at::globalContext().setDeterministicCuDNN(on); });
}

// Copies a tensor of the host to memory that a device reads directly. Pending asynchronous copies from it keep it in
// memory.
char* sharptui_pinned(const at::Tensor* tensor, at::Tensor* out[1]) {
  return guarded([&] {
    auto pinned = tensor->pin_memory();
    hand_out(out, pinned);
  });
}

// Marks the end of the work that is queued on the device of `on`. The caller frees the mark with `sharptui_mark_free`.
char* sharptui_mark(const at::Tensor* on, c10::Event** out) {
  return guarded([&] {
    const c10::impl::VirtualGuardImpl device(on->device().type());
    auto event = std::make_unique<c10::Event>(on->device().type());
    event->record(device.getStream(on->device()));
    *out = event.release();
  });
}

// Waits until the device is past the mark.
char* sharptui_mark_wait(const c10::Event* mark) {
  return guarded([&] { mark->synchronize(); });
}

void sharptui_mark_free(c10::Event* mark) { delete mark; }

void sharptui_words_free(char* words) {
  if (words != out_of_memory) free(words);
}

}  // extern "C"
