//! Which tasks have which cells: those that were sent to Slurm, and those that run now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::cli::CellList;
use crate::event::CellIndex;
use crate::record::{Holder, read_task};
use crate::submit::sent_jobs;

/// Interval between looks at the list of sent jobs, which grows when somebody submits again.
const READ_EVERY: Duration = Duration::from_secs(15);

/// The host and the ID of a process.
type Process = (String, u32);

/// A task that runs.
#[derive(Debug)]
struct Task {
    name: String,
    cells: BTreeSet<CellIndex>,
}

/// The tasks of each cell.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// The jobs that were sent for the run.
    pub(super) jobs: BTreeSet<u64>,
    /// The names of the tasks in Slurm, such as `17_3`, in the order in which they were sent.
    sent: BTreeMap<CellIndex, Vec<String>>,
    read: Option<Instant>,
    /// What is known of the task of each process.
    tasks: BTreeMap<Process, Option<Task>>,
    /// The processes that hold claims now.
    alive: BTreeSet<Process>,
    /// The running task of each cell.
    running: BTreeMap<CellIndex, String>,
}

impl Shares {
    /// Reads which jobs were sent, unless that was done a moment ago.
    pub(super) fn read_jobs(&mut self, run_dir: &Path) {
        if self.read.is_some_and(|read| read.elapsed() < READ_EVERY) {
            return;
        }
        self.read = Some(Instant::now());
        self.jobs.clear();
        self.sent.clear();
        for sent in sent_jobs(run_dir) {
            self.jobs.insert(sent.job);
            for (task, slice) in sent.slices.iter().enumerate() {
                let Ok(cells) = slice.parse::<CellList>() else { continue };
                for cell in cells.numbers() {
                    self.sent.entry(cell).or_default().push(format!("{}_{task}", sent.job));
                }
            }
        }
    }

    /// Notes which processes hold claims now, and reads which cells their tasks have.
    pub(super) fn note_alive<'h>(&mut self, run_dir: &Path, holders: impl Iterator<Item = &'h Holder>) {
        let mut alive = BTreeSet::new();
        for holder in holders {
            // A runner is the child of its task; a task without runners trains by itself.
            alive.extend(
                [holder.parent, Some(holder.pid)]
                    .into_iter()
                    .flatten()
                    .map(|pid| (holder.host.clone(), pid)),
            );
        }
        if alive == self.alive {
            return;
        }
        self.running.clear();
        for process in &alive {
            let known = self.tasks.entry(process.clone()).or_insert_with(|| {
                let (name, task) = read_task(run_dir, &process.0, process.1)?;
                let cells = task.cells.parse::<CellList>().ok()?.numbers();
                Some(Task { name, cells })
            });
            if let Some(Task { name, cells }) = known {
                self.running.extend(cells.iter().map(|cell| (*cell, name.clone())));
            }
        }
        self.alive = alive;
    }

    /// Returns the tasks in Slurm that have a cell, in the order in which they were sent.
    pub(super) fn sent(&self, cell: CellIndex) -> &[String] {
        self.sent.get(&cell).map_or(&[], Vec::as_slice)
    }

    /// Returns the name of a task that runs and has the cell, such as `node7-4242`.
    pub(super) fn running(&self, cell: CellIndex) -> Option<&str> {
        self.running.get(&cell).map(String::as_str)
    }
}
