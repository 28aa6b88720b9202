//! Measures gauges at a cell's saved parameters, in 64 bits.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{DType, Tensor};
use sharpness::model::Network;

use super::checkpoint::{self, values};
use super::datasets::{Datasets, Loaded};
use super::remeasure::{MAX_PRODUCTS, RemeasureError, cell_settings, dump_tensors, loaded, metadata};
use super::snapshot;
use crate::config::{Gauge, Precision, Settings};
use crate::device::OpenDevice;
use crate::event::Point;
use crate::number::unsigned_zero;
use crate::quantity::{self, Quantity, Uncertainty};
use crate::record::{NamedTensor, RecordError, lasting_checkpoints, read_tensors, write_tensors};
use crate::train::{Array, Position, Snapshot, Task, measure as measure_at, probe_examples, probe_loss};

/// A measurement to make.
#[derive(Clone, Debug)]
pub struct MeasureRequest {
    /// The cell's folder.
    pub cell_dir: PathBuf,
    /// The step of the kept checkpoint to measure at; none for the last parameters.
    pub step: Option<u64>,
    /// The gauges; none for those of the cell's settings.
    pub gauges: Option<Vec<Gauge>>,
    /// The number of eigenvalues; none for that of the cell's settings.
    pub eigenvalues: Option<usize>,
    /// The relative residual at which searches stop.
    pub tolerance: f64,
    /// The file for parameters, probe and optimizer state, if they are to be written.
    pub dump: Option<PathBuf>,
}

/// The result of a measurement.
#[derive(Clone, Debug)]
pub struct Measured {
    /// One point for each probe.
    pub points: Vec<Point>,
    /// The file that was measured.
    pub file: PathBuf,
    /// Whether the file has the optimizer's state.
    pub has_state: bool,
    /// The probes, in words.
    pub probes: Vec<String>,
    /// The duration in seconds.
    pub seconds: f64,
}

