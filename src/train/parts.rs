//! The parts of a cell's state, which are saved in a snapshot and restored by a later process.
//!
//! Each owner of state lists its parts once, by calling a method for each part. The same list both saves and restores.

use std::borrow::Cow;
use std::sync::Arc;

use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::snapshot::{Array, Snapshot, SnapshotError};

/// A pass over the parts of a state.
pub(super) enum Parts<'a> {
    /// Saves every part in a snapshot.
    Take(&'a mut Snapshot),
    /// Restores every part from a snapshot, and notes the first error.
    PutBack(&'a Snapshot, &'a mut Option<SnapshotError>),
}

/// The position of a random stream. It has 68 bits; a number in RON has at most 64.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct StreamPosition(u64, u64);

impl From<u128> for StreamPosition {
    fn from(position: u128) -> Self {
        Self((position >> 64) as u64, position as u64)
    }
}

impl From<StreamPosition> for u128 {
    fn from(StreamPosition(high, low): StreamPosition) -> Self {
        (Self::from(high) << 64) | Self::from(low)
    }
}

impl Parts<'_> {
    /// Returns whether the snapshot was taken after the step's observation.
    pub(super) fn is_observed(&self) -> bool {
        match self {
            Self::Take(snapshot) => snapshot.position.observed,
            Self::PutBack(from, _) => from.position.observed,
        }
    }

    /// Returns the number of parameters of the network.
    pub(super) fn parameters(&self) -> usize {
        match self {
            Self::Take(snapshot) => snapshot.parameters.dims()[0],
            Self::PutBack(from, _) => from.parameters.dims()[0],
        }
    }

    /// Saves or restores a value.
    pub(super) fn value<T>(&mut self, name: impl Into<Cow<'static, str>>, value: &mut T)
    where
        T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    {
        self.value_of(name, value, T::clone, |value, read| *value = read);
    }

    /// Saves or restores a value through `owner`'s `get` and `set`.
    pub(super) fn value_of<O: ?Sized, T>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        owner: &mut O,
        get: impl FnOnce(&O) -> T,
        set: impl FnOnce(&mut O, T),
    ) where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let name = name.into();
        match self {
            Self::Take(snapshot) => snapshot.add_value(name, get(owner)),
            Self::PutBack(from, wrong) => {
                let value = from.value(&name);
                let there = value.and_then(|value| value.ok_or_else(|| SnapshotError::Missing(name.into_owned())));
                match there {
                    Ok(value) => set(owner, value),
                    Err(error) => drop(wrong.get_or_insert(error)),
                }
            }
        }
    }

    /// Saves or restores a value that snapshots of earlier versions lack; if it is missing, the value stays unchanged.
    pub(super) fn newer_value<T>(&mut self, name: &'static str, value: &mut T)
    where
        T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    {
        match self {
            Self::Take(snapshot) => snapshot.add_value(name, Some(value.clone())),
            Self::PutBack(from, wrong) => match from.value::<Option<T>>(name) {
                Ok(there) => {
                    if let Some(there) = there.flatten() {
                        *value = there;
                    }
                }
                Err(error) => drop(wrong.get_or_insert(error)),
            },
        }
    }

    /// Saves or restores the position of a random stream. The seed comes from the cell, so the position is its whole
    /// state.
    pub(super) fn stream(&mut self, name: &'static str, stream: &mut ChaCha8Rng) {
        self.value_of(
            name,
            stream,
            |stream| StreamPosition::from(stream.get_word_pos()),
            |stream, position| stream.set_word_pos(position.into()),
        );
    }

    /// Saves or restores the position of a random stream that only some cells have.
    pub(super) fn stream_if_any(&mut self, name: &'static str, mut stream: Option<&mut ChaCha8Rng>) {
        self.value_of(
            name,
            &mut stream,
            |stream| {
                let stream = stream.as_ref();
                stream.map(|stream| StreamPosition::from(stream.get_word_pos()))
            },
            |stream, position: Option<StreamPosition>| {
                if let Some((stream, position)) = stream.as_mut().zip(position) {
                    stream.set_word_pos(position.into());
                }
            },
        );
    }

    /// Saves or restores a tensor of this length, which may be absent.
    pub(super) fn tensor(&mut self, name: Cow<'static, str>, tensor: &mut Option<Tensor<1>>, length: usize) {
        match self {
            Self::Take(snapshot) => {
                if let Some(tensor) = tensor {
                    snapshot.add_array(name, Array::Numbers(vec![tensor.clone()]));
                }
            }
            Self::PutBack(from, wrong) => match numbers(from, &name, length) {
                Ok(there) => *tensor = there,
                Err(error) => drop(wrong.get_or_insert(error)),
            },
        }
    }

    /// Saves or restores `count` tensors of this length, named `PREFIX.0`, `PREFIX.1` and so on.
    pub(super) fn tensors(&mut self, prefix: &str, tensors: &mut Vec<Tensor<1>>, count: usize, length: usize) {
        let names = (0..count).map(|index| format!("{prefix}.{index}"));
        match self {
            Self::Take(snapshot) => {
                for (name, tensor) in names.zip(tensors) {
                    snapshot.add_array(name.into(), Array::Numbers(vec![tensor.clone()]));
                }
            }
            Self::PutBack(from, wrong) => {
                let there = names.map(|name| numbers(from, &name, length)?.ok_or(SnapshotError::Missing(name)));
                match there.collect() {
                    Ok(there) => *tensors = there,
                    Err(error) => drop(wrong.get_or_insert(error)),
                }
            }
        }
    }

    /// Saves or restores any number of tensors `[1]` through `owner`'s `get` and `set`. A file has them as one tensor.
    pub(super) fn scalars_of<O: ?Sized>(
        &mut self,
        name: &'static str,
        owner: &mut O,
        get: impl FnOnce(&O) -> Vec<Tensor<1>>,
        set: impl FnOnce(&mut O, Vec<Tensor<1>>),
    ) {
        match self {
            Self::Take(snapshot) => {
                let scalars = get(owner);
                if !scalars.is_empty() {
                    snapshot.add_array(name.into(), Array::Numbers(scalars));
                }
            }
            Self::PutBack(from, _) => {
                let pieces = match from.array(name) {
                    Some(Array::Numbers(pieces)) => pieces.as_slice(),
                    _ => &[],
                };
                set(
                    owner,
                    pieces.iter().flat_map(|piece| piece.clone().split(1, 0)).collect(),
                );
            }
        }
    }

    /// Saves or restores an order; its length must be the present one.
    pub(super) fn order(&mut self, name: &'static str, order: &mut Arc<Vec<usize>>) {
        match self {
            Self::Take(snapshot) => snapshot.add_array(name.into(), Array::Indices(Arc::clone(order))),
            Self::PutBack(from, wrong) => {
                let length = order.len();
                match from.array(name) {
                    Some(Array::Indices(indices)) if indices.len() == length => {
                        if indices.iter().all(|&index| index < length) {
                            *order = Arc::clone(indices);
                        } else {
                            wrong.get_or_insert(SnapshotError::Order(name.to_owned()));
                        }
                    }
                    _ => drop(wrong.get_or_insert(SnapshotError::Length {
                        name: name.to_owned(),
                        expected: length,
                    })),
                }
            }
        }
    }
}

/// Returns the tensor of this name, if there is one.
fn numbers(from: &Snapshot, name: &str, length: usize) -> Result<Option<Tensor<1>>, SnapshotError> {
    match from.array(name) {
        None => Ok(None),
        Some(Array::Numbers(pieces)) if pieces.iter().map(|piece| piece.dims()[0]).sum::<usize>() == length => {
            Ok(Some(Tensor::cat(pieces.clone(), 0)))
        }
        Some(_) => Err(SnapshotError::Length {
            name: name.to_owned(),
            expected: length,
        }),
    }
}
