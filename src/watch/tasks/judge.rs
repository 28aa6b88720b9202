//! How a cell stands, from its claim, from Slurm, and from the clock of this process.

use std::time::{Duration, Instant};

use super::slurm::Said;
use crate::event::{Standing, StandingKind};
use crate::record::Holder;
use crate::submit::QueuedTask;

/// The time without a change after which a cell counts as silent. A checkpoint changes its folder every minute.
const SILENT: Duration = Duration::from_mins(5);

/// What is known of the claim of a cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claimed<'a> {
    /// The process that holds it; none if the claim cannot be read.
    pub(super) holder: Option<&'a Holder>,
    /// Whether that was a process of this host, and has ended.
    pub(super) is_dead: bool,
    /// Whether somebody has paused the cell from this screen.
    pub(super) is_paused: bool,
    /// When this process first saw the claim.
    pub(super) seen: Instant,
    /// How long the files of the cell have not changed.
    pub(super) silent: Duration,
}

/// How a claimed cell stands; none if it simply runs. The second value is whether nobody trains it any more.
pub(super) fn claimed(claim: Claimed, said: Option<&Said>) -> Option<(Standing, bool)> {
    if claim.is_dead {
        let process = claim.holder.map_or_else(|| "its process".to_owned(), process);
        return Some((
            standing(StandingKind::Died, format!("{process} has ended without a word")),
            true,
        ));
    }
    let job = claim.holder.and_then(|holder| holder.job.as_ref());
    // An answer that is older than the claim is about an earlier start.
    let said = said.filter(|said| said.asked > claim.seen);
    let task = job.and_then(|job| Some((job, said?.tasks.get(job.name())?)));
    if let Some((job, task)) = task {
        let name = job.name();
        if task.is_pending() {
            return Some((pending(name, task), true));
        }
        if !task.may_run() {
            return Some((ended(name, task), true));
        }
        if task.restarts > job.restarts {
            let words = format!("job {name} was started again, and has not got to it yet");
            return Some((standing(StandingKind::Waiting, words), true));
        }
        if task.state == "SUSPENDED" {
            let words = format!("Slurm has suspended job {name}");
            return Some((standing(StandingKind::Suspended, words), false));
        }
    }
    let is_silent = claim.silent >= SILENT && !claim.is_paused;
    is_silent.then(|| {
        let says = task.map_or_else(String::new, |(job, task)| {
            format!("; Slurm says that job {} is {}", job.name(), task.state.to_lowercase())
        });
        let time = rounded(claim.silent);
        let words = format!("silent for {time}: its files have not changed, by the clock of this computer{says}");
        (standing(StandingKind::Silent, words), false)
    })
}

/// How a cell stands that nobody has claimed and that has not ended. `sent` are its tasks in Slurm, `running` is a task
/// that runs and has it.
pub(super) fn unclaimed(sent: &[String], running: Option<&str>, said: Option<&Said>) -> Option<Standing> {
    if let Some(task) = running {
        return Some(standing(
            StandingKind::Waiting,
            format!("waits in task {task}, which runs"),
        ));
    }
    let tasks = || {
        sent.iter()
            .rev()
            .filter_map(|name| Some((name, said?.tasks.get(name)?)))
    };
    if let Some((name, task)) = tasks().find(|(_, task)| task.may_run()) {
        let words = format!("waits in job {name}, which runs on {}", task.nodes);
        return Some(standing(StandingKind::Waiting, words));
    }
    if let Some((name, task)) = tasks().find(|(_, task)| task.is_pending()) {
        return Some(pending(name, task));
    }
    let (name, task) = tasks().next()?;
    Some(ended(name, task))
}

/// How a cell stands whose task waits in Slurm.
fn pending(name: &str, task: &QueuedTask) -> Standing {
    let reason = &task.reason;
    let (kind, words) = match (task.restarts, task.before.as_deref()) {
        (0, _) => (
            StandingKind::Pending,
            format!("pending in Slurm: job {name} ({reason})"),
        ),
        (_, Some("PREEMPTED")) => (
            StandingKind::Preempted,
            format!("preempted: job {name} is pending again ({reason})"),
        ),
        (_, Some("NODE_FAIL" | "BOOT_FAIL")) => (
            StandingKind::NodeLost,
            format!("node lost: job {name} is pending again ({reason})"),
        ),
        _ => (
            StandingKind::Requeued,
            format!("requeued after preemption, a time limit or a lost node: job {name} is pending ({reason})"),
        ),
    };
    standing(kind, words)
}

/// How a cell stands whose task has ended without it.
fn ended(name: &str, task: &QueuedTask) -> Standing {
    let state = &task.state;
    let (kind, what) = match state.as_str() {
        "NODE_FAIL" | "BOOT_FAIL" => (StandingKind::NodeLost, format!("node lost: job {name} has ended")),
        "PREEMPTED" => (StandingKind::Preempted, format!("preempted: job {name} has ended")),
        _ => (
            StandingKind::JobEnded,
            format!("job {name} has ended ({state}) without it"),
        ),
    };
    standing(
        kind,
        format!("{what}; `sharptui submit` on the run directory sends the cell again"),
    )
}

