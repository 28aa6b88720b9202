//! The state of a cell in training as named tensors and words, and back, to the last bit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use sharpness::curvature::TrackState;
use sharpness::model::Network;
use sharpness::optimizer::Length;

use super::checkpoint::{self, CheckpointError, find, values};
use super::error::with_causes;
use crate::config::Settings;
use crate::event::Summary;
use crate::record::{Checkpoint, NamedTensor, TensorValues, Tensors, read_checkpoints};
use crate::setup;
use crate::train::{AnyError, Snapshot, Spending};

/// The key of the words in the file's metadata.
const STATE: &str = "state";

/// What is no tensor.
#[derive(Serialize, Deserialize)]
struct State {
    step: u64,
    observed: bool,
    seconds: f64,
    losses: usize,
    next: usize,
    examples: usize,
    order_position: Position,
    dropout_position: Position,
    augmentation_position: Option<Position>,
    /// Of checkpoints from before it could be changed: that of the settings.
    #[serde(default)]
    learning_rate: Option<f64>,
    spending: Spending,
    tracks: Vec<Track>,
    summary: Summary,
}

/// Where a random stream is: 68 bits, of which RON takes no more than 64 as a number.
#[derive(Serialize, Deserialize)]
struct Position(u64, u64);

impl From<u128> for Position {
    fn from(position: u128) -> Self {
        Self((position >> 64) as u64, position as u64)
    }
}

impl From<Position> for u128 {
    fn from(Position(high, low): Position) -> Self {
        (Self::from(high) << 64) | Self::from(low)
    }
}

#[derive(Serialize, Deserialize)]
struct Track {
    position: Position,
    values: Vec<(f64, u32)>,
    since_audit: u64,
    lowest: f64,
}

/// The newest sound checkpoint in the folder of a cell, and what is to be said of those that are not.
pub(super) fn newest(cell_dir: &Path) -> (Option<Checkpoint>, Vec<String>) {
    let mut newest: Option<((u64, bool), Checkpoint)> = None;
    let mut unsound = Vec::new();
    for read in read_checkpoints(cell_dir) {
        let checked = read.map_err(AnyError::from).and_then(|checkpoint| {
            let state = state(&checkpoint.tensors)?;
            Ok(((state.step, state.observed), checkpoint))
        });
        match checked {
            Ok(found) if newest.as_ref().is_none_or(|(position, _)| *position < found.0) => newest = Some(found),
            Ok(_) => {}
            Err(error) => unsound.push(with_causes(error.as_ref())),
        }
    }
    let instead = newest.as_ref().map_or_else(
        || "the cell begins again".to_owned(),
        |((step, _), _)| format!("the one after step {step} is used instead"),
    );
    let notices = unsound.into_iter().map(|why| format!("{why}: {instead}"));
    let notices = notices.collect();
    (newest.map(|(_, checkpoint)| checkpoint), notices)
}

fn state(tensors: &Tensors) -> Result<State, AnyError> {
    let words = tensors.metadata.get(STATE).ok_or("it has no state in its metadata")?;
    Ok(ron::from_str(words)?)
}

pub(super) fn to_tensors(
    network: &Network,
    from: &Snapshot,
) -> Result<(Vec<NamedTensor>, BTreeMap<String, String>), ron::Error> {
    let mut tensors = checkpoint::to_tensors(network, &from.parameters, &from.running);
    let mut vector = |name: String, tensor: &Tensor<1>| {
        tensors.push(NamedTensor {
            name,
            shape: tensor.dims().to_vec(),
            data: values(tensor.clone()),
        });
    };
    for (name, tensor) in &from.optimizer {
        vector(optimizer_name(name), tensor);
    }
    if let Some(gradient) = &from.gradient {
        vector("gradient".to_owned(), gradient);
    }
    if !from.losses.is_empty() {
        vector("losses".to_owned(), &Tensor::cat(from.losses.clone(), 0));
    }
    for (probe, track) in from.tracks.iter().enumerate() {
        for (index, kept) in track.vectors.iter().enumerate() {
            vector(track_name(probe, index), kept);
        }
    }
    tensors.push(NamedTensor {
        name: "order".to_owned(),
        shape: vec![from.order.len()],
        data: TensorValues::I64(
            from.order
                .iter()
                .map(|&index| i64::try_from(index).unwrap_or(i64::MAX))
                .collect(),
        ),
    });
    let state = State {
        step: from.step,
        observed: from.observed,
        seconds: from.seconds,
        losses: from.losses.len(),
        next: from.next,
        examples: from.order.len(),
        order_position: from.order_position.into(),
        dropout_position: from.dropout_position.into(),
        augmentation_position: from.augmentation_position.map(Position::from),
        learning_rate: Some(from.learning_rate),
        spending: from.spending,
        tracks: from.tracks.iter().map(words_of).collect(),
        summary: from.summary.clone(),
    };
    Ok((tensors, BTreeMap::from([(STATE.to_owned(), ron::to_string(&state)?)])))
}