/// Why a measurement failed.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The cell cannot be read.
    #[error(transparent)]
    Cell(#[from] RemeasureError),
    /// No checkpoint of this step was kept.
    #[error("{cell_dir} has no checkpoint after step {step}; {there}")]
    NoSuchCheckpoint {
        /// The cell's folder.
        cell_dir: PathBuf,
        /// The requested step.
        step: u64,
        /// The checkpoints that were kept, in words.
        there: String,
    },
    /// The checkpoint does not fit the cell.
    #[error("{path} does not fit the cell's settings: {reason}")]
    Misfit {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Measures λ_max on every probe from a cold start, and gauges, at saved parameters of a cell. On request, writes a file
/// with which other tools can do the same.
///
/// # Errors
///
/// Returns an error if files are missing or damaged, or do not fit each other, and if memory is too small.
pub fn measure(
    request: &MeasureRequest,
    device: &OpenDevice,
    datasets: &mut Datasets,
) -> Result<Measured, MeasureError> {
    let cell_dir = &request.cell_dir;
    let mut settings = cell_settings(cell_dir, datasets)?;
    settings.precision = Precision::F64;
    settings.lambda_max_products = MAX_PRODUCTS;
    settings.lambda_tolerance = request.tolerance;
    if let Some(gauges) = &request.gauges {
        settings.gauges.clone_from(gauges);
    }
    if let Some(eigenvalues) = request.eigenvalues {
        settings.eigenvalues = eigenvalues;
    }
    let (file, has_state) = chosen(cell_dir, request.step)?;
    let (network, data) = loaded(&settings, device, datasets)?;
    let tensors = read_tensors(&file).map_err(RemeasureError::from)?;
    let misfit = |reason: String| MeasureError::Misfit {
        path: file.clone(),
        reason,
    };
    let from = if has_state {
        snapshot::from_tensors(&network, &settings, &tensors, &device.device)
            .map_err(|error| misfit(error.to_string()))?
    } else {
        let (parameters, running) = checkpoint::from_tensors(&network, &tensors, &device.device, DType::F64)
            .map_err(|error| misfit(error.to_string()))?;
        let step = tensors.metadata.get("step").and_then(|step| step.parse().ok());
        let position = Position {
            step: step.unwrap_or(0),
            observed: true,
        };
        Snapshot::new(position, parameters, running)
    };
    if let Some(path) = &request.dump {
        dump(path, &settings, data, &network, &from).map_err(RemeasureError::from)?;
    }
    let task = Task {
        cell: 0,
        settings: &settings,
        network: &network,
        train: &data.train,
        test: &data.test,
        black: &data.black,
        device: &device.device,
    };
    let started = Instant::now();
    let points = measure_at(task, &from, has_state).map_err(|error| misfit(error.to_string()))?;
    let probes = settings.probes.iter().map(|probe| probe.describe(&settings));
    Ok(Measured {
        points,
        probes: probes.collect(),
        file,
        has_state,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Returns the file to measure: the kept checkpoint of this step or, without a step, that of the last parameters; the
/// parameters alone if that was not kept. Also returns whether it has the optimizer's state.
fn chosen(cell_dir: &Path, step: Option<u64>) -> Result<(PathBuf, bool), MeasureError> {
    let kept = lasting_checkpoints(cell_dir);
    let model = cell_dir.join("model.safetensors");
    let Some(step) = step else {
        let last = read_tensors(&model).ok();
        let last: Option<u64> = last.and_then(|tensors| tensors.metadata.get("step")?.parse().ok());
        let of_last = kept.into_iter().find(|(step, _)| Some(*step) == last);
        return Ok(of_last.map_or((model, false), |(_, file)| (file, true)));
    };
    let steps: Vec<String> = kept.iter().map(|(step, _)| step.to_string()).collect();
    let found = kept.into_iter().find(|(known, _)| *known == step);
    found
        .map(|(_, file)| (file, true))
        .ok_or_else(|| MeasureError::NoSuchCheckpoint {
            cell_dir: cell_dir.to_owned(),
            step,
            there: if steps.is_empty() {
                "none was kept (`keep_checkpoints` in the configuration)".to_owned()
            } else {
                format!("those after these steps were kept: {}", steps.join(", "))
            },
        })
}

/// Returns the vectors of a snapshot: the optimizer's state, the last gradient, and the parameters before the last step.
fn state_tensors(from: &Snapshot) -> Vec<NamedTensor> {
    let length = from.parameters.dims()[0];
    let vectors = from.arrays().filter_map(|(name, array)| match array {
        Array::Numbers(pieces) => Some((name, pieces)),
        Array::Indices(_) => None,
    });
    vectors
        .map(|(name, pieces)| (name, Tensor::cat(pieces.clone(), 0)))
        .filter(|(name, vector)| {
            // The tracks of eigenvectors are only start vectors.
            let is_state = name.starts_with("optimizer.") || ["gradient", "before", "climbed"].contains(name);
            is_state && [1, length].contains(&vector.dims()[0])
        })
        .map(|(name, vector)| NamedTensor {
            name: format!("state.{name}"),
            shape: vector.dims().to_vec(),
            data: values(vector),
        })
        .collect()
}

fn dump(
    file: &Path,
    settings: &Settings,
    data: &Loaded,
    network: &Network,
    from: &Snapshot,
) -> Result<(), RecordError> {
    let examples = probe_examples(settings, 0, &data.train, &data.test);
    let loss = probe_loss(settings, &settings.probes[0], network, &examples, &from.running);
    let mut tensors = dump_tensors(network, &from.parameters, &from.running, &examples, data);
    tensors.extend(state_tensors(from));
    let mut metadata = metadata(settings, 0, loss.normalization);
    metadata.insert("optimizer".to_owned(), format!("{:?}", settings.optimizer));
    metadata.insert("step".to_owned(), from.position.step.to_string());
    write_tensors(file, &tensors, &metadata)
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, point) in self.points.iter().enumerate() {
            writeln!(f, "on {}, float64", self.probes[index])?;
            for quantity in quantity::all() {
                if let Some(value) = quantity.value(point).filter(|_| !is_time(quantity)) {
                    line(f, quantity, value, point)?;
                }
            }
            for layer in &point.layers {
                let (value, residual) = (unsigned_zero(layer.lambda_max), layer.residual);
                let doubt = if layer.converged { "" } else { ", NOT CONVERGED" };
                writeln!(
                    f,
                    "  {:<28} {value:.9e} ± {residual:.1e} (residual{doubt})",
                    format!("λ_max of {}", layer.name)
                )?;
            }
            if let Some(spectrum) = &point.spectrum {
                let nodes = spectrum.nodes.iter().map(Vec::len).sum::<usize>();
                writeln!(
                    f,
                    "  {:<28} {nodes} nodes of {} vectors; --json prints them",
                    "spectral density",
                    spectrum.nodes.len()
                )?;
            }
        }
        let state = if self.has_state {
            "with the optimizer's state"
        } else {
            "the parameters alone: what needs the optimizer's state or the last step is left out (`keep_checkpoints`)"
        };
        let step = self.points.first().map_or(0, |point| point.step);
        writeln!(f, "after step {step}, from {}, {state}", self.file.display())?;
        writeln!(f, "{:.1} s", self.seconds)
    }
}

/// Returns whether the value depends on the machine.
fn is_time(quantity: &Quantity) -> bool {
    quantity.format == quantity::Format::Seconds
}

fn line(f: &mut fmt::Formatter<'_>, quantity: &Quantity, value: f64, point: &Point) -> fmt::Result {
    write!(f, "  {:<28} {:.9e}", quantity.key, unsigned_zero(value))?;
    if let Some(error) = quantity.uncertainty(point) {
        let kind = match quantity.uncertainty {
            Uncertainty::StandardError { .. } => "standard error",
            Uncertainty::Residual { .. } | Uncertainty::None => "residual",
        };
        let converged = quantity.outcome(point).is_none_or(|outcome| outcome.converged);
        let doubt = if converged { "" } else { ", NOT CONVERGED" };
        write!(f, " ± {error:.1e} ({kind}{doubt})")?;
    }
    writeln!(f)
}