fn standing(kind: StandingKind, words: String) -> Standing {
    Standing { kind, words }
}

fn process(holder: &Holder) -> String {
    format!("process {} on {}", holder.pid, holder.host)
}

/// Returns a time in words that do not change every second: "6 min", "25 min", "3 h".
fn rounded(time: Duration) -> String {
    match time.as_secs() / 60 {
        minutes @ 0..10 => format!("{minutes} min"),
        minutes @ 10..120 => format!("{} min", minutes / 5 * 5),
        minutes => format!("{} h", minutes / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::record::Job;

    fn holder(restarts: u32) -> Holder {
        let job = Job {
            id: "20".to_owned(),
            task: Some("17_3".to_owned()),
            restarts,
        };
        let text = format!(
            r#"{{"host":"node7","pid":42,"device":"","token":"","since":"","job":{}}}"#,
            serde_json::to_string(&job).unwrap()
        );
        serde_json::from_str(&text).unwrap()
    }

    fn said(state: &str, restarts: u32, before: Option<&str>) -> Said {
        let task = QueuedTask {
            state: state.to_owned(),
            reason: "Resources".to_owned(),
            restarts,
            nodes: "node7".to_owned(),
            before: before.map(str::to_owned),
        };
        Said {
            asked: Instant::now(),
            tasks: BTreeMap::from([("17_3".to_owned(), task)]),
            trouble: None,
        }
    }

    #[test]
    fn slurm_tells_running_pending_preempted_lost_and_ended_tasks_apart() {
        use StandingKind::{JobEnded, NodeLost, Pending, Preempted, Requeued, Suspended, Waiting};

        let holder = holder(1);
        let claim = |silent| Claimed {
            holder: Some(&holder),
            is_dead: false,
            is_paused: false,
            seen: Instant::now(),
            silent,
        };
        let (fresh, sent) = (claim(Duration::ZERO), ["17_3".to_owned()]);
        for (state, restarts, before, of_claimed, of_unclaimed) in [
            ("RUNNING", 1, None, None, Waiting),
            ("COMPLETING", 1, None, None, Waiting),
            ("RUNNING", 2, None, Some((Waiting, true)), Waiting),
            ("SUSPENDED", 1, None, Some((Suspended, false)), Waiting),
            ("PENDING", 0, None, Some((Pending, true)), Pending),
            ("PENDING", 2, None, Some((Requeued, true)), Requeued),
            ("PENDING", 2, Some("PREEMPTED"), Some((Preempted, true)), Preempted),
            ("PENDING", 2, Some("NODE_FAIL"), Some((NodeLost, true)), NodeLost),
            ("NODE_FAIL", 1, None, Some((NodeLost, true)), NodeLost),
            ("PREEMPTED", 1, None, Some((Preempted, true)), Preempted),
            ("TIMEOUT", 1, None, Some((JobEnded, true)), JobEnded),
        ] {
            let said = said(state, restarts, before);
            let found = claimed(fresh, Some(&said)).map(|(standing, is_gone)| (standing.kind, is_gone));
            assert_eq!(found, of_claimed, "{state} {restarts}");
            let found = unclaimed(&sent, None, Some(&said)).unwrap();
            assert_eq!(found.kind, of_unclaimed, "{state} {restarts}");
            assert!(found.words.contains("17_3"), "{}", found.words);
        }
        // An answer from before the claim is about an earlier start, and nothing is known of another job.
        let old = said("PENDING", 1, None);
        assert_eq!(claimed(claim(Duration::ZERO), Some(&old)), None);
        assert_eq!(unclaimed(&["18_3".to_owned()], None, Some(&old)), None);
        let waits = unclaimed(&sent, Some("node7-41"), Some(&old)).unwrap();
        assert_eq!(waits.kind, Waiting);
    }

    #[test]
    fn without_slurm_a_cell_is_silent_by_the_readers_clock_or_its_process_is_dead() {
        let holder = holder(0);
        let mut claim = Claimed {
            holder: Some(&holder),
            is_dead: false,
            is_paused: false,
            seen: Instant::now(),
            silent: Duration::from_secs(379),
        };
        let (silent, is_gone) = claimed(claim, None).unwrap();
        assert_eq!((silent.kind, is_gone), (StandingKind::Silent, false));
        assert!(silent.words.contains("silent for 6 min") && silent.words.contains("clock of this computer"));
        claim.is_paused = true;
        assert_eq!(claimed(claim, None), None);
        claim.is_dead = true;
        let (died, is_gone) = claimed(claim, None).unwrap();
        assert_eq!((died.kind, is_gone), (StandingKind::Died, true));
        assert!(died.words.contains("process 42 on node7"), "{}", died.words);
        let words: Vec<String> = [5, 59, 130].map(|minutes| rounded(Duration::from_mins(minutes))).into();
        assert_eq!(words, ["5 min", "55 min", "2 h"]);
    }
}
