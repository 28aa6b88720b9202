//! Named tensors in a safetensors file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::error::{At, shortened};
use super::{RecordError, replace};

/// A tensor and its name, such as `layers.0.weight`.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// The name.
    pub name: String,
    /// Its dimensions, row-major; empty for a scalar.
    pub shape: Vec<usize>,
    /// Its values; their number is the product of the dimensions.
    pub data: TensorValues,
}

/// The values of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorValues {
    /// 32-bit floating point.
    F32(Vec<f32>),
    /// 64-bit floating point.
    F64(Vec<f64>),
    /// 64-bit integers.
    I64(Vec<i64>),
}

/// The contents of a tensor file.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensors {
    /// Its tensors, ordered by name.
    pub tensors: Vec<NamedTensor>,
    /// Metadata, as text by key.
    pub metadata: BTreeMap<String, String>,
}

impl TensorValues {
    /// Returns the number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
        }
    }

    /// Returns whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn kind(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F64(_) => Dtype::F64,
            Self::I64(_) => Dtype::I64,
        }
    }

    /// Returns the values as little-endian bytes, as the format requires.
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::F32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::F64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::I64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }

    fn from_bytes(kind: Dtype, bytes: &[u8]) -> Option<Self> {
        let (fours, eights) = (bytes.as_chunks().0.iter(), bytes.as_chunks().0.iter());
        Some(match kind {
            Dtype::F32 => Self::F32(fours.map(|bytes| f32::from_le_bytes(*bytes)).collect()),
            Dtype::F64 => Self::F64(eights.map(|bytes| f64::from_le_bytes(*bytes)).collect()),
            Dtype::I64 => Self::I64(eights.map(|bytes| i64::from_le_bytes(*bytes)).collect()),
            _ => return None,
        })
    }
}

/// Replaces a tensor file atomically.
///
/// # Errors
/// Tensors contradict their shapes or share a name, or the operating system reports an error.
pub fn write_tensors(
    path: &Path,
    tensors: &[NamedTensor],
    metadata: &BTreeMap<String, String>,
) -> Result<(), RecordError> {
    replace::replace(path, &tensors_to_bytes(path, tensors, metadata)?)
}

/// Serializes tensors to the contents of a file; `path` is used in error messages only.
pub(super) fn tensors_to_bytes(
    path: &Path,
    tensors: &[NamedTensor],
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, RecordError> {
    let wrong = |reason| RecordError::Tensors {
        path: path.to_owned(),
        reason,
    };
    let mut names = BTreeSet::new();
    for NamedTensor { name, shape, data } in tensors {
        let expected = shape
            .iter()
            .try_fold(1usize, |product, &size| product.checked_mul(size));
        if expected != Some(data.len()) {
            return Err(wrong(format!(
                "tensor {name} of shape {shape:?} was given {} values",
                data.len()
            )));
        }
        if !names.insert(name) {
            return Err(wrong(format!("two tensors are named {name}")));
        }
    }
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|tensor| tensor.data.to_bytes()).collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        Ok((
            tensor.name.as_str(),
            TensorView::new(tensor.data.kind(), tensor.shape.clone(), bytes)?,
        ))
    });
    views
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .and_then(|views| safetensors::serialize(views, Some(metadata.clone().into_iter().collect())))
        .map_err(|error| wrong(error.to_string()))
}

/// Reads a tensor file.
///
/// # Errors
/// The file cannot be read, is damaged, or contains number types other than those of [`TensorValues`].
pub fn read_tensors(path: &Path) -> Result<Tensors, RecordError> {
    tensors_from_bytes(path, &std::fs::read(path).at("read", path)?)
}

/// Parses the contents of a tensor file; `path` is used in error messages only.
pub(super) fn tensors_from_bytes(path: &Path, bytes: &[u8]) -> Result<Tensors, RecordError> {
    let wrong = |reason: String| RecordError::Tensors {
        path: path.to_owned(),
        reason: shortened(&reason),
    };
    let damaged = |error: safetensors::SafeTensorError| wrong(format!("the file is damaged or cut short ({error})"));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let mut tensors = Vec::new();
    for (name, view) in file.iter() {
        let data = TensorValues::from_bytes(view.dtype(), view.data())
            .ok_or_else(|| wrong(format!("tensor {name} is {:?}, expected F32, F64 or I64", view.dtype())))?;
        tensors.push(NamedTensor {
            name: name.to_owned(),
            shape: view.shape().to_vec(),
            data,
        });
    }
    tensors.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(Tensors {
        tensors,
        metadata: header
            .metadata()
            .iter()
            .flatten()
            .map(|(name, words)| (name.clone(), words.clone()))
            .collect(),
    })
}
