//! Copies between the host and a device. They do not wait for the device if the back end supports this.

use burn::tensor::{Int, Tensor, TensorData};

/// Returns a tensor of `numbers` on the device and in the format of `like`.
pub fn upload<const D: usize, const E: usize>(numbers: Vec<f64>, shape: [usize; D], like: &Tensor<E>) -> Tensor<D> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(like) {
        return sharptui_libtorch::upload(&numbers, shape, like);
    }
    Tensor::from_data(TensorData::new(numbers, shape), (&like.device(), like.dtype()))
}

/// Returns a tensor of whole numbers from 0 to 255 on the device and in the format of `like`.
pub fn upload_bytes<const D: usize, const E: usize>(bytes: &[u8], shape: [usize; D], like: &Tensor<E>) -> Tensor<D> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(like) {
        return sharptui_libtorch::upload(bytes, shape, like);
    }
    let numbers: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte)).collect();
    Tensor::from_data(TensorData::new(numbers, shape), (&like.device(), like.dtype()))
}

/// Returns a tensor of indices, `[count]`, on the device of `like`.
pub fn upload_indices<const E: usize>(indices: Vec<i64>, like: &Tensor<E>) -> Tensor<1, Int> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(like) {
        return sharptui_libtorch::upload_indices(&indices, like);
    }
    let count = indices.len();
    Tensor::from_data(TensorData::new(indices, [count]), &like.device())
}

/// Returns whether the device of `tensor` works asynchronously, so that a read waits until all earlier work is done.
pub fn works_behind<const D: usize>(tensor: &Tensor<D>) -> bool {
    #[cfg(feature = "tch")]
    return sharptui_libtorch::works_behind(tensor);
    #[cfg(not(feature = "tch"))]
    {
        let _ = tensor;
        false
    }
}

/// A copy of numbers from a device to the host.
pub enum Reading {
    /// Burn's read: it waits until all earlier work is done.
    Later(Box<Tensor<1>>),
    /// LibTorch's copy: it has already started.
    #[cfg(feature = "tch")]
    Sent(sharptui_libtorch::Reading),
}

impl Reading {
    /// Starts to read `tensor`.
    pub fn begin(tensor: Tensor<1>) -> Self {
        #[cfg(feature = "tch")]
        if sharptui_libtorch::is_here(&tensor) {
            return Self::Sent(sharptui_libtorch::Reading::begin(&tensor));
        }
        Self::Later(Box::new(tensor))
    }

    /// Waits for the numbers and returns them.
    pub fn wait(self) -> Vec<f64> {
        match self {
            Self::Later(tensor) => tensor.into_data_as::<f64>().iter::<f64>().collect(),
            #[cfg(feature = "tch")]
            Self::Sent(reading) => reading.wait(),
        }
    }
}
