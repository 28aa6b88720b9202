//! What Slurm says about the tasks of a run, asked at most every half minute, on a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::programs::PATIENCE;
use crate::submit::{QueuedTask, ask_accounting, ask_queue};

/// The time between two calls of Slurm's programs for a run.
const ASK_EVERY: Duration = Duration::from_secs(30);

/// Interval between looks whether the first answer is there.
const GLANCE: Duration = Duration::from_millis(10);

/// What Slurm said.
#[derive(Debug)]
pub(super) struct Said {
    /// When it was asked.
    pub(super) asked: Instant,
    /// The tasks by name, such as `17_3`. After a failure these are the ones of the answer before.
    pub(super) tasks: BTreeMap<String, QueuedTask>,
    /// Why it could not be asked the last time.
    pub(super) trouble: Option<String>,
}

impl Said {
    /// Returns whether a task waits or runs.
    pub(super) fn is_any_left(&self) -> bool {
        self.tasks.values().any(|task| task.is_pending() || task.may_run())
    }
}

/// The last answer about a run.
#[derive(Default)]
struct Known {
    said: Option<Arc<Said>>,
    /// When it was asked last; none before.
    asked: Option<Instant>,
    is_asking: bool,
}

/// For each run that this process has asked about: a screen that finds its source again asks no sooner.
static KNOWN: Mutex<BTreeMap<PathBuf, Known>> = Mutex::new(BTreeMap::new());

/// Whether accounting could not be asked. It is not asked again.
static HAS_NO_ACCOUNTING: AtomicBool = AtomicBool::new(false);

/// Returns the last answer about these jobs, without waiting. If it is old, asks again meanwhile.
pub(super) fn said(run_dir: &Path, jobs: &BTreeSet<u64>) -> Option<Arc<Said>> {
    if jobs.is_empty() {
        return None;
    }
    let mut all = locked();
    let known = all.entry(run_dir.to_owned()).or_default();
    let is_due = known.asked.is_none_or(|asked| asked.elapsed() >= ASK_EVERY);
    if is_due && !known.is_asking {
        (known.is_asking, known.asked) = (true, Some(Instant::now()));
        let (place, jobs, before) = (run_dir.to_owned(), jobs.clone(), known.said.clone());
        let started = thread::Builder::new()
            .name("slurm".to_owned())
            .spawn(move || note(&place, ask(&jobs, before)));
        known.is_asking = started.is_ok();
    }
    known.said.clone()
}

/// Returns the last answer about these jobs; waits for the first one.
pub(super) fn first_said(run_dir: &Path, jobs: &BTreeSet<u64>) -> Option<Arc<Said>> {
    let since = Instant::now();
    loop {
        let found = said(run_dir, jobs);
        let is_asking = locked().get(run_dir).is_some_and(|known| known.is_asking);
        if found.is_some() || !is_asking || since.elapsed() > 2 * PATIENCE {
            return found;
        }
        thread::sleep(GLANCE);
    }
}

fn locked() -> MutexGuard<'static, BTreeMap<PathBuf, Known>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(run_dir: &Path, said: Said) {
    if let Some(known) = locked().get_mut(run_dir) {
        (known.said, known.is_asking) = (Some(Arc::new(said)), false);
    }
}

fn ask(jobs: &BTreeSet<u64>, before: Option<Arc<Said>>) -> Said {
    let asked = Instant::now();
    match ask_queue(jobs) {
        Ok(mut tasks) => {
            if !HAS_NO_ACCOUNTING.load(Ordering::Relaxed) && !ask_accounting(&mut tasks) {
                HAS_NO_ACCOUNTING.store(true, Ordering::Relaxed);
            }
            Said {
                asked,
                tasks,
                trouble: None,
            }
        }
        Err(trouble) => Said {
            asked: before.as_ref().map_or(asked, |before| before.asked),
            tasks: before.map_or_else(BTreeMap::new, |before| before.tasks.clone()),
            trouble: Some(trouble),
        },
    }
}
