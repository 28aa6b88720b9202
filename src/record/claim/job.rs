//! A Slurm job, and whether it has ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::programs::{Answer, PATIENCE, answer};

/// A Slurm job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: String,
    /// The array job with its task, `17_3`, if it is a task of an array.
    #[serde(default)]
    pub task: Option<String>,
    /// How often Slurm has started it again.
    #[serde(default)]
    pub restarts: u32,
}

impl Job {
    /// Returns the job that this process is part of.
    pub(in super::super) fn of_this_process() -> Option<Self> {
        let read = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let array = read("SLURM_ARRAY_JOB_ID").zip(read("SLURM_ARRAY_TASK_ID"));
        Some(Self {
            id: read("SLURM_JOB_ID")?,
            task: array.map(|(job, task)| format!("{job}_{task}")),
            restarts: read("SLURM_RESTART_COUNT")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
        })
    }

    /// Returns the name that Slurm's programs show.
    #[must_use]
    pub fn name(&self) -> &str {
        self.task.as_deref().unwrap_or(&self.id)
    }

    /// Returns whether Slurm says that the job has ended, or was started again since. False if Slurm cannot be asked, or
    /// does not know the job. Answers are remembered for some seconds.
    pub(super) fn has_ended(&self) -> bool {
        // Slurm's programs get nothing else as an argument.
        if self.id.is_empty() || !self.id.bytes().all(|letter| letter.is_ascii_digit()) {
            return false;
        }
        let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |at: &Instant| at.elapsed() < KEPT;
        if asked.silent.as_ref().is_some_and(is_new) {
            return false;
        }
        let known = asked.answers.get(self).filter(|(at, _)| is_new(at));
        if let Some((_, ended)) = known {
            return *ended;
        }
        let begun = Instant::now();
        let ended = self.ask();
        if begun.elapsed() >= PATIENCE {
            asked.silent = Some(Instant::now());
        }
        asked.answers.insert(self.clone(), (Instant::now(), ended));
        ended
    }

    fn ask(&self) -> bool {
        let id = self.id.as_str();
        match answer("scontrol", &["--oneliner", "show", "job", id]) {
            Answer::Text(shown) => {
                if let Some(ended) = ended_in(&shown, self) {
                    return ended;
                }
            }
            Answer::Silence => return false,
            Answer::Refusal(_) | Answer::Missing => {}
        }
        // The controller forgets a job minutes after its end; accounting does not.
        let options = [
            "--noheader",
            "--parsable2",
            "--allocations",
            "--format=State",
            "--jobs",
            id,
        ];
        match answer("sacct", &options) {
            Answer::Text(listed) => listed.lines().next().is_some_and(is_ended),
            Answer::Refusal(_) | Answer::Missing | Answer::Silence => false,
        }
    }
}

/// What Slurm said lately.
struct Asked {
    answers: BTreeMap<Job, (Instant, bool)>,
    /// When it last did not answer in time.
    silent: Option<Instant>,
}

static ASKED: Mutex<Asked> = Mutex::new(Asked {
    answers: BTreeMap::new(),
    silent: None,
});

/// How long an answer counts, or that there was none.
const KEPT: Duration = Duration::from_secs(30);

/// The states in which a job has no processes any more. A requeued job is pending.
const ENDED: [&str; 11] = [
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PENDING",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
];

/// Reads the answer of `scontrol show job`.
fn ended_in(shown: &str, job: &Job) -> Option<bool> {
    let field = |name: &str| shown.split_whitespace().find_map(|word| word.strip_prefix(name));
    let state = field("JobState=")?;
    let restarts: u32 = field("Restarts=").and_then(|text| text.parse().ok()).unwrap_or(0);
    Some(is_ended(state) || restarts > job.restarts)
}

/// Returns whether a state, such as `CANCELLED by 0`, is one of a job without processes.
fn is_ended(state: &str) -> bool {
    let word = state
        .split(|letter: char| !letter.is_ascii_uppercase() && letter != '_')
        .next();
    word.is_some_and(|word| ENDED.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_has_ended_if_its_state_says_so_or_it_was_started_again() {
        // Lines of `scontrol --oneliner show job` of Slurm 22.05, shortened.
        let shown = |state: &str, restarts: u32| {
            format!(
                "JobId=18 ArrayJobId=17 ArrayTaskId=3 JobName=x JobState={state} Reason=None Restarts={restarts} Cpus=1"
            )
        };
        let job = Job {
            id: "18".to_owned(),
            task: None,
            restarts: 1,
        };
        for (state, restarts, expected) in [
            ("RUNNING", 1, false),
            ("COMPLETING", 1, false),
            ("SUSPENDED", 1, false),
            ("COMPLETED", 1, true),
            ("CANCELLED", 1, true),
            ("PENDING", 2, true),
            ("RUNNING", 2, true),
        ] {
            assert_eq!(
                ended_in(&shown(state, restarts), &job),
                Some(expected),
                "{state}, {restarts}"
            );
        }
        assert_eq!(ended_in("slurm_load_jobs error: Invalid job id specified", &job), None);
        assert!(is_ended("CANCELLED by 0") && is_ended("CANCELLED+") && !is_ended("") && !is_ended("RUNNING"));
    }
}
