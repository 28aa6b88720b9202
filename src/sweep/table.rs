//! Writes `summary.csv` while cells train. A separate thread writes it, so that changes of state reach the file within
//! a second or two, whatever is running.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::survey::Survey;
use crate::event::CellIndex;
use crate::record::{CellRow, RecordError, RowState, RunDir};

/// The least time between two writes.
const EVERY: Duration = Duration::from_secs(1);

/// The least time between two writes of a task, which reads the cells of other tasks before each: a change of state,
/// and new values.
const TASK_EVERY: Duration = Duration::from_secs(10);
const TASK_VALUES_EVERY: Duration = Duration::from_mins(1);

/// The least time between two writes if the state of a cell has changed, as a multiple of the time of the last write.
const LEAST_INTERVAL: u32 = 2;

/// The same multiple if only the values of the running cell have changed.
const LEAST_INTERVAL_OF_VALUES: u32 = 25;

/// The rate at which the table is written if only values of the running cell have changed, in bytes per second: a table
/// of some hundred cells is written every second, one of ten thousand cells twice a minute.
const VALUES_BYTES_PER_SECOND: f64 = 65_536.0;

/// The table, with the thread that writes it. The thread ends when this is dropped.
pub(super) struct Table {
    rows: Rows,
    thread: Option<JoinHandle<()>>,
}

/// The rows of the table. Changing them never waits for the disk.
#[derive(Clone)]
pub(super) struct Rows(Arc<Shared>);

struct Shared {
    run_dir: Arc<RunDir>,
    changes: Mutex<Changes>,
    /// Tells the thread that there is something to write, or that it must end.
    woken: Condvar,
    /// What was written last. The lock is held during a write, and is taken before that of `changes`.
    written: Mutex<Written>,
}

struct Written {
    /// The rows at the last attempt to write.
    rows: Vec<CellRow>,
    /// The cells whose rows are read from the files of other processes.
    foreign: BTreeSet<CellIndex>,
    survey: Survey,
}

/// Changes that are not in the file yet.
struct Changes {
    rows: BTreeMap<CellIndex, Change>,
    /// The most urgent kind among the changes.
    kind: Option<Kind>,
    last: Write,
    is_over: bool,
    /// Whether this is the table of a task.
    is_shared: bool,
}

/// The last attempt to write the table.
struct Write {
    ended: Instant,
    took: Duration,
    bytes: usize,
    has_failed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Values,
    State,
}

enum Change {
    Row(Box<CellRow>),
    /// The row of a cell that another process has.
    Foreign(Box<CellRow>),
    State(RowState),
}

