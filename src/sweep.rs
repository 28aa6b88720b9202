//! Runs the cells of a sweep in the order of its queue.

mod begin;
mod broken_off;
mod cell;
mod checkpoint;
mod datasets;
mod disk;
mod error;
mod log_words;
mod memory;
mod queue;
mod remeasure;
mod snapshot;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

pub use checkpoint::{to_tensors, values};
pub use datasets::Datasets;
pub use disk::told_by_disk;
pub use error::{SweepError, panic_text, with_causes};
pub use memory::{DataTooLarge, TooLarge};
pub use remeasure::{RemeasureError, Remeasured, Request, remeasure};

use crate::config::{Cell as Planned, Experiment, Settings};
use crate::device::OpenDevice;
use crate::event::{
    Activity, CellEnding, CellIndex, CellPlan, CellSize, Event, LogKind, Summary, SweepEnding, SweepPlan,
};
use crate::record::{
    CellRow, CellWriter, Checkpoint, QueueFile, RecordError, RowState, RunDir, RunInfo, RunState, read_progress,
    read_queue, rfc3339,
};
use crate::setup;
use crate::train::{Control, Outbox, Verdict};
use broken_off::BrokenOff;
use cell::{Keeping, train_cell};
use log_words::{ended_words, kind_of, with_swept};
use queue::Queue;
use table::Table;

/// A sweep, with its run directory.
pub struct Sweep {
    name: String,
    queue: Arc<Mutex<Queue>>,
    device: OpenDevice,
    run_dir: Arc<RunDir>,
    datasets: Datasets,
    info: RunInfo,
    /// The contents of `run.json` before this process, if there were any.
    earlier: Option<RunInfo>,
    /// Notices for the person watching, sent before training starts.
    notices: Vec<(Option<CellIndex>, String)>,
    rows: Vec<CellRow>,
    table: Table,
    broken_off: Vec<BrokenOff>,
    keep_every: Duration,
}

/// How a sweep ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The ending that the last event has.
    pub ending: SweepEnding,
    /// The cells that failed, with the reason of each.
    pub failed: Vec<(CellIndex, String)>,
}

impl Sweep {
    /// Returns the plan of the sweep, which the first event has.
    pub fn plan(&self) -> SweepPlan {
        let queue = self.queue();
        plan(
            &queue.experiment,
            &self.rows,
            |cell| queue.sizes.get(cell).copied(),
            (self.run_dir.path(), &self.device.name),
        )
    }

    /// Runs every cell that has not ended, in the order of the queue. Cells that were running when earlier processes
    /// were killed come last.
    ///
    /// A cell that fails or panics does not end the sweep. A run directory that cannot be written ends it.
    pub fn run(mut self, control: &mut Control, outbox: &mut Outbox) -> Ended {
        let log = self.run_dir.logbook();
        outbox.log_into(Box::new(move |kind, cell, words| log.write(kind, cell, words)));
        let begins = format!(
            "{}: {} of {} cells to run",
            self.name,
            self.queue().waiting(),
            self.rows.len()
        );
        outbox.log(LogKind::Sweep, None, &begins);
        control.attend(self.queue.clone());
        outbox.state(Event::SweepStarted(self.plan()));
        let stands = self.queue().event();
        outbox.state(stands);
        for (cell, words) in self.notices.drain(..) {
            outbox.notice(cell, words);
        }
        for doubt in self.datasets.doubts() {
            outbox.notice(None, doubt);
        }
        let ending = match self.run_cells(control, outbox) {
            Ok(ending) => ending,
            Err(error) => {
                self.set_aside_what_runs();
                // Report the first error, not this one.
                let _ = self.table.write();
                SweepEnding::Failed(with_causes(&error))
            }
        };
        self.info.ended = Some(rfc3339(SystemTime::now()));
        self.info.state = match &ending {
            SweepEnding::Complete => RunState::Complete,
            SweepEnding::Stopped => RunState::Stopped,
            SweepEnding::Failed(why) => RunState::Failed(why.clone()),
        };
        let ending = match insist(control, outbox, || self.run_dir.write_run(&self.info)) {
            Err(error) if ending == SweepEnding::Complete => SweepEnding::Failed(with_causes(&error)),
            _ => ending,
        };
        outbox.log(LogKind::Sweep, None, &ending.words());
        outbox.state(Event::SweepEnded(ending.clone()));
        let failed = self.rows.into_iter().filter_map(|row| match row.state {
            RowState::Ended(CellEnding::Failed(why)) => Some((row.cell, why)),
            _ => None,
        });
        Ended {
            ending,
            failed: failed.collect(),
        }
    }

