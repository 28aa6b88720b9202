//! The work of a runner: trains cells one after another on one device, and writes their folders.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use serde::{Deserialize, Serialize};

use super::cell::{Keeping, train_cell};
use super::datasets::Datasets;
use super::error::{panic_text, with_causes};
use super::{entries, insist, snapshot};
use crate::config::Settings;
use crate::device::OpenDevice;
use crate::event::{Activity, CellEnding, CellIndex, Command, Event, LogEntry, LogKind, Summary, SweepEnding};
use crate::record::{CellSummary, CellWriter, Checkpoint, RecordError, RunDir, read_summary};
use crate::train::{Control, Outbox};

/// A message to a runner.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Train this cell. Sent only while the runner has none.
    Train(Box<Job>),
    /// Obey this command, as far as it is about the cell of the runner.
    Command(Command),
}

/// A cell to train.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) cell: CellIndex,
    #[serde(with = "crate::config::as_ron")]
    pub(super) settings: Settings,
    /// Whether the cell begins at step 0, although it may have a checkpoint.
    pub(super) anew: bool,
    /// Whether the cell had failed before the sweep began, so that it runs again. A failure since then is final.
    pub(super) had_failed: bool,
    /// The token of the claim that the user gave up, if the cell has one.
    pub(super) over: Option<String>,
    /// The number of this start, if processes ended while they ran this cell.
    pub(super) attempt: Option<u32>,
    /// Memory that the cells on other runners will still take, in bytes.
    pub(super) reserved_bytes: u64,
}

/// What became of a cell here.
enum Outcome {
    /// It ended.
    Ended(CellEnding, Summary),
    /// Another process has it or has ended it.
    Elsewhere(Option<(CellEnding, Summary)>, String),
}

/// A cell that was opened.
enum Opened {
    /// It is to be trained, from this checkpoint if there is one.
    Ours(Box<CellWriter>, Option<Checkpoint>),
    /// It has ended since the sweep looked.
    Ended(Box<CellSummary>),
}

/// Trains cells on one device.
pub struct Worker {
    run_dir: Arc<RunDir>,
    device: OpenDevice,
    datasets: Datasets,
    keep_every: Duration,
}

impl Worker {
    /// Returns a worker that writes the cells of `run_dir`, with a checkpoint every `keep_every` while a cell runs.
    pub fn new(run_dir: Arc<RunDir>, device: OpenDevice, datasets: Datasets, keep_every: Duration) -> Self {
        Self {
            run_dir,
            device,
            datasets,
            keep_every,
        }
    }

    /// Returns the name of its device, for people.
    pub(super) fn device_name(&self) -> &str {
        &self.device.name
    }

    /// Carries out `orders` until that channel closes. Each cell ends with [`Event::CellEnded`]. If the run directory
    /// cannot be written, the last event is [`Event::SweepEnded`].
    pub(super) fn serve(mut self, orders: Receiver<Order>, events: &Sender<Event>) {
        let (commands_in, commands) = unbounded();
        let (jobs_in, jobs) = unbounded();
        let sorter = thread::Builder::new().name("orders".to_owned()).spawn(move || {
            let mut sent = 0;
            for order in orders {
                let is_heard = match order {
                    Order::Train(job) => jobs_in.send((job, sent)).is_ok(),
                    Order::Command(command) => {
                        sent += 1;
                        commands_in.send(command).is_ok()
                    }
                };
                if !is_heard {
                    return;
                }
            }
        });
        if let Err(error) = sorter {
            let why = format!("cannot start a thread: {error}");
            let _ = events.send(Event::SweepEnded(SweepEnding::Failed(why)));
            return;
        }
        let mut control = Control::new(commands);
        let mut outbox = Outbox::new(events.clone());
        outbox.log_into(log_lines(events.clone()));
        for (job, sent_before) in jobs {
            let cell = job.cell;
            // Commands about a cell that has ended must not act on this one.
            control.catch_up(sent_before);
            control.begin(cell);
            let ended = self.run_cell(*job, &mut control, &mut outbox);
            control.end();
            outbox.tell_skipped();
            match ended {
                Ok(Outcome::Ended(ending, summary)) => outbox.state(Event::CellEnded { cell, ending, summary }),
                Ok(Outcome::Elsewhere(ended, words)) => outbox.state(Event::CellElsewhere { cell, ended, words }),
                Err(error) => {
                    outbox.state(Event::SweepEnded(SweepEnding::Failed(with_causes(&error))));
                    return;
                }
            }
        }
    }

