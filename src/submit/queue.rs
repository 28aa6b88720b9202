//! What Slurm says about the tasks of jobs: one call of `squeue` for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::programs::{Answer, answer_of};

/// Limit of the jobs that are asked about in one call, the latest first: a command line is not endless.
const MOST_JOBS: usize = 500;

/// The columns that are asked for, each followed by a bar.
const COLUMNS: &str = "JobArrayID:|,State:|,Reason:|,RestartCnt:|,NodeList:|";

/// A task of an array, or a job without tasks, as Slurm sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueuedTask {
    /// Its state: `PENDING`, `RUNNING`, `NODE_FAIL`, …
    pub state: String,
    /// Why it waits: `Resources`, `Priority`, …
    pub reason: String,
    /// How often Slurm has started it again.
    pub restarts: u32,
    /// The nodes that it has.
    pub nodes: String,
    /// How its last start before this one ended, if accounting tells: `PREEMPTED`, `NODE_FAIL`, …
    pub before: Option<String>,
}

impl QueuedTask {
    /// Returns whether it waits for its start.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.state == "PENDING"
    }

    /// Returns whether its processes may be alive.
    #[must_use]
    pub fn may_run(&self) -> bool {
        matches!(
            self.state.as_str(),
            "RUNNING" | "COMPLETING" | "CONFIGURING" | "STAGE_OUT" | "SIGNALING" | "STOPPED" | "SUSPENDED" | "RESIZING"
        )
    }
}

/// Asks `squeue` about every task of these jobs. Returns them by name, such as `17_3`. Jobs that Slurm has forgotten are
/// missing: it does so minutes after their end.
///
/// # Errors
///
/// Slurm could not be asked; the text says why.
pub fn ask_queue(jobs: &BTreeSet<u64>) -> Result<BTreeMap<String, QueuedTask>, String> {
    let listed: Vec<String> = jobs.iter().rev().take(MOST_JOBS).map(u64::to_string).collect();
    if listed.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut command = Command::new("squeue");
    // The user's own settings would leave tasks out.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SQUEUE_") {
            command.env_remove(name);
        }
    }
    command.args(["--noheader", "--array", "--states=all"]);
    command.arg(format!("--jobs={}", listed.join(",")));
    command.arg(format!("--Format={COLUMNS}"));
    match answer_of(&mut command) {
        Answer::Text(text) => Ok(text.lines().filter_map(task).collect()),
        // So it answers about a single job that it has forgotten.
        Answer::Refusal(said) if said.contains("Invalid job id") => Ok(BTreeMap::new()),
        Answer::Refusal(said) => Err(format!(
            "`squeue` failed: {}",
            said.lines().next().unwrap_or("without a reason")
        )),
        Answer::Missing => Err("`squeue` is not on this machine".to_owned()),
        Answer::Silence => Err("`squeue` does not answer".to_owned()),
    }
}

fn task(line: &str) -> Option<(String, QueuedTask)> {
    let mut fields = line.split('|').map(str::trim);
    let mut next = || fields.next().map(str::to_owned);
    let (name, state, reason) = (next()?, next()?, next()?);
    let restarts = next()?.parse().unwrap_or(0);
    let nodes = next().unwrap_or_default();
    let task = QueuedTask {
        state,
        reason,
        restarts,
        nodes,
        before: None,
    };
    Some((name, task))
}

/// Asks accounting how earlier starts of tasks ended, and notes it in those that were started again or wait for that.
/// Returns false if accounting cannot be asked; many clusters have none.
pub fn ask_accounting(tasks: &mut BTreeMap<String, QueuedTask>) -> bool {
    let is_again = |task: &QueuedTask| task.is_pending() && task.restarts > 0;
    let names: BTreeSet<&str> = tasks
        .iter()
        .filter(|(_, task)| is_again(task))
        .filter_map(|(name, _)| name.split('_').next())
        .filter(|job| !job.is_empty() && job.bytes().all(|letter| letter.is_ascii_digit()))
        .collect();
    if names.is_empty() {
        return true;
    }
    let jobs: Vec<&str> = names.into_iter().rev().take(MOST_JOBS).collect();
    let mut command = Command::new("sacct");
    command.args(["--noheader", "--parsable2", "--allocations", "--duplicates"]);
    command.arg("--format=JobID,State");
    command.arg(format!("--jobs={}", jobs.join(",")));
    let Answer::Text(text) = answer_of(&mut command) else {
        return false;
    };
    for line in text.lines() {
        let Some((name, state)) = line.split_once('|') else {
            continue;
        };
        // "CANCELLED by 0"
        let state = state.split_whitespace().next().unwrap_or_default();
        if let Some(task) = tasks.get_mut(name).filter(|task| is_again(task))
            && !matches!(state, "" | "PENDING" | "RUNNING" | "REQUEUED")
        {
            task.before = Some(state.to_owned());
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_squeue_are_read() {
        // Lines of Slurm 22.05.
        let (name, pending) = task("1_2|PENDING|Resources|0||").unwrap();
        assert_eq!((name.as_str(), pending.reason.as_str()), ("1_2", "Resources"));
        assert!(pending.is_pending() && !pending.may_run());
        let (_, running) = task("1_0|RUNNING|None|3|vm|").unwrap();
        assert!(running.may_run());
        assert_eq!((running.restarts, running.nodes.as_str()), (3, "vm"));
        assert_eq!(task("slurm_load_jobs error: Invalid job id specified"), None);
    }
}