    fn run_cells(&mut self, control: &mut Control, outbox: &mut Outbox) -> Result<SweepEnding, RecordError> {
        loop {
            control.hear(outbox);
            let next = self.queue().take_next();
            let Some(cell) = next else { break };
            control.begin(cell);
            let unfilled = self.rows.len() <= cell;
            if unfilled {
                self.fill_rows();
            }
            let (ending, summary) = match control.verdict(cell) {
                // The cells that are left wait for a resume, except aborted ones, which are left out below.
                Verdict::Quit => {
                    control.end();
                    continue;
                }
                Verdict::Abort => {
                    let left_out = insist(control, outbox, || self.leave_out(cell))?;
                    if self.queue().begins_anew(cell) {
                        insist(control, outbox, || self.queue().keep())?;
                    }
                    left_out
                }
                Verdict::Go | Verdict::Skip => self.run_cell(cell, control, outbox)?,
            };
            control.end();
            self.queue().ended(cell);
            let row = &mut self.rows[cell];
            row.state = RowState::Ended(ending.clone());
            row.summary = summary.clone();
            self.table.rows().put(row.clone());
            insist(control, outbox, || self.table.check())?;
            outbox.tell_skipped();
            outbox.log(kind_of(&ending), Some(cell), &ended_words(&ending, &summary));
            outbox.state(Event::CellEnded { cell, ending, summary });
        }
        self.fill_rows();
        let held = self.queue().held_words();
        if let Some(words) = held {
            outbox.notice(None, words);
        }
        insist(control, outbox, || self.table.write())?;
        let unfinished =
            |row: &CellRow| matches!(row.state, RowState::Queued | RowState::Ended(CellEnding::Interrupted));
        let again = self.queue().has_again();
        Ok(if again || self.rows.iter().any(unfinished) {
            SweepEnding::Stopped
        } else {
            SweepEnding::Complete
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds rows for cells that were added to the queue.
    fn fill_rows(&mut self) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.fill(&mut self.rows);
    }

    /// Marks running cells as interrupted, so that the table does not show them as running after the sweep.
    fn set_aside_what_runs(&mut self) {
        for row in self.rows.iter_mut().filter(|row| row.state == RowState::Running) {
            row.state = RowState::Ended(CellEnding::Interrupted);
            row.summary = read_progress(&self.run_dir.cell_path(row.cell));
            self.table.rows().put(row.clone());
        }
    }

    /// Returns the settings of a cell, including added cells.
    fn settings(&self, cell: CellIndex) -> Settings {
        self.queue().experiment.cells[cell].settings.clone()
    }

    /// Writes that a cell was aborted before it began, so that a resume does not run it either.
    fn leave_out(&self, cell: CellIndex) -> Result<(CellEnding, Summary), RecordError> {
        let writer = self.run_dir.begin_cell(cell, &entries(&self.settings(cell)))?;
        writer.finish(&CellEnding::Aborted, &Summary::default())?;
        Ok((CellEnding::Aborted, Summary::default()))
    }

    /// Trains one cell and writes how it ended. Returns an error only if the run directory cannot be read or written.
    fn run_cell(
        &mut self,
        cell: CellIndex,
        control: &mut Control,
        outbox: &mut Outbox,
    ) -> Result<(CellEnding, Summary), RecordError> {
        control.busy_with(Activity::Preparing, outbox);
        let row = CellRow {
            state: RowState::Running,
            // The values of an earlier attempt come from its checkpoint, if it has one.
            summary: Summary::default(),
            ..self.rows[cell].clone()
        };
        self.rows[cell] = row.clone();
        self.table.rows().put(row.clone());
        insist(control, outbox, || self.table.check())?;
        let settings = self.settings(cell);
        let anew = self.queue().begins_anew(cell);
        let (mut writer, from) = insist(control, outbox, || self.open_cell(cell, &settings, anew, outbox))?;
        let broken_off = self.broken_off.iter().position(|broken_off| broken_off.cell == cell);
        if let Some(broken_off) = broken_off.map(|at| self.broken_off.swap_remove(at)) {
            insist(control, outbox, || writer.count_attempt(broken_off.next_attempt()))?;
        }
        if anew {
            // A later process must continue this cell and not begin it again.
            insist(control, outbox, || self.queue().keep())?;
        }
        let words = if from.is_some() {
            "goes on from its checkpoint"
        } else {
            "begins"
        };
        outbox.log(LogKind::Begun, Some(cell), &with_swept(words, &self.rows[cell].swept));
        // Sent only now, because readers expect the files on disk to match the beginning of the cell.
        outbox.state(Event::CellStarted { cell });
        let keep_every = self.keep_every;
        let device = &self.device;
        let datasets = &mut self.datasets;
        let rows = self.table.rows();
        // Outside the closure, so that the last values survive a failure of the cell.
        let mut summary = Summary::default();
        // A panic in a back end, for example when a GPU runs out of memory, fails this cell and not the whole sweep.
        let trained = catch_unwind(AssertUnwindSafe(|| {
            let keeping = Keeping {
                writer: &mut writer,
                summary: &mut summary,
                row,
                rows,
                every: keep_every,
                from: from.as_ref().map(|from| &from.tensors),
            };
            train_cell(cell, &settings, device, datasets, keeping, control, outbox)
        }));
        let ending = match trained {
            Ok(Ok(ending)) => ending,
            // Without a writable run directory, the results of every further cell would be lost.
            Ok(Err(error)) => match error.downcast::<RecordError>() {
                Ok(error) => return Err(*error),
                Err(error) => CellEnding::Failed(with_causes(error.as_ref())),
            },
            Err(panic) => CellEnding::Failed(self.device.explain_panic(&panic_text(panic.as_ref()))),
        };
        insist(control, outbox, || writer.finish(&ending, &summary))?;
        Ok((ending, summary))
    }
}

impl Sweep {
    /// Opens the folder of a cell. Returns also the checkpoint to continue from, if an earlier process kept one.
    fn open_cell(
        &self,
        cell: CellIndex,
        settings: &Settings,
        anew: bool,
        outbox: &Outbox,
    ) -> Result<(CellWriter, Option<Checkpoint>), RecordError> {
        let path = self.run_dir.cell_path(cell);
        let (from, notices) = if anew {
            (None, Vec::new())
        } else {
            snapshot::newest(&path)
        };
        for notice in notices {
            outbox.notice(Some(cell), notice);
        }
        let Some(from) = from else {
            return Ok((self.run_dir.begin_cell(cell, &entries(settings))?, None));
        };
        let writer = self.run_dir.continue_cell(cell, &from)?;
        Ok((writer, Some(from)))
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
fn with_added(experiment: Experiment, run_dir: &Path) -> Result<(Experiment, QueueFile), RecordError> {
    let kept = read_queue(run_dir, experiment.cells.len())?;
    let added = kept.added.iter().map(|added| (added.like, added.seed));
    Ok((experiment.with_added(added), kept))
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
