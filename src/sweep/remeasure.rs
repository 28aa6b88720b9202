//! Measures λ_max again at a cell's final parameters, in 64 bits, so that anyone can check the number.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{DType, Tensor};
use sharpness::curvature::{Hessian, Tracker};
use sharpness::model::{Examples, Network, Normalization, RunningStatistics};
use sharpness::random::{Purpose, stream};

use super::checkpoint::{self, CheckpointError, values};
use super::datasets::{Datasets, Loaded};
use super::error::{SweepError, check_settings};
use super::memory::{DataTooLarge, TooLarge};
use crate::config::{Experiment, Extent, Loss, Precision, Settings, Statistics};
use crate::data::DataError;
use crate::device::OpenDevice;
use crate::number::{fixed, unsigned_zero};
use crate::quantity::LAMBDA_MAX;
use crate::record::{self, NamedTensor, RecordError, TensorValues, read_tensors, write_tensors};
use crate::setup;
use crate::train::{probe_examples, probe_loss, rules};

/// The most Hessian-vector products of a measurement here. More than in training, because no training waits for it.
pub(super) const MAX_PRODUCTS: u64 = 2_000;

/// A measurement to make.
#[derive(Clone, Debug)]
pub struct Request {
    /// The cell's folder.
    pub cell_dir: PathBuf,
    /// The relative residual at which the measurement stops.
    pub tolerance: f64,
    /// The probe, counted from 0.
    pub probe: usize,
    /// The file for parameters and probe, if they are to be written.
    pub dump: Option<PathBuf>,
}

/// The result of a measurement.
#[derive(Clone, Debug)]
pub struct Remeasured {
    /// The probe, in words.
    pub probe: String,
    /// The loss whose curvature was measured.
    pub loss: Loss,
    /// λ_max.
    pub lambda_max: f64,
    /// ‖Hv − λv‖.
    pub residual: f64,
    /// Whether the residual met the tolerance.
    pub converged: bool,
    /// The number of Hessian-vector products.
    pub products: u64,
    /// The duration in seconds.
    pub seconds: f64,
    /// The number of parameters.
    pub parameters: usize,
    /// The value in the cell's summary at the same parameters, if there is one.
    pub recorded: Option<f64>,
}

/// Why a measurement failed.
#[derive(Debug, thiserror::Error)]
pub enum RemeasureError {
    /// The folder is not a cell's.
    #[error("{0} is not the folder of a cell; expected RUN_DIR/cells/NNN")]
    NotACell(PathBuf),
    /// The run's configuration has no such cell.
    #[error("{config} has {cells} cells, so there is no cell {cell}")]
    NoSuchCell {
        /// The run's configuration.
        config: PathBuf,
        /// The number of its cells.
        cells: usize,
        /// The requested index.
        cell: usize,
    },
    /// The cell has no such probe.
    #[error("--probe {asked}: the cell has {probes} probe(s), counted from 0")]
    NoSuchProbe {
        /// The requested index.
        asked: usize,
        /// The number of probes.
        probes: usize,
    },
    /// The run's configuration cannot be read.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The cell does not match its run's configuration.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A file of the run cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The parameters are not those of the cell's network.
    #[error("{path} does not fit the cell's settings")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: CheckpointError,
    },
    /// The data set cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The measurement does not fit into memory.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The data set does not fit into memory.
    #[error(transparent)]
    DataTooLarge(#[from] DataTooLarge),
}

impl fmt::Display for Remeasured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lambda_max.is_finite() {
            let state = if self.converged { "converged" } else { "NOT CONVERGED" };
            writeln!(f, "lambda_max   {:.9e}", unsigned_zero(self.lambda_max))?;
            writeln!(f, "residual     {:.3e}  ({state})", self.residual)?;
        } else {
            writeln!(
                f,
                "lambda_max   -  (NOT MEASURED: products or parameters are not finite)"
            )?;
        }
        writeln!(
            f,
            "products     {} in {:.1} s, float64, from a cold start",
            self.products, self.seconds
        )?;
        writeln!(f, "measured on  {}", self.probe)?;
        writeln!(
            f,
            "loss         {:?}, mean over examples; {} parameters",
            self.loss, self.parameters
        )?;
        if let Some(recorded) = self.recorded {
            let recorded = unsigned_zero(recorded);
            let difference = 100.0 * (recorded - self.lambda_max) / self.lambda_max.abs();
            if difference.is_finite() {
                let sign = if difference > 0.0 { "+" } else { "" };
                writeln!(f, "recorded     {recorded:.9e}  ({sign}{} %)", fixed(difference, 4))?;
            } else {
                writeln!(f, "recorded     {recorded:.9e}")?;
            }
        }
        Ok(())
    }
}