impl Table {
    /// Writes the table of these rows, and starts the thread that keeps it up to date.
    ///
    /// # Errors
    /// Returns the error of writing.
    pub(super) fn begin(run_dir: Arc<RunDir>, rows: Vec<CellRow>) -> Result<Self, RecordError> {
        // A task does not know the other cells yet.
        let last = if run_dir.is_shared() {
            Write {
                ended: Instant::now(),
                took: Duration::ZERO,
                bytes: 0,
                has_failed: false,
            }
        } else {
            let (last, result) = Write::of(&run_dir, &rows);
            result?;
            last
        };
        let changes = Changes {
            rows: BTreeMap::new(),
            kind: None,
            last,
            is_over: false,
            is_shared: run_dir.is_shared(),
        };
        let foreign = if run_dir.is_shared() {
            (0..rows.len()).collect()
        } else {
            BTreeSet::new()
        };
        let shared = Arc::new(Shared {
            run_dir,
            changes: Mutex::new(changes),
            woken: Condvar::new(),
            written: Mutex::new(Written {
                rows,
                foreign,
                survey: Survey::default(),
            }),
        });
        let own = Arc::clone(&shared);
        // Without the thread, the table is written when cells begin and end.
        let thread = thread::Builder::new()
            .name("table".to_owned())
            .spawn(move || own.keep())
            .ok();
        Ok(Self {
            rows: Rows(shared),
            thread,
        })
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Writes the changes that are not in the file yet.
    ///
    /// # Errors
    /// Returns the error of writing.
    pub(super) fn write(&self) -> Result<(), RecordError> {
        self.rows.0.write()
    }

    /// Writes the table after reading the cells of other processes, and returns its rows.
    ///
    /// # Errors
    /// Returns the error of writing.
    pub(super) fn write_all(&self) -> Result<Vec<CellRow>, RecordError> {
        lock(&self.rows.0.changes).kind = Some(Kind::State);
        self.rows.0.write()?;
        Ok(lock(&self.rows.0.written).rows.clone())
    }

    /// Writes the table if the last write failed, and returns the error if it fails again.
    ///
    /// # Errors
    /// Returns the error of writing.
    pub(super) fn check(&self) -> Result<(), RecordError> {
        if self.thread.is_none() {
            return self.write();
        }
        self.rows.check()
    }
}

impl Write {
    fn of(run_dir: &RunDir, rows: &[CellRow]) -> (Self, Result<(), RecordError>) {
        let begun = Instant::now();
        let result = run_dir.write_table(rows);
        let write = Self {
            ended: Instant::now(),
            took: begun.elapsed(),
            bytes: *result.as_ref().unwrap_or(&0),
            has_failed: result.is_err(),
        };
        (write, result.map(drop))
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        lock(&self.rows.0.changes).is_over = true;
        self.rows.0.woken.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Rows {
    /// Puts the row of a cell that has begun, ended or been added.
    pub(super) fn put(&self, row: CellRow) {
        self.0.take(row.cell, Change::Row(Box::new(row)), Kind::State);
    }

    /// Puts the row of a cell that another process has. From now on it is read from the files.
    pub(super) fn put_elsewhere(&self, row: CellRow) {
        self.0.take(row.cell, Change::Foreign(Box::new(row)), Kind::State);
    }

    /// Puts the last values of a running cell.
    pub(super) fn put_values(&self, row: CellRow) {
        self.0.take(row.cell, Change::Row(Box::new(row)), Kind::Values);
    }

    /// Puts the state of a cell that waits, is held, or will be left out.
    pub(super) fn put_state(&self, cell: CellIndex, state: RowState) {
        self.0.take(cell, Change::State(state), Kind::State);
    }

    /// Writes the table if the last write failed, and returns the error if it fails again.
    ///
    /// # Errors
    /// Returns the error of writing.
    pub(super) fn check(&self) -> Result<(), RecordError> {
        let has_failed = lock(&self.0.changes).last.has_failed;
        if has_failed { self.0.write() } else { Ok(()) }
    }
}

impl Shared {
    fn take(&self, cell: CellIndex, change: Change, kind: Kind) {
        let mut changes = lock(&self.changes);
        match (changes.rows.get_mut(&cell), change) {
            (Some(Change::Row(row) | Change::Foreign(row)), Change::State(state)) => row.state = state,
            (_, change) => drop(changes.rows.insert(cell, change)),
        }
        // The thread is already waiting for a change that is as urgent; it need not be woken again.
        if changes.kind < Some(kind) {
            changes.kind = Some(kind);
            self.woken.notify_all();
        }
    }

    /// Writes the table if anything has changed. After an error, the next [`Rows::check`] tries again and returns the
    /// error, too.
    fn write(&self) -> Result<(), RecordError> {
        let mut written = lock(&self.written);
        let Written { rows, foreign, survey } = &mut *written;
        {
            let mut changes = lock(&self.changes);
            if changes.kind.take().is_none() && !changes.last.has_failed {
                return Ok(());
            }
            for (cell, change) in std::mem::take(&mut changes.rows) {
                match &change {
                    Change::Row(_) => drop(foreign.remove(&cell)),
                    Change::Foreign(_) => drop(foreign.insert(cell)),
                    Change::State(_) => {}
                }
                match (rows.get_mut(cell), change) {
                    (Some(row), Change::Row(new) | Change::Foreign(new)) => *row = *new,
                    (Some(row), Change::State(state)) => row.state = state,
                    // Cells are added in order, so a new cell's row is the next one.
                    (None, Change::Row(new) | Change::Foreign(new)) => rows.push(*new),
                    (None, Change::State(_)) => {}
                }
            }
        }
        survey.look(&self.run_dir, rows, foreign);
        let (last, result) = Write::of(&self.run_dir, rows);
        lock(&self.changes).last = last;
        result
    }
}

impl Changes {
    /// Returns when the changes must be written, if there are any.
    fn due(&self) -> Option<Instant> {
        let last = &self.last;
        // A failed write is repeated until it succeeds.
        let kind = if last.has_failed { Kind::State } else { self.kind? };
        let interval = match kind {
            Kind::State => last.took * LEAST_INTERVAL,
            Kind::Values => {
                let worth = Duration::from_secs_f64(last.bytes as f64 / VALUES_BYTES_PER_SECOND);
                worth.max(last.took * LEAST_INTERVAL_OF_VALUES)
            }
        };
        let least = match (self.is_shared, kind) {
            (false, _) => EVERY,
            (true, Kind::State) => TASK_EVERY,
            (true, Kind::Values) => TASK_VALUES_EVERY,
        };
        Some(last.ended + interval.max(least))
    }
}

impl Shared {
    /// Writes the table whenever it is due, until the table is dropped.
    fn keep(&self) {
        let mut changes = lock(&self.changes);
        while !changes.is_over {
            let now = Instant::now();
            changes = match changes.due() {
                None => self.woken.wait(changes).unwrap_or_else(PoisonError::into_inner),
                Some(due) if due > now => {
                    let woken = self.woken.wait_timeout(changes, due - now);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    drop(changes);
                    // The training thread finds the error with `check`, and waits until the disk can be written.
                    let _ = self.write();
                    lock(&self.changes)
                }
            };
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the time until a change of this kind is written, if the last write took `took` for `bytes` bytes.
    fn interval(kind: Option<Kind>, took: Duration, bytes: usize, has_failed: bool) -> Option<Duration> {
        let ended = Instant::now();
        let changes = Changes {
            rows: BTreeMap::new(),
            kind,
            last: Write {
                ended,
                took,
                bytes,
                has_failed,
            },
            is_over: false,
            is_shared: false,
        };
        changes.due().map(|due| due - ended)
    }

    #[test]
    fn states_are_written_within_a_second_and_values_of_a_large_table_less_often() {
        let (fast, slow) = (Duration::from_millis(2), Duration::from_millis(700));
        let (small, large) = (20_000, 2_000_000);
        assert_eq!(interval(None, fast, small, false), None);
        for bytes in [small, large] {
            assert_eq!(interval(Some(Kind::State), fast, bytes, false), Some(EVERY));
            assert_eq!(interval(None, fast, bytes, true), Some(EVERY));
        }
        assert_eq!(interval(Some(Kind::Values), fast, small, false), Some(EVERY));
        let rarely = interval(Some(Kind::Values), fast, large, false).unwrap();
        assert!(
            rarely > Duration::from_secs(25) && rarely < Duration::from_secs(40),
            "{rarely:?}"
        );
        // On a slow disk, writing takes only a part of the time.
        assert_eq!(interval(Some(Kind::State), slow, small, false), Some(slow * 2));
        assert_eq!(interval(Some(Kind::Values), slow, small, false), Some(slow * 25));
    }
}
