//! The logs of a run as one: `events.jsonl`, and one in the folder of each task, merged by time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::log::{NewEntries, read_log};
use super::names;
use crate::event::LogEntry;

/// Interval between checks for new tasks.
const LIST_EVERY: Duration = Duration::from_secs(5);

/// Interval between checks of the logs of tasks, and the number of logs that are checked at once: a thousand tasks on a
/// network file system must not be asked all the time.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_AT: usize = 16;

/// Reads all logs of a run while they grow.
///
/// Lines that are read at the same time are in the order of their times. The clocks of different hosts may differ.
#[derive(Debug)]
pub struct MergedLog {
    run_dir: PathBuf,
    /// Number of bytes read of `events.jsonl`.
    read: u64,
    /// The folder of each task, with the number of bytes read of its log.
    tasks: BTreeMap<PathBuf, u64>,
    /// The task that was looked at last.
    last: Option<PathBuf>,
    listed: Option<Instant>,
    looked: Option<Instant>,
}

impl MergedLog {
    /// Returns a reader that begins with the first line of every log.
    #[must_use]
    pub fn new(run_dir: &Path) -> Self {
        Self {
            run_dir: run_dir.to_owned(),
            read: 0,
            tasks: BTreeMap::new(),
            last: None,
            listed: None,
            looked: None,
        }
    }

    /// Returns the lines that were written since the last call, and whether there may be more already. Logs that cannot
    /// be read are skipped: runs of earlier versions have none.
    pub fn read(&mut self) -> (Vec<LogEntry>, bool) {
        let is_first = self.listed.is_none();
        let mut found = read_log(&self.run_dir, self.read).unwrap_or(NewEntries {
            read: self.read,
            ..NewEntries::default()
        });
        self.read = found.read;
        if is_first {
            // Without the whole of each log, nothing can be put in order.
            while found.more {
                let Ok(more) = read_log(&self.run_dir, self.read) else {
                    break;
                };
                self.read = more.read;
                found.more = more.more;
                found.entries.extend(more.entries);
            }
        }
        let is_due = |last: Option<Instant>, every: Duration| last.is_none_or(|last| last.elapsed() >= every);
        if is_due(self.listed, LIST_EVERY) {
            self.listed = Some(Instant::now());
            for task in fs::read_dir(self.run_dir.join(names::TASKS))
                .into_iter()
                .flatten()
                .flatten()
            {
                self.tasks.entry(task.path()).or_insert(0);
            }
        }
        if is_due(self.looked, LOOK_EVERY) {
            self.looked = Some(Instant::now());
            let count = if is_first {
                self.tasks.len()
            } else {
                LOOK_AT.min(self.tasks.len())
            };
            for _ in 0..count {
                self.look_at_next(&mut found.entries);
            }
        }
        found.entries.sort_by(|one, other| one.at.total_cmp(&other.at));
        (found.entries, found.more)
    }

    fn look_at_next(&mut self, entries: &mut Vec<LogEntry>) {
        let after = |last: &PathBuf| self.tasks.keys().find(|task| *task > last);
        let next = self.last.as_ref().and_then(after).or_else(|| self.tasks.keys().next());
        let Some(task) = next.cloned() else { return };
        if let Some(read) = self.tasks.get_mut(&task) {
            let length = fs::metadata(task.join(names::LOG)).map_or(0, |log| log.len());
            while length > *read {
                let Ok(found) = read_log(&task, *read) else { break };
                entries.extend(found.entries);
                let is_stuck = found.read == *read;
                *read = found.read;
                if is_stuck {
                    break;
                }
            }
        }
        self.last = Some(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::LogKind;

    fn write(folder: &Path, at: f64, words: &str) {
        fs::create_dir_all(folder).unwrap();
        let entry = LogEntry {
            at,
            cell: None,
            kind: LogKind::Notice,
            words: words.to_owned(),
        };
        let path = folder.join(names::LOG);
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, before + &serde_json::to_string(&entry).unwrap() + "\n").unwrap();
    }

    #[test]
    fn the_logs_of_a_sweep_and_of_its_tasks_are_one_in_the_order_of_time() {
        let run = tempfile::tempdir().unwrap();
        let task = |name: &str| run.path().join(names::TASKS).join(name);
        write(run.path(), 1.0, "sweep");
        write(run.path(), 4.0, "sweep again");
        write(&task("node1-7"), 2.0, "first task");
        write(&task("node2-7"), 3.0, "second task");
        write(&task("node2-7"), 5.0, "second task again");
        let mut log = MergedLog::new(run.path());
        let words = |entries: Vec<LogEntry>| entries.into_iter().map(|entry| entry.words).collect::<Vec<_>>();
        let all = ["sweep", "first task", "second task", "sweep again", "second task again"];
        assert_eq!(words(log.read().0), all);
        assert!(log.read().0.is_empty());
        write(run.path(), 6.0, "sweep at last");
        assert_eq!(words(log.read().0), ["sweep at last"]);
        write(&task("node1-7"), 7.0, "first task at last");
        (log.looked, log.listed) = (None, Some(Instant::now()));
        assert_eq!(words(log.read().0), ["first task at last"]);
    }
}
