//! Converts a cell's parameters to named tensors, with PyTorch's names and layouts, and back.

use burn::tensor::{DType, Device, Tensor, TensorData};
use sharpness::model::{Network, RunningStatistics};

use crate::record::{NamedTensor, TensorValues, Tensors};

/// Why a file of parameters does not fit a network.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// A tensor is missing.
    #[error("it has no tensor `{0}`")]
    Missing(String),
    /// A tensor is of another shape than the network's.
    #[error("tensor `{name}` has shape {found:?}, the cell's network needs {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// Its shape in the network.
        expected: Vec<usize>,
    },
}

/// Converts parameters `[parameters]` and running statistics to one named tensor each, in their own number format.
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
        let [mean, variance, batches] = statistics_names(layer);
        for (name, tensor) in [(mean, &layer.mean), (variance, &layer.variance)] {
            tensors.push(NamedTensor {
                name,
                shape: tensor.dims().to_vec(),
                data: values(tensor.clone()),
            });
        }
        tensors.push(NamedTensor {
            name: batches,
            shape: Vec::new(),
            data: TensorValues::I64(vec![layer.batches]),
        });
    }
    tensors
}

/// Returns the names of all tensors that [`to_tensors`] returns.
pub(super) fn names(network: &Network, running: &[RunningStatistics]) -> impl Iterator<Item = String> {
    let parameters = network.layout().entries().iter().map(|entry| entry.name.clone());
    parameters.chain(running.iter().flat_map(statistics_names))
}

fn statistics_names(layer: &RunningStatistics) -> [String; 3] {
    ["running_mean", "running_var", "num_batches_tracked"].map(|what| format!("{}.{what}", layer.name))
}

/// Returns the numbers of a tensor, row-major, in their own format.
pub fn values<const D: usize>(tensor: Tensor<D>) -> TensorValues {
    match tensor.dtype() {
        DType::F64 => TensorValues::F64(tensor.into_data_as::<f64>().iter::<f64>().collect()),
        _ => TensorValues::F32(tensor.into_data_as::<f32>().iter::<f32>().collect()),
    }
}

/// Converts named tensors to parameters `[parameters]` and running statistics, in the format `dtype`.
///
/// # Errors
///
/// Returns an error if a tensor is missing or has another shape.
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
        let [mean, variance, batches] = statistics_names(layer);
        let batches = find(tensors, &batches, &[])?;
        layer.batches = batches.first().map_or(0, |&batches| batches as i64);
        layer.mean = vector(find(tensors, &mean, &shape)?);
        layer.variance = vector(find(tensors, &variance, &shape)?);
    }
    Ok((vector(flat), running))
}

fn find(tensors: &Tensors, name: &str, shape: &[usize]) -> Result<Vec<f64>, CheckpointError> {
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
    Ok(floats(&tensor.data))
}

/// Returns the numbers of a tensor of any format as floats; exact, except for integers beyond 2^53.
pub(super) fn floats(values: &TensorValues) -> Vec<f64> {
    match values {
        TensorValues::F32(values) => values.iter().map(|&x| f64::from(x)).collect(),
        TensorValues::F64(values) => values.clone(),
        TensorValues::I64(values) => values.iter().map(|&x| x as f64).collect(),
    }
}