/// Measures λ_max of one probe of a cell from a cold start. On request, writes a file with which other tools can
/// measure it.
///
/// # Errors
///
/// Returns an error if files are missing or damaged, or do not fit each other, and if memory is too small.
pub fn remeasure(
    request: &Request,
    device: &OpenDevice,
    datasets: &mut Datasets,
) -> Result<Remeasured, RemeasureError> {
    let mut settings = cell_settings(&request.cell_dir, datasets)?;
    let probe = settings.probes.get(request.probe).cloned();
    let probe = probe.ok_or(RemeasureError::NoSuchProbe {
        asked: request.probe,
        probes: settings.probes.len(),
    })?;
    settings.precision = Precision::F64;
    settings.lambda_max_products = MAX_PRODUCTS;

    let (network, data) = loaded(&settings, device, datasets)?;
    let path = request.cell_dir.join("model.safetensors");
    let tensors = read_tensors(&path)?;
    let (parameters, running) = checkpoint::from_tensors(&network, &tensors, &device.device, DType::F64)
        .map_err(|source| RemeasureError::Checkpoint { path, source })?;
    let examples = probe_examples(&settings, request.probe, &data.train, &data.test);
    let mean_loss = probe_loss(&settings, &probe, &network, &examples, &running);

    if let Some(file) = &request.dump {
        let metadata = metadata(&settings, request.probe, mean_loss.normalization);
        dump(file, &network, &parameters, &running, &examples, data, &metadata)?;
    }
    let mut go_on = || true;
    let mut hessian = Hessian::new(mean_loss, &parameters, &mut go_on).keeping(settings.chunk_size);
    let rng = stream(settings.seed, Purpose::Eigenvector(request.probe));
    let started = Instant::now();
    let measured = Tracker::new(rules(&settings, request.tolerance), rng).measure(&mut hessian, &parameters, false);
    // `go_on` always returns true.
    let measured = measured.unwrap_or_else(|_| unreachable!("interrupted by nobody"));
    Ok(Remeasured {
        lambda_max: measured.value,
        residual: measured.residual,
        converged: measured.converged,
        products: measured.products,
        seconds: started.elapsed().as_secs_f64(),
        parameters: network.layout().len(),
        recorded: record::read_summary(&request.cell_dir)
            .ok()
            .map(|ended| ended.summary)
            .filter(|last| request.probe == 0 && last.lambda_step == Some(last.steps))
            .and_then(|last| last.last(&LAMBDA_MAX))
            .filter(|recorded| recorded.is_finite()),
        probe: probe.describe(&settings),
        loss: settings.loss,
    })
}

/// Returns the network and the data of a cell, in 64 bits, if the measurement fits into memory.
pub(super) fn loaded<'a>(
    settings: &Settings,
    device: &OpenDevice,
    datasets: &'a mut Datasets,
) -> Result<(Network, &'a Loaded), RemeasureError> {
    datasets.check_room(std::iter::once(settings), device)?;
    let taken = datasets.get(settings, DType::F64)?;
    let network = setup::network(settings, taken.shape, taken.classes);
    let data_bytes = taken.bytes();
    datasets.memory().check(settings, &network, device, data_bytes, 0)?;
    Ok((network, datasets.get(settings, DType::F64)?))
}

/// Returns the settings of the cell with this folder, `RUN_DIR/cells/NNN`, from the run's `config.ron`.
pub(super) fn cell_settings(cell_dir: &Path, datasets: &Datasets) -> Result<Settings, RemeasureError> {
    let not_a_cell = || RemeasureError::NotACell(cell_dir.to_owned());
    let whole = cell_dir.canonicalize().map_err(|_| not_a_cell())?;
    let cell: usize = whole
        .file_name()
        .and_then(|name| name.to_str()?.parse().ok())
        .ok_or_else(not_a_cell)?;
    let run_dir = whole.parent().and_then(Path::parent).ok_or_else(not_a_cell)?;
    let config = run_dir.join("config.ron");
    if !config.is_file() {
        return Err(not_a_cell());
    }
    let (experiment, _) = super::with_added(Experiment::load(&config)?, run_dir)?;
    let cells = experiment.cells.len();
    let Some(planned) = experiment.cells.get(cell) else {
        return Err(RemeasureError::NoSuchCell { config, cells, cell });
    };
    let files_hold = datasets.count(std::iter::once(&planned.settings))?;
    let planned = experiment.settled(&files_hold, &config)?.cells.swap_remove(cell);
    check_settings(&whole, &planned.settings)?;
    Ok(planned.settings)
}

/// Returns the metadata that another tool needs besides the tensors: the function whose curvature λ_max is.
pub(super) fn metadata(settings: &Settings, probe: usize, normalization: Normalization) -> BTreeMap<String, String> {
    let described = settings.probes[probe].describe(settings);
    let group = match (settings.probes[probe].statistics, settings.probes[probe].group) {
        (Statistics::Batch, Extent::Count(group)) => group.to_string(),
        _ => "the whole probe".to_owned(),
    };
    let normalization = match normalization {
        _ if !settings.batch_norm => "none",
        Normalization::Batch => "batch",
        Normalization::Running => "running",
    };
    let pairs = [
        ("model", format!("{:?}", settings.model)),
        ("activation", format!("{:?}", settings.activation)),
        ("loss", format!("{:?}", settings.loss)),
        ("normalization", normalization.to_owned()),
        ("statistics_group", group),
        ("probe", described),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

fn dump(
    file: &Path,
    network: &Network,
    parameters: &Tensor<1>,
    running: &[RunningStatistics],
    examples: &Examples,
    data: &Loaded,
    metadata: &BTreeMap<String, String>,
) -> Result<(), RecordError> {
    write_tensors(
        file,
        &dump_tensors(network, parameters, running, examples, data),
        metadata,
    )
}

/// Returns parameters, running statistics, and the images and labels of a probe.
pub(super) fn dump_tensors(
    network: &Network,
    parameters: &Tensor<1>,
    running: &[RunningStatistics],
    examples: &Examples,
    data: &Loaded,
) -> Vec<NamedTensor> {
    let mut tensors = checkpoint::to_tensors(network, parameters, running);
    let [channels, height, width] = data.shape;
    tensors.push(NamedTensor {
        name: "probe.images".to_owned(),
        shape: vec![examples.len(), channels, height, width],
        data: values(examples.images.clone()),
    });
    let labels = examples.labels.clone().argmax(1).into_data_as::<i64>();
    tensors.push(NamedTensor {
        name: "probe.labels".to_owned(),
        shape: vec![examples.len()],
        data: TensorValues::I64(labels.iter::<i64>().collect()),
    });
    tensors
}
