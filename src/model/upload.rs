//! From the host to a device in the midst of training, where the back end can, without waiting for it.

use burn::tensor::{Int, Tensor, TensorData};

/// Numbers where `like` is, in its format.
pub fn upload<const D: usize, const E: usize>(numbers: &[f32], shape: [usize; D], like: &Tensor<E>) -> Tensor<D> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(like) {
        return sharptui_libtorch::upload(numbers, shape, like);
    }
    Tensor::from_data(TensorData::new(numbers.to_vec(), shape), (&like.device(), like.dtype()))
}

/// The same of whole numbers from 0 to 255.
pub fn upload_bytes<const D: usize, const E: usize>(bytes: &[u8], shape: [usize; D], like: &Tensor<E>) -> Tensor<D> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(like) {
        return sharptui_libtorch::upload(bytes, shape, like);
    }
    let numbers: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte)).collect();
    upload(&numbers, shape, like)
}

/// Indices where `like` is, `[count]`.
pub fn upload_indices<const E: usize>(indices: Vec<i64>, like: &Tensor<E>) -> Tensor<1, Int> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(like) {
        return sharptui_libtorch::upload_indices(&indices, like);
    }
    let count = indices.len();
    Tensor::from_data(TensorData::new(indices, [count]), &like.device())
}
