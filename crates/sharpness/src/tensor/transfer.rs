//! Between the host and a device in the midst of training, without waiting where the back end can.

use burn::tensor::{Int, Tensor, TensorData};

/// Numbers where `like` is, in its format.
pub fn upload<const D: usize, const E: usize>(numbers: Vec<f64>, shape: [usize; D], like: &Tensor<E>) -> Tensor<D> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(like) {
        return sharptui_libtorch::upload(&numbers, shape, like);
    }
    Tensor::from_data(TensorData::new(numbers, shape), (&like.device(), like.dtype()))
}

/// The same of whole numbers from 0 to 255.
pub fn upload_bytes<const D: usize, const E: usize>(bytes: &[u8], shape: [usize; D], like: &Tensor<E>) -> Tensor<D> {
    #[cfg(feature = "tch")]
    if sharptui_libtorch::is_here(like) {
        return sharptui_libtorch::upload(bytes, shape, like);
    }
    let numbers: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte)).collect();
    Tensor::from_data(TensorData::new(numbers, shape), (&like.device(), like.dtype()))
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

/// Whether the device of `tensor` does its work behind the host's back, so that to read from it is to wait for it.
pub fn works_behind<const D: usize>(tensor: &Tensor<D>) -> bool {
    #[cfg(feature = "tch")]
    return sharptui_libtorch::works_behind(tensor);
    #[cfg(not(feature = "tch"))]
    {
        let _ = tensor;
        false
    }
}

/// Numbers on their way from a device to the host.
pub enum Reading {
    /// Burn's way: who wants them waits for all that was to be done until then.
    Later(Box<Tensor<1>>),
    /// LibTorch's: they are sent as soon as they are there.
    #[cfg(feature = "tch")]
    Sent(sharptui_libtorch::Reading),
}

impl Reading {
    /// Asks for the numbers of `tensor`.
    pub fn begin(tensor: Tensor<1>) -> Self {
        #[cfg(feature = "tch")]
        if sharptui_libtorch::is_here(&tensor) {
            return Self::Sent(sharptui_libtorch::Reading::begin(&tensor));
        }
        Self::Later(Box::new(tensor))
    }

    /// The numbers, once they are here.
    pub fn wait(self) -> Vec<f64> {
        match self {
            Self::Later(tensor) => tensor.into_data_as::<f64>().iter::<f64>().collect(),
            #[cfg(feature = "tch")]
            Self::Sent(reading) => reading.wait(),
        }
    }
}
