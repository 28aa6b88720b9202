//! The folder of a task: a process that trains some cells of a run beside other processes.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::claim::Job;
use super::error::At;
use super::read::read_json;
use super::run_info::{host_name, rfc3339};
use super::{RecordError, names, replace};

/// Size limit of `task.json`: the list of its cells may be long.
const MOST_BYTES: u64 = 1 << 20;

/// The contents of `task.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// Name of its machine.
    pub host: String,
    /// Its process ID.
    pub pid: u32,
    /// The device that it trains on, for people.
    pub device: String,
    /// The cells that it was given, as on the command line.
    pub cells: String,
    /// Its Slurm job, if it is part of one.
    #[serde(default)]
    pub job: Option<Job>,
    /// When it started.
    pub started: String,
}

impl TaskInfo {
    /// Returns this process as a task.
    #[must_use]
    pub fn this_process(device: &str, cells: &str) -> Self {
        Self {
            host: host_name(),
            pid: std::process::id(),
            device: device.to_owned(),
            cells: cells.to_owned(),
            job: Job::of_this_process(),
            started: rfc3339(SystemTime::now()),
        }
    }
}

/// Returns the name and the contents of the newest task folder of a process; none if the process is no task.
#[must_use]
pub fn read_task(run_dir: &Path, host: &str, pid: u32) -> Option<(String, TaskInfo)> {
    let plain = plain_name(host, pid);
    let names = (1u32..).map(|count| numbered(&plain, count));
    let read = |name: String| {
        let path = run_dir.join(names::TASKS).join(&name).join(names::TASK);
        read_json(&path, MOST_BYTES).ok().map(|task| (name, task))
    };
    names.map_while(read).last()
}

fn plain_name(host: &str, pid: u32) -> String {
    format!("{}-{pid}", host.replace(['/', '\\'], "_"))
}

fn numbered(plain: &str, count: u32) -> String {
    if count == 1 {
        plain.to_owned()
    } else {
        format!("{plain}-{count}")
    }
}

/// Creates the folder of a task. Returns its path relative to the run directory: `tasks/HOST-PID`, or with `-2`, `-3`, …
/// if an earlier process had the same name.
pub(super) fn create(run_dir: &Path, task: &TaskInfo) -> Result<PathBuf, RecordError> {
    let tasks = run_dir.join(names::TASKS);
    fs::create_dir_all(&tasks).at("create the folder", &tasks)?;
    let plain = plain_name(&task.host, task.pid);
    for count in 1u32.. {
        let name = numbered(&plain, count);
        let path = tasks.join(&name);
        match fs::create_dir(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => {
                made.at("create the folder", &path)?;
                replace::replace_json(&path.join(names::TASK), task)?;
                return Ok(Path::new(names::TASKS).join(name));
            }
        }
    }
    Err(RecordError::Name { name: plain })
}
