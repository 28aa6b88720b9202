//! Runs the cells of a sweep in the order of its queue.

mod begin;
mod broken_off;
mod cell;
mod checkpoint;
mod command;
mod conduct;
mod crew;
mod datasets;
mod disk;
mod elsewhere;
mod error;
mod log_words;
mod lost;
mod measure;
mod memory;
mod queue;
mod remeasure;
mod snapshot;
mod survey;
mod table;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use checkpoint::{to_tensors, values};
pub use crew::serve_pipes;
pub use datasets::Datasets;
pub use disk::told_by_disk;
pub use error::{SweepError, panic_text, with_causes};
pub use measure::{MeasureError, MeasureRequest, measure};
pub use memory::{DataTooLarge, TooLarge};
pub use remeasure::{RemeasureError, Remeasured, Request, remeasure};
pub use worker::Worker;

use crate::config::{Added, Cell as Planned, Experiment, Export, Settings};
use crate::device::{DeviceChoice, RunnerChoice};
use crate::event::{CellIndex, CellPlan, CellSize, Summary, SweepEnding, SweepPlan};
use crate::record::{CellRow, QueueFile, RecordError, RowState, RunDir, RunInfo, read_queue};
use crate::setup;
use crate::train::{Control, Outbox};
use broken_off::BrokenOff;
use crew::Crew;
use queue::Queue;
use table::Table;

/// A sweep, with its run directory.
pub struct Sweep {
    name: String,
    queue: Queue,
    crew: Crew,
    /// The number of runners that there are to be.
    wanted_runners: usize,
    /// How often runners ended before they had a cell, since a cell started.
    false_starts: u32,
    /// How often the runner of a cell ended unexpectedly.
    deaths: BTreeMap<CellIndex, u32>,
    /// Running cells that will be aborted.
    aborted: BTreeSet<CellIndex>,
    /// Running cells that began again from step 0, as long as their folder is not opened.
    anew: BTreeSet<CellIndex>,
    /// The cells that this process sees to; none if it sees to all.
    slice: Option<BTreeSet<CellIndex>>,
    /// The cells that other processes have, with how often this process tried to take them.
    elsewhere: BTreeMap<CellIndex, u32>,
    /// The tokens of the claims that the user gave up.
    over: BTreeMap<CellIndex, String>,
    /// The cells that had failed before the sweep began.
    had_failed: BTreeSet<CellIndex>,
    /// Whether the sweep is to stop.
    quit: bool,
    device_name: String,
    /// Whether the device's memory is the memory of the host.
    is_on_host: bool,
    run_dir: Arc<RunDir>,
    info: RunInfo,
    /// The contents of `run.json` before this process, if there were any.
    earlier: Option<RunInfo>,
    /// Notices for the person watching, sent before training starts.
    notices: Vec<(Option<CellIndex>, String)>,
    rows: Vec<CellRow>,
    table: Table,
    broken_off: Vec<BrokenOff>,
}

/// How the cells of a sweep are run.
#[derive(Clone, Debug)]
pub struct Running {
    /// The device that was named.
    pub choice: DeviceChoice,
    /// The runners that were asked for. Without a choice there is one, as a thread of this process.
    pub runners: Option<RunnerChoice>,
    /// The time between two checkpoints of a running cell.
    pub keep_every: Duration,
    /// The cells to see to; none for all.
    pub cells: Option<BTreeSet<CellIndex>>,
    /// Whether cells are taken over from processes that may be alive.
    pub take_over: bool,
    /// Values to add to axes of the sweep before it goes on, such as `seed: [5, 6]`.
    pub add: Vec<String>,
}

/// How a sweep ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The ending that the last event has.
    pub ending: SweepEnding,
    /// The cells that failed, with the reason of each.
    pub failed: Vec<(CellIndex, String)>,
    /// The cells that other processes have. If there are any, the sweep ended because only those were left.
    pub elsewhere: Vec<CellIndex>,
}

