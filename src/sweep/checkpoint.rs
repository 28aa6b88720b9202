//! A cell's parameters as named tensors, in PyTorch's names and layouts, and back.

use burn::tensor::{DType, Device, Tensor, TensorData};
use sharpness::model::{Network, RunningStatistics};

use crate::record::{NamedTensor, TensorValues, Tensors};

/// What a file of parameters lacks.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// A tensor is not there.
    #[error("it has no tensor `{0}`")]
    Missing(String),
    /// A tensor is of another shape than the network's.
    #[error("tensor `{name}` has shape {found:?}, the cell's network wants {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// Its shape in the network.
        expected: Vec<usize>,
    },
}

/// Parameters `[parameters]` and running statistics, one named tensor each, in the format they are in.
pub fn to_tensors(network: &Network, parameters: &Tensor<1>, running: &[RunningStatistics]) -> Vec<NamedTensor> {
    let parts = network.layout().split(parameters);
    let mut tensors: Vec<NamedTensor> = network
        .layout()
        .entries()
        .iter()
        .zip(parts)
        .map(|(entry, part)| NamedTensor {
            name: entry.name.clone(),
            shape: entry.shape.clone(),
            data: values(part),
        })
        .collect();
    for layer in running {
        for (what, tensor) in [("running_mean", &layer.mean), ("running_var", &layer.variance)] {
            tensors.push(NamedTensor {
                name: format!("{}.{what}", layer.name),
                shape: tensor.dims().to_vec(),
                data: values(tensor.clone()),
            });
        }
        tensors.push(NamedTensor {
            name: format!("{}.num_batches_tracked", layer.name),
            shape: Vec::new(),
            data: TensorValues::I64(vec![layer.batches]),
        });
    }
    tensors
}

/// The numbers of a tensor, row-major, in their own format.
pub fn values<const D: usize>(tensor: Tensor<D>) -> TensorValues {
    match tensor.dtype() {
        DType::F64 => TensorValues::F64(tensor.into_data_as::<f64>().iter::<f64>().collect()),
        _ => TensorValues::F32(tensor.into_data_as::<f32>().iter::<f32>().collect()),
    }
}

/// Parameters `[parameters]` and running statistics from named tensors, in the format `dtype`.
///
/// # Errors
///
/// A tensor that is missing or of another shape.
pub fn from_tensors(
    network: &Network,
    tensors: &Tensors,
    device: &Device,
    dtype: DType,
) -> Result<(Tensor<1>, Vec<RunningStatistics>), CheckpointError> {
    let mut flat: Vec<f64> = Vec::with_capacity(network.layout().len());
    for entry in network.layout().entries() {
        flat.extend(find(tensors, &entry.name, &entry.shape)?);
    }
    let vector = |values: Vec<f64>| {
        let length = values.len();
        Tensor::from_data(TensorData::new(values, [length]), (device, dtype))
    };
    let mut running = network.initial_statistics(device, dtype);
    for layer in &mut running {
        let shape = layer.mean.dims();
        let batches = find(tensors, &format!("{}.num_batches_tracked", layer.name), &[])?;
        layer.batches = batches.first().map_or(0, |&batches| batches as i64);
        layer.mean = vector(find(tensors, &format!("{}.running_mean", layer.name), &shape)?);
        layer.variance = vector(find(tensors, &format!("{}.running_var", layer.name), &shape)?);
    }
    Ok((vector(flat), running))
}

pub(super) fn find(tensors: &Tensors, name: &str, shape: &[usize]) -> Result<Vec<f64>, CheckpointError> {
    let tensor = tensors
        .tensors
        .iter()
        .find(|tensor| tensor.name == name)
        .ok_or_else(|| CheckpointError::Missing(name.to_owned()))?;
    if tensor.shape != shape {
        return Err(CheckpointError::Shape {
            name: name.to_owned(),
            found: tensor.shape.clone(),
            expected: shape.to_vec(),
        });
    }
    Ok(match &tensor.data {
        TensorValues::F32(values) => values.iter().map(|&x| f64::from(x)).collect(),
        TensorValues::F64(values) => values.clone(),
        TensorValues::I64(values) => values.iter().map(|&x| x as f64).collect(),
    })
}