    /// Trains one cell and writes how it ended. Returns an error only if the run directory cannot be read or written.
    fn run_cell(&mut self, job: Job, control: &mut Control, outbox: &mut Outbox) -> Result<Outcome, RecordError> {
        match self.train(job, control, outbox) {
            Err(error) if error.is_of_another_process() => Ok(Outcome::Elsewhere(None, error.about_cell())),
            outcome => outcome,
        }
    }

    fn train(&mut self, job: Job, control: &mut Control, outbox: &mut Outbox) -> Result<Outcome, RecordError> {
        control.busy_with(Activity::Preparing, outbox);
        let (mut writer, from) = match insist(control, outbox, || self.open_cell(&job, outbox))? {
            Opened::Ours(writer, from) => (writer, from),
            Opened::Ended(ended) => {
                let words = "it has ended in another process".to_owned();
                return Ok(Outcome::Elsewhere(Some((ended.ending, ended.summary)), words));
            }
        };
        let Job {
            cell,
            settings,
            attempt,
            reserved_bytes,
            ..
        } = job;
        if let Some(attempt) = attempt {
            insist(control, outbox, || writer.count_attempt(attempt))?;
        }
        let words = if from.is_some() {
            "goes on from its checkpoint"
        } else {
            "begins"
        };
        outbox.log(LogKind::Begun, Some(cell), words);
        // Sent only now, because readers expect the files on disk to match the beginning of the cell.
        outbox.state(Event::CellStarted { cell });
        let device = &self.device;
        let datasets = &mut self.datasets;
        // Outside the closure, so that the last values survive a failure of the cell.
        let mut summary = Summary::default();
        let keeping = Keeping {
            writer: &mut writer,
            summary: &mut summary,
            every: self.keep_every,
            from: from.as_ref().map(|from| &from.tensors),
            reserved_bytes,
        };
        // A panic in a back end, for example when a GPU runs out of memory, fails this cell and not the whole sweep.
        let trained = catch_unwind(AssertUnwindSafe(|| {
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
        Ok(Outcome::Ended(ending, summary))
    }

    /// Claims a cell and opens its folder. Returns also the checkpoint to continue from, if an earlier process kept one.
    fn open_cell(&self, job: &Job, outbox: &Outbox) -> Result<Opened, RecordError> {
        let cell = job.cell;
        let claim = self.run_dir.claim_cell(cell, self.device_name(), job.over.as_deref())?;
        let path = self.run_dir.cell_path(cell);
        // Only now nobody else changes it.
        if let Some(ended) = read_summary(&path).ok().filter(|_| !job.anew) {
            let is_final = match ended.ending {
                CellEnding::Failed(_) => !job.had_failed,
                _ => !ended.ending.is_run_again(),
            };
            if is_final {
                return Ok(Opened::Ended(Box::new(ended)));
            }
        }
        let (from, notices) = if job.anew {
            (None, Vec::new())
        } else {
            snapshot::newest(&path)
        };
        for notice in notices {
            outbox.notice(Some(cell), notice);
        }
        let Some(from) = from else {
            let writer = self.run_dir.begin_claimed(cell, &entries(&job.settings), claim)?;
            return Ok(Opened::Ours(Box::new(writer), None));
        };
        let writer = self.run_dir.continue_cell(cell, &from, claim)?;
        Ok(Opened::Ours(Box::new(writer), Some(from)))
    }
}

/// Returns a log that sends its lines as events. Notices are events already.
fn log_lines(events: Sender<Event>) -> crate::train::Log {
    Box::new(move |kind, cell, words| {
        if kind != LogKind::Notice {
            let words = words.to_owned();
            let entry = LogEntry {
                at: 0.0,
                cell,
                kind,
                words,
            };
            let _ = events.send(Event::Logged(entry));
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Experiment;

    #[test]
    fn a_job_is_the_same_after_its_way_through_a_pipe() {
        let text = include_str!("../../tests/configs/valid/everything.ron");
        let experiment = Experiment::parse(text, Path::new("everything.ron")).unwrap();
        for (cell, planned) in experiment.cells.iter().enumerate() {
            let job = Job {
                cell,
                settings: planned.settings.clone(),
                anew: cell % 2 == 0,
                had_failed: cell % 2 == 1,
                over: Some("0123456789abcdef".to_owned()),
                attempt: Some(3),
                reserved_bytes: u64::MAX,
            };
            let line = serde_json::to_string(&Order::Train(Box::new(job))).unwrap();
            let Order::Train(read) = serde_json::from_str(&line).unwrap() else {
                panic!("{line}");
            };
            assert_eq!(read.settings, planned.settings);
            assert!(!line.contains('\n'), "an order is one line");
        }
    }
}
