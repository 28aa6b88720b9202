//! One cell: trained into its folder.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use super::datasets::Datasets;
use super::{checkpoint, memory};
use crate::config::Settings;
use crate::device::OpenDevice;
use crate::event::{CellEnding, CellIndex, Point, Summary};
use crate::model::{Network, RunningStatistics};
use crate::record::CellWriter;
use crate::train::{AnyError, Control, Keeper, Outbox, Task, dtype, train};

/// Trains a cell into its folder; `summary` follows what is known of it.
pub(super) fn train_cell(
    cell: CellIndex,
    settings: &Settings,
    device: &OpenDevice,
    datasets: &mut Datasets,
    (writer, summary): (&mut CellWriter, &mut Summary),
    control: &mut Control,
    outbox: &mut Outbox,
) -> Result<CellEnding, AnyError> {
    device.autotune_convolutions(settings.cudnn_autotune);
    let data = datasets.get(settings, dtype(settings))?;
    let network = Network::new(settings, data.shape, data.classes);
    if device.on_host {
        memory::check(network.layout().len(), dtype(settings).size() as u64)?;
    }
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
    };
    let trained = train(task, control, outbox, &mut folder)?;
    *summary = trained.summary;
    Ok(trained.ending)
}

/// The folder of a cell in training.
struct Folder<'a> {
    network: &'a Network,
    writer: &'a mut CellWriter,
    summary: &'a mut Summary,
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
}
