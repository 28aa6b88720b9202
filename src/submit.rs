//! Sends the cells of a run to a Slurm cluster as an array job.
//!
//! Placement, limits and requeuing are Slurm's. This module writes one script into the run directory, which trains one
//! slice of the cells in each task of the array, and calls `sbatch`.

mod queue;
mod script;
mod slices;
mod slurm;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use queue::{QueuedTask, ask_accounting, ask_queue};
pub use script::Script;
pub use slices::Slices;

use crate::event::CellIndex;

/// The folder in a run directory that holds scripts, the list of jobs and the output of tasks.
const FOLDER: &str = "slurm";

/// The file that lists the jobs that were sent, one JSON object a line.
const JOBS: &str = "jobs.jsonl";

/// The number of tasks that cells are spread over if the user names no number of cells a task. Slurm takes about a
/// second to start a task.
const USUAL_TASKS: usize = 100;

/// The reason why cells were not sent to Slurm.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The run has no cell that is left to train.
    #[error("{run_dir}: every cell has ended; there is nothing to send")]
    NothingLeft {
        /// The run directory.
        run_dir: String,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {why}")]
    Write {
        /// The file or folder.
        path: String,
        /// The error of the system.
        why: io::Error,
    },
    /// `sbatch` is not on this machine.
    #[error("cannot run `{program}`: {why}; `sharptui submit` needs Slurm, and `--dry-run` only prints the script")]
    NoSlurm {
        /// The program.
        program: String,
        /// The error of the system.
        why: io::Error,
    },
    /// `sbatch` refused the job.
    #[error("sbatch refused the job: {said}")]
    Refused {
        /// Its message.
        said: String,
    },
}

/// A job that was sent, as recorded in the run directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentJob {
    /// The number of the job in Slurm; its tasks are `JOB_0`, `JOB_1`, …
    pub job: u64,
    /// The cells of each of its tasks, as text: "3-7,12".
    pub slices: Vec<String>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The run directory.
    pub run_dir: PathBuf,
    /// The cells to train, in ascending order.
    pub cells: Vec<CellIndex>,
    /// The number of cells of a task; none for a usual number.
    pub cells_per_task: Option<usize>,
    /// The script, without its slices.
    pub script: Script,
    /// Further arguments of `sbatch`.
    pub sbatch: Vec<String>,
}

impl Submission {
    /// Returns the slices of the tasks.
    fn slices(&self) -> Slices {
        let each = self
            .cells_per_task
            .unwrap_or_else(|| self.cells.len().div_ceil(USUAL_TASKS))
            .max(1);
        Slices::of(&self.cells, each)
    }

    /// Returns the text of the script.
    #[must_use]
    pub fn script_text(&self) -> String {
        self.script.text(&self.run_dir, &self.slices())
    }

    /// Writes the script into the run directory and sends it: as one array, or as several where the cluster allows only
    /// smaller ones. Returns the jobs.
    ///
    /// # Errors
    ///
    /// Returns an error if there is nothing to send, a file cannot be written, or Slurm refuses the job.
    pub fn send(&self) -> Result<Vec<SentJob>, SubmitError> {
        if self.cells.is_empty() {
            let run_dir = self.run_dir.display().to_string();
            return Err(SubmitError::NothingLeft { run_dir });
        }
        let folder = self.run_dir.join(FOLDER);
        fs::create_dir_all(&folder).map_err(|why| write_error(&folder, why))?;
        let path = free_name(&folder);
        fs::write(&path, self.script_text()).map_err(|why| write_error(&path, why))?;
        let slices = self.slices();
        let largest = slurm::largest_array().unwrap_or(usize::MAX);
        let mut sent = Vec::new();
        for (number, tasks) in slices.texts().chunks(largest).enumerate() {
            let job = slurm::sbatch(&path, tasks.len(), number * largest, &self.sbatch)?;
            let job = SentJob {
                job,
                slices: tasks.to_vec(),
            };
            remember(&folder, &job)?;
            sent.push(job);
        }
        Ok(sent)
    }
}

/// Returns a name for the script that no earlier submission has.
fn free_name(folder: &Path) -> PathBuf {
    let mut path = folder.join("job.sh");
    let mut count = 1;
    while path.exists() {
        count += 1;
        path = folder.join(format!("job-{count}.sh"));
    }
    path
}

/// Appends a job to the list in the run directory.
fn remember(folder: &Path, job: &SentJob) -> Result<(), SubmitError> {
    use std::io::Write;

    let path = folder.join(JOBS);
    let mut line = serde_json::to_vec(job).map_err(|why| write_error(&path, why.into()))?;
    line.push(b'\n');
    let file = fs::OpenOptions::new().create(true).append(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(&line).and_then(|()| file.sync_all()));
    written.map_err(|why| write_error(&path, why))
}

/// Returns the jobs that were sent for a run, in order. Damaged lines are left out.
#[must_use]
pub fn sent_jobs(run_dir: &Path) -> Vec<SentJob> {
    let text = fs::read_to_string(run_dir.join(FOLDER).join(JOBS)).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn write_error(path: &Path, why: io::Error) -> SubmitError {
    SubmitError::Write {
        path: path.display().to_string(),
        why,
    }
}
