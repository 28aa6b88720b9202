//! The queue of cells and what becomes of each.

mod checkpoint;
mod datasets;
mod memory;
mod remeasure;

use std::any::Any;
use std::collections::BTreeMap;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use burn::tensor::Tensor;

pub use datasets::Datasets;
pub use remeasure::{RemeasureError, Remeasured, Request, remeasure};

use crate::config::{Experiment, Settings};
use crate::device::OpenDevice;
use crate::event::{Activity, CellEnding, CellIndex, CellPlan, Event, Point, Summary, SweepEnding, SweepPlan};
use crate::model::{Network, RunningStatistics};
use crate::record::{
    CellRow, CellState, CellWriter, RecordError, RunDir, RunInfo, RunState, host_name, read_cells, read_metrics,
    read_run, read_settings, rfc3339,
};
use crate::train::{AnyError, Control, Keeper, Outbox, Task, Verdict, dtype, train};

/// A sweep with the place it is written to.
pub struct Sweep {
    experiment: Experiment,
    device: OpenDevice,
    run_dir: RunDir,
    datasets: Datasets,
    info: RunInfo,
    rows: Vec<CellRow>,
}

/// Why a sweep cannot begin or be taken up.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The run directory cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A cell was run under other settings than its configuration has now.
    #[error(
        "{folder}: its cell.json has {field}: {then}, the run's config.ron now has {now}; \
         put config.ron back as it was, or start a new run"
    )]
    Changed {
        /// The cell's folder.
        folder: PathBuf,
        /// The first setting that differs.
        field: String,
        /// Its value when the cell ran.
        then: String,
        /// Its value now.
        now: String,
    },
}

/// Checks that the cell in `folder` was run under `settings`: results must never stand under others.
fn check_settings(folder: &Path, settings: &Settings) -> Result<(), SweepError> {
    let then = read_settings(folder)?;
    let was = |name: &str| {
        then.iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.clone())
    };
    for (field, now) in entries(settings) {
        let then = was(&field).unwrap_or_else(|| "nothing".to_owned());
        if then != now {
            return Err(SweepError::Changed {
                folder: folder.to_owned(),
                field,
                then,
                now,
            });
        }
    }
    Ok(())
}

/// How a sweep ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// As the last event says it.
    pub ending: SweepEnding,
    /// Which cells failed, and why.
    pub failed: Vec<(CellIndex, String)>,
}

