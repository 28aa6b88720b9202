//! Converts the state of a cell in training to named tensors and text, and back, bit for bit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use sharpness::model::Network;

use super::checkpoint::{self, values};
use super::error::with_causes;
use crate::config::Settings;
use crate::record::{Checkpoint, NamedTensor, TensorValues, Tensors, read_checkpoints};
use crate::setup;
use crate::train::{AnyError, Array, Position, Snapshot};

/// The key of the text in the file's metadata.
const STATE: &str = "state";

/// Returns the newest intact checkpoint in the folder of a cell, and a notice for each damaged one.
pub(super) fn newest(cell_dir: &Path) -> (Option<Checkpoint>, Vec<String>) {
    let mut newest: Option<(Position, Checkpoint)> = None;
    let mut unsound = Vec::new();
    for read in read_checkpoints(cell_dir) {
        let checked = read
            .map_err(AnyError::from)
            .and_then(|checkpoint| Ok((Position::read(words(&checkpoint.tensors)?)?, checkpoint)));
        match checked {
            Ok(found) if newest.as_ref().is_none_or(|(position, _)| *position < found.0) => newest = Some(found),
            Ok(_) => {}
            Err(error) => unsound.push(with_causes(error.as_ref())),
        }
    }
    let instead = newest.as_ref().map_or_else(
        || "the cell begins again".to_owned(),
        |(Position { step, .. }, _)| format!("the checkpoint after step {step} is used instead"),
    );
    let notices = unsound.into_iter().map(|why| format!("{why}: {instead}"));
    let notices = notices.collect();
    (newest.map(|(_, checkpoint)| checkpoint), notices)
}

fn words(tensors: &Tensors) -> Result<&str, AnyError> {
    let words = tensors.metadata.get(STATE);
    Ok(words.ok_or("it has no state in its metadata")?)
}

pub(super) fn to_tensors(
    network: &Network,
    from: &Snapshot,
) -> Result<(Vec<NamedTensor>, BTreeMap<String, String>), ron::Error> {
    let mut tensors = checkpoint::to_tensors(network, &from.parameters, &from.running);
    tensors.extend(from.arrays().map(|(name, array)| {
        let data = match array {
            Array::Numbers(pieces) => values(Tensor::cat(pieces.clone(), 0)),
            Array::Indices(indices) => {
                let indices = indices.iter().map(|&index| i64::try_from(index).unwrap_or(i64::MAX));
                TensorValues::I64(indices.collect())
            }
        };
        NamedTensor {
            name: name.to_owned(),
            shape: vec![data.len()],
            data,
        }
    }));
    Ok((tensors, BTreeMap::from([(STATE.to_owned(), from.words()?)])))
}

pub(super) fn from_tensors(
    network: &Network,
    settings: &Settings,
    tensors: &Tensors,
    device: &Device,
) -> Result<Snapshot, AnyError> {
    let dtype = setup::dtype(settings);
    let (parameters, running) = checkpoint::from_tensors(network, tensors, device, dtype)?;
    let of_network: BTreeSet<String> = checkpoint::names(network, &running).collect();
    let others = tensors
        .tensors
        .iter()
        .filter(|tensor| !of_network.contains(&tensor.name));
    let arrays = others.map(|tensor| {
        let array = match &tensor.data {
            TensorValues::I64(indices) => {
                // A negative index is invalid; `usize::MAX` is rejected later.
                let indices = indices
                    .iter()
                    .map(|&index| usize::try_from(index).unwrap_or(usize::MAX));
                Array::Indices(Arc::new(indices.collect()))
            }
            floats => {
                let values = checkpoint::floats(floats);
                let data = TensorData::new(values, [floats.len()]);
                Array::Numbers(vec![Tensor::from_data(data, (device, dtype))])
            }
        };
        (tensor.name.clone(), array)
    });
    Ok(Snapshot::read(words(tensors)?, parameters, running, arrays.collect())?)
}