fn words_of(track: &TrackState) -> Track {
    Track {
        position: track.position.into(),
        values: track.values.clone(),
        since_audit: track.since_audit,
        lowest: track.lowest,
    }
}

/// A tensor of SAM's state, which stood alone in the file before optimizers named theirs.
const CLIMBED: &str = "climbed";

/// Where a tensor of the optimizer's state stands in the file.
fn optimizer_name(name: &str) -> String {
    if name == CLIMBED {
        name.to_owned()
    } else {
        format!("optimizer.{name}")
    }
}

/// Where a track's vector stands in the file.
fn track_name(probe: usize, index: usize) -> String {
    format!("track.{probe}.{index}")
}

pub(super) fn from_tensors(
    network: &Network,
    settings: &Settings,
    tensors: &Tensors,
    device: &Device,
) -> Result<Snapshot, AnyError> {
    let state = state(tensors)?;
    let dtype = setup::dtype(settings);
    let (parameters, running) = checkpoint::from_tensors(network, tensors, device, dtype)?;
    let vector = |name: &str, length: usize| -> Result<Tensor<1>, CheckpointError> {
        let values = find(tensors, name, &[length])?;
        Ok(upload(values, device, dtype))
    };
    let optional = |name: &str, length: usize| {
        let there = tensors.tensors.iter().any(|tensor| tensor.name == name);
        there.then(|| vector(name, length)).transpose()
    };
    let length = network.layout().len();
    let mut tracks = Vec::new();
    for (probe, track) in state.tracks.into_iter().enumerate() {
        let names = (0..track.values.len()).map(|index| track_name(probe, index));
        tracks.push(TrackState {
            position: track.position.into(),
            vectors: names
                .map(|name| vector(&name, length))
                .collect::<Result<_, CheckpointError>>()?,
            values: track.values,
            since_audit: track.since_audit,
            lowest: track.lowest,
        });
    }
    let losses = if state.losses == 0 {
        Vec::new()
    } else {
        let values = find(tensors, "losses", &[state.losses])?;
        values
            .into_iter()
            .map(|loss| upload(vec![loss], device, dtype))
            .collect()
    };
    let mut optimizer = Vec::new();
    for (name, long) in setup::optimizer(settings).state_names() {
        let length = match long {
            Length::Parameters => length,
            Length::One => 1,
        };
        let tensor = optional(&optimizer_name(name), length)?;
        optimizer.extend(tensor.map(|tensor| (name, tensor)));
    }
    let order = find(tensors, "order", &[state.examples])?;
    if order.iter().any(|&index| index as usize >= state.examples) {
        return Err("its order of the examples names some that are not there".into());
    }
    Ok(Snapshot {
        step: state.step,
        observed: state.observed,
        seconds: state.seconds,
        parameters,
        running,
        optimizer,
        losses,
        gradient: optional("gradient", length)?,
        order: Arc::new(order.into_iter().map(|index| index as usize).collect()),
        next: state.next,
        order_position: state.order_position.into(),
        dropout_position: state.dropout_position.into(),
        augmentation_position: state.augmentation_position.map(u128::from),
        learning_rate: state.learning_rate.unwrap_or(settings.learning_rate),
        spending: state.spending,
        tracks,
        summary: state.summary,
    })
}

fn upload(values: Vec<f64>, device: &Device, dtype: DType) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), (device, dtype))
}