impl Sweep {
    /// Writes down what will be run. Cells that `run_dir` has whole already will not run
    /// again; one that failed will.
    ///
    /// # Errors
    ///
    /// Whatever keeps the run directory from being read or written, and a cell that ended under other settings.
    pub fn new(
        experiment: Experiment,
        device: OpenDevice,
        run_dir: RunDir,
        datasets: Datasets,
    ) -> Result<Self, SweepError> {
        let mut rows: Vec<CellRow> = experiment
            .cells
            .iter()
            .enumerate()
            .map(|(cell, planned)| CellRow {
                cell,
                swept: planned.swept.clone(),
                state: CellState::Queued,
                summary: Summary::default(),
            })
            .collect();
        for found in read_cells(run_dir.path())? {
            let row = rows.get_mut(found.cell);
            if let (Some(row), Some(ended)) = (row, found.ended) {
                let state = CellState::Ended(ended.ending);
                if !to_do(&state) {
                    check_settings(&found.path, &experiment.cells[found.cell].settings)?;
                    row.state = state;
                    row.summary = ended.summary;
                }
            }
        }
        let mut seeds: Vec<u64> = experiment.cells.iter().map(|cell| cell.settings.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let info = RunInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            device: device.name.clone(),
            host: host_name(),
            data_dir: datasets
                .dir()
                .map(|dir| std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned())),
            seeds,
            cells: rows.len(),
            // A run that is taken up again began when it first did.
            started: read_run(run_dir.path()).map_or_else(|_| rfc3339(SystemTime::now()), |earlier| earlier.started),
            ended: None,
            state: RunState::Running,
        };
        let sweep = Self {
            experiment,
            device,
            run_dir,
            datasets,
            info,
            rows,
        };
        sweep.run_dir.write_run(&sweep.info)?;
        sweep.run_dir.write_table(&sweep.rows)?;
        Ok(sweep)
    }

    /// What will be run, as the first event says it.
    pub fn plan(&self) -> SweepPlan {
        SweepPlan {
            name: self.experiment.name.clone(),
            run_dir: self.run_dir.path().to_owned(),
            device: self.device.name.clone(),
            cells: self
                .experiment
                .cells
                .iter()
                .zip(&self.rows)
                .map(|(cell, row)| cell_plan(&cell.settings, row))
                .collect(),
        }
    }

    /// Runs every cell that has not ended, in queue order.
    ///
    /// Neither a cell that fails nor one that panics ends the sweep; a run directory that cannot be written does.
    pub fn run(mut self, control: &mut Control, outbox: &mut Outbox) -> Ended {
        outbox.state(Event::SweepStarted(self.plan()));
        self.replay(outbox);
        if !self.run_dir.is_locked() {
            let place = self.run_dir.path().display();
            outbox.state(Event::Notice(format!(
                "the file system of {place} has no locks: see that no other process writes there"
            )));
        }
        let ending = match self.run_cells(control, outbox) {
            Ok(ending) => ending,
            Err(error) => SweepEnding::Failed(with_causes(&error)),
        };
        self.info.ended = Some(rfc3339(SystemTime::now()));
        self.info.state = match &ending {
            SweepEnding::Complete => RunState::Complete,
            SweepEnding::Stopped => RunState::Stopped,
            SweepEnding::Failed(why) => RunState::Failed(why.clone()),
        };
        let ending = match self.run_dir.write_run(&self.info) {
            Err(error) if ending == SweepEnding::Complete => SweepEnding::Failed(with_causes(&error)),
            _ => ending,
        };
        outbox.state(Event::SweepEnded(ending.clone()));
        let failed = self.rows.into_iter().filter_map(|row| match row.state {
            CellState::Ended(CellEnding::Failed(why)) => Some((row.cell, why)),
            _ => None,
        });
        Ended {
            ending,
            failed: failed.collect(),
        }
    }

    /// Tells what was measured in cells that ended before this process began.
    fn replay(&self, outbox: &mut Outbox) {
        for row in self.rows.iter().filter(|row| !to_do(&row.state)) {
            match read_metrics(&self.run_dir.cell_path(row.cell)) {
                Ok(metrics) => {
                    for point in metrics.points {
                        outbox.point(row.cell, point);
                    }
                }
                Err(error) => outbox.state(Event::Notice(with_causes(&error))),
            }
        }
    }

    fn run_cells(&mut self, control: &mut Control, outbox: &mut Outbox) -> Result<SweepEnding, RecordError> {
        for cell in 0..self.rows.len() {
            if !to_do(&self.rows[cell].state) {
                continue;
            }
            let (ending, summary) = match control.verdict(cell) {
                // What is left waits for a resume, but for what the user had done with.
                Verdict::Quit if !control.is_aborted(cell) => continue,
                Verdict::Quit | Verdict::Abort => self.leave_out(cell)?,
                Verdict::Go => self.run_cell(cell, control, outbox)?,
            };
            let row = &mut self.rows[cell];
            row.state = CellState::Ended(ending.clone());
            row.summary = summary.clone();
            self.run_dir.write_table(&self.rows)?;
            outbox.tell_skipped();
            outbox.state(Event::CellEnded { cell, ending, summary });
        }
        let unfinished =
            |row: &CellRow| matches!(row.state, CellState::Queued | CellState::Ended(CellEnding::Interrupted));
        Ok(if self.rows.iter().any(unfinished) {
            SweepEnding::Stopped
        } else {
            SweepEnding::Complete
        })
    }

    /// Writes down that a cell was aborted before it began, so that a resume does not run it either.
    fn leave_out(&self, cell: CellIndex) -> Result<(CellEnding, Summary), RecordError> {
        let settings = &self.experiment.cells[cell].settings;
        let writer = self.run_dir.begin_cell(cell, &entries(settings))?;
        writer.finish(&CellEnding::Aborted, &Summary::default())?;
        Ok((CellEnding::Aborted, Summary::default()))
    }

    /// Trains one cell and writes down how it ended. Errors are those of the run directory alone.
    fn run_cell(
        &mut self,
        cell: CellIndex,
        control: &mut Control,
        outbox: &mut Outbox,
    ) -> Result<(CellEnding, Summary), RecordError> {
        outbox.state(Event::CellStarted { cell });
        control.busy_with(Activity::Preparing, outbox);
        self.rows[cell].state = CellState::Running;
        self.run_dir.write_table(&self.rows)?;
        let settings = self.experiment.cells[cell].settings.clone();
        let mut writer = self.run_dir.begin_cell(cell, &entries(&settings))?;
        let device = &self.device;
        let datasets = &mut self.datasets;
        // Out here, what is known of a cell outlives its failure.
        let mut summary = Summary::default();
        // What panics in a back end (a GPU that runs out of memory, say) fails this cell, not the night's sweep.
        let trained = catch_unwind(AssertUnwindSafe(|| {
            let keep = (&mut writer, &mut summary);
            train_cell(cell, &settings, device, datasets, keep, control, outbox)
        }));
        let ending = match trained {
            Ok(Ok(ending)) => ending,
            // A run directory that takes nothing more would make every further cell's work vain.
            Ok(Err(error)) => match error.downcast::<RecordError>() {
                Ok(error) => return Err(*error),
                Err(error) => CellEnding::Failed(with_causes(error.as_ref())),
            },
            Err(panic) => CellEnding::Failed(format!("panic: {}", panic_text(panic.as_ref()))),
        };
        writer.finish(&ending, &summary)?;
        Ok((ending, summary))
    }
}

/// Trains a cell into its folder; `summary` follows what is known of it.
fn train_cell(
    cell: CellIndex,
    settings: &Settings,
    device: &OpenDevice,
    datasets: &mut Datasets,
    (writer, summary): (&mut CellWriter, &mut Summary),
    control: &mut Control,
    outbox: &mut Outbox,
) -> Result<CellEnding, AnyError> {
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

fn cell_plan(settings: &Settings, row: &CellRow) -> CellPlan {
    CellPlan {
        swept: row.swept.clone(),
        settings: entries(settings),
        planned_steps: settings.planned_steps(),
        steps_per_epoch: settings.steps_per_epoch(),
        probes: settings.probes.iter().map(|probe| probe.describe(settings)).collect(),
        threshold_label: settings.threshold_label(),
        ended: match &row.state {
            CellState::Ended(ending) => Some((ending.clone(), row.summary.clone())),
            CellState::Queued | CellState::Running => None,
        },
    }
}

fn entries(settings: &Settings) -> Vec<(String, String)> {
    let entries = settings.entries().into_iter();
    entries.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether a cell in this state is still to be run.
fn to_do(state: &CellState) -> bool {
    !matches!(
        state,
        CellState::Ended(CellEnding::Finished(_) | CellEnding::Diverged | CellEnding::Aborted)
    )
}

/// An error and what caused it, on one line. A cause that the error already quotes is not said twice.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "of an unknown kind".to_owned())
}