impl Sweep {
    /// Returns the plan of the sweep, which the first event has.
    pub fn plan(&self) -> SweepPlan {
        plan(
            &self.queue.experiment,
            &self.rows,
            |cell| self.queue.sizes.get(cell).copied(),
            (self.run_dir.path(), &self.device_name),
        )
    }

    /// Returns the cells that this process sees to; none if it sees to all.
    pub fn slice(&self) -> Option<&BTreeSet<CellIndex>> {
        self.slice.as_ref()
    }

    /// Returns the run directory that it writes.
    pub fn run_dir(&self) -> &RunDir {
        &self.run_dir
    }

    /// Returns a share of the run directory. Its lock is held until every share is dropped.
    pub fn run_dir_shared(&self) -> Arc<RunDir> {
        Arc::clone(&self.run_dir)
    }

    /// Returns the exports that are kept up to date while it trains.
    pub fn exports(&self) -> &[Export] {
        &self.queue.experiment.export
    }

    /// Returns the number of cells that this process sees to.
    pub fn own_cells(&self) -> usize {
        self.slice.as_ref().map_or(self.rows.len(), BTreeSet::len)
    }

    /// Returns the settings of a cell, including added cells.
    fn settings(&self, cell: CellIndex) -> Settings {
        self.queue.experiment.cells[cell].settings.clone()
    }
}

fn plan(
    experiment: &Experiment,
    rows: &[CellRow],
    size: impl Fn(CellIndex) -> Option<CellSize>,
    (run_dir, device): (&Path, &str),
) -> SweepPlan {
    let cells = experiment.cells.iter().zip(rows).enumerate();
    SweepPlan {
        name: experiment.name.clone(),
        run_dir: run_dir.to_owned(),
        device: device.to_owned(),
        cells: cells
            .map(|(index, (cell, row))| cell_plan(&cell.settings, row, size(index)))
            .collect(),
        earlier_seconds: 0.0,
    }
}

/// Writes to the run directory, and waits while the disk cannot be written.
fn insist<T>(
    control: &mut Control,
    outbox: &Outbox,
    work: impl FnMut() -> Result<T, RecordError>,
) -> Result<T, RecordError> {
    control.insist(outbox, None, RecordError::can_pass, work)
}

/// Returns the experiment of a run, including the cells that the person watching added, and the file of its queue.
fn with_added(experiment: Experiment, run_dir: &Path) -> Result<(Experiment, QueueFile), SweepError> {
    let kept = read_queue(run_dir, experiment.cells.len())?;
    let added = kept.added.iter().map(|added| Added {
        like: added.like,
        seed: added.seed,
        values: added.values.clone(),
    });
    Ok((experiment.with_added(added, &run_dir.join("queue.json"))?, kept))
}

fn queued(experiment: &Experiment) -> Vec<CellRow> {
    let cells = experiment.cells.iter().enumerate();
    cells.map(|(cell, planned)| queued_row(cell, planned)).collect()
}

fn queued_row(cell: CellIndex, planned: &Planned) -> CellRow {
    CellRow {
        cell,
        swept: planned.swept.clone(),
        state: RowState::Queued,
        summary: Summary::default(),
    }
}

fn cell_plan(settings: &Settings, row: &CellRow, size: Option<CellSize>) -> CellPlan {
    CellPlan {
        swept: row.swept.clone(),
        settings: entries(settings),
        planned_steps: settings.planned_steps(),
        steps_per_epoch: settings.steps_per_epoch(),
        probes: settings.probes.iter().map(|probe| probe.describe(settings)).collect(),
        threshold: setup::threshold(settings),
        size,
        ended: match &row.state {
            RowState::Ended(ending) => {
                let mut summary = row.summary.clone();
                // Older summaries lack `reached_aim`.
                summary.reached_aim = summary.reached_aim.or(ending.reached_aim(settings.has_aim()));
                Some((ending.clone(), summary))
            }
            RowState::Queued | RowState::Held | RowState::Running => None,
        },
    }
}

fn entries(settings: &Settings) -> Vec<(String, String)> {
    let entries = settings.entries().into_iter();
    entries.map(|(name, value)| (name.to_owned(), value)).collect()
}
