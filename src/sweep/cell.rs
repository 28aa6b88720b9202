//! Trains one cell and writes its results into its folder.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;
use sharpness::model::{Network, RunningStatistics};

use super::datasets::Datasets;
use super::{checkpoint, snapshot};
use crate::config::Settings;
use crate::device::{Computing, OpenDevice};
use crate::event::{CellEnding, CellIndex, Point, Summary};
use crate::record::{CellWriter, RecordError, Tensors};
use crate::setup;
use crate::train::{AnyError, Control, Keeper, Outbox, Position, Snapshot, Task, train};

/// The least time between two checkpoints, as a multiple of the time that one takes: on a slow disk, checkpoints must
/// not slow training down.
const LEAST_INTERVAL: u32 = 25;

/// The place for a cell's results, and how they are kept.
pub(super) struct Keeping<'a> {
    pub(super) writer: &'a mut CellWriter,
    /// The last values of the cell, updated while it trains.
    pub(super) summary: &'a mut Summary,
    /// The time between two checkpoints.
    pub(super) every: Duration,
    /// The checkpoint from which the cell continues.
    pub(super) from: Option<&'a Tensors>,
    /// Memory that the cells on other runners will still take, in bytes.
    pub(super) reserved_bytes: u64,
}

/// Trains a cell and writes its results into its folder.
pub(super) fn train_cell(
    cell: CellIndex,
    settings: &Settings,
    device: &OpenDevice,
    datasets: &mut Datasets,
    keeping: Keeping,
    control: &mut Control,
    outbox: &mut Outbox,
) -> Result<CellEnding, AnyError> {
    let Keeping {
        writer,
        summary,
        every,
        from,
        reserved_bytes,
    } = keeping;
    device.compute(Computing {
        tf32: settings.tf32,
        autotune: settings.cudnn_autotune,
        deterministic: settings.deterministic,
    });
    let taken = datasets.get(settings, setup::dtype(settings))?;
    let network = setup::network(settings, taken.shape, taken.classes);
    let data_bytes = taken.bytes();
    datasets
        .memory()
        .check(settings, &network, device, data_bytes, reserved_bytes)?;
    let data = datasets.get(settings, setup::dtype(settings))?;
    let task = Task {
        cell,
        settings,
        network: &network,
        train: &data.train,
        test: &data.test,
        black: &data.black,
        device: &device.device,
    };
    let mut folder = Folder {
        network: &network,
        writer,
        summary,
        keep_every: every,
        cost: Duration::ZERO,
    };
    let from = from
        .map(|tensors| snapshot::from_tensors(&network, settings, tensors, &device.device))
        .transpose()?;
    if let Some(from) = &from {
        *folder.summary = from.summary()?;
    }
    let trained = train(task, control, outbox, &mut folder, from.as_ref())?;
    *folder.summary = trained.summary;
    Ok(trained.ending)
}

/// The folder of a cell in training.
struct Folder<'a> {
    network: &'a Network,
    writer: &'a mut CellWriter,
    summary: &'a mut Summary,
    keep_every: Duration,
    /// The time that the last checkpoint took.
    cost: Duration,
}

impl Keeper for Folder<'_> {
    fn point(&mut self, point: &Point) -> Result<(), AnyError> {
        self.writer.append(point)?;
        self.summary.take_in(point);
        Ok(())
    }

    fn parameters(&mut self, step: u64, parameters: &Tensor<1>, running: &[RunningStatistics]) -> Result<(), AnyError> {
        let tensors = checkpoint::to_tensors(self.network, parameters, running);
        let metadata = BTreeMap::from([("step".to_owned(), step.to_string())]);
        Ok(self.writer.write_model(&tensors, &metadata)?)
    }

    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<(), AnyError> {
        let started = Instant::now();
        let Position { step, observed } = snapshot.position;
        let (tensors, metadata) = snapshot::to_tensors(self.network, snapshot)?;
        self.writer.write_checkpoint((step, observed), &tensors, metadata)?;
        // `sharptui lambda` reads the parameters while the cell trains.
        self.parameters(step, &snapshot.parameters, &snapshot.running)?;
        self.cost = started.elapsed();
        Ok(())
    }

    fn lasting(&mut self, snapshot: &Snapshot) -> Result<(), AnyError> {
        let (tensors, metadata) = snapshot::to_tensors(self.network, snapshot)?;
        Ok(self.writer.write_lasting(snapshot.position.step, &tensors, &metadata)?)
    }

    fn can_pass(&self, error: &AnyError) -> bool {
        error.downcast_ref::<RecordError>().is_some_and(RecordError::can_pass)
    }

    fn keep_every(&self) -> Duration {
        if self.keep_every.is_zero() {
            return Duration::ZERO;
        }
        self.keep_every.max(self.cost * LEAST_INTERVAL)
    }
}
