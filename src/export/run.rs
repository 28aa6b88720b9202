//! A run directory that is read for an export, once or while it grows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ExportError;
use super::clock::{Anchor, Clock};
use crate::config::{Added, Experiment};
use crate::event::{CellIndex, Point};
use crate::record::{self, CellSummary, MergedLog, MetricsReader, RunState};

/// A run.
pub(super) struct Run {
    path: PathBuf,
    base: Experiment,
    /// The name of the run directory.
    pub(super) name: String,
    /// The name of the sweep.
    pub(super) sweep: String,
    /// When it started, from `run.json`; empty if that cannot be read.
    pub(super) started: String,
    /// Every cell in queue order.
    pub(super) cells: Vec<Cell>,
    log: MergedLog,
}

/// A cell of the run, with the place up to which its metrics were read.
pub(super) struct Cell {
    pub(super) index: CellIndex,
    /// The settings that the sweep varies.
    pub(super) swept: Vec<(String, String)>,
    /// All settings.
    pub(super) settings: Vec<(&'static str, String)>,
    /// Number of its probes.
    pub(super) probes: usize,
    pub(super) clock: Clock,
    /// How it ended, if it has.
    pub(super) ended: Option<CellSummary>,
    path: PathBuf,
    reader: MetricsReader,
    /// Whether its folder was there at the last look.
    is_there: bool,
    /// Whether it has ended for good and every point was read.
    is_read: bool,
}

/// The reader of the points of a run.
pub(super) trait Sink {
    /// The points of this cell follow from the first. If it begins anew, the points of it that were read before are void.
    ///
    /// # Errors
    /// The operating system reports an error.
    fn begin(&mut self, run: &Run, cell: &Cell, is_anew: bool) -> Result<(), ExportError>;

    /// Takes in the next point of a cell.
    ///
    /// # Errors
    /// The operating system reports an error.
    fn point(&mut self, run: &Run, cell: &Cell, point: &Point) -> Result<(), ExportError>;

    /// Every point of the cell was read, and it has ended as [`Cell::ended`] says.
    ///
    /// # Errors
    /// The operating system reports an error.
    fn end(&mut self, _run: &Run, _cell: &Cell) -> Result<(), ExportError> {
        Ok(())
    }
}

impl Run {
    /// Opens a run without its lock: it may go on meanwhile.
    pub(super) fn open(path: &Path) -> Result<Self, ExportError> {
        let base = Experiment::load(&record::find_config(path)?)?;
        let mut run = Self {
            path: path.to_owned(),
            name: folder_name(path).unwrap_or_else(|| base.name.clone()),
            sweep: base.name.clone(),
            started: record::read_run(path).map_or_else(|_| String::new(), |info| info.started),
            cells: Vec::new(),
            log: MergedLog::new(path),
            base,
        };
        run.look()?;
        Ok(run)
    }

    /// Returns whether nobody trains the run any more.
    pub(super) fn has_ended(&self) -> bool {
        let is_held = || record::read_claims(&self.path).is_ok_and(|claims| claims.iter().any(record::Seen::may_live));
        match record::read_run(&self.path).map(|info| info.state) {
            Ok(RunState::Complete | RunState::Failed(_)) => !is_held(),
            // A run that was made for tasks is stopped until every cell has ended.
            Ok(RunState::Stopped) => {
                let has_begun = self.cells.iter().any(|cell| cell.is_there);
                has_begun && record::is_being_written(&self.path) != Some(true) && !is_held()
            }
            // Its process was killed.
            Ok(RunState::Running) => record::is_being_written(&self.path) == Some(false) && !is_held(),
            // The file may be on a file system that is away for a moment.
            Err(_) => false,
        }
    }

    /// Returns the cells without any measurement that was read.
    pub(super) fn unmeasured(&self) -> Vec<CellIndex> {
        let empty = self.cells.iter().filter(|cell| !cell.reader.has_read());
        empty.map(|cell| cell.index).collect()
    }

    /// Returns whether a cell has not ended for good.
    pub(super) fn has_cells_left(&self) -> bool {
        self.cells.iter().any(|cell| !cell.is_read)
    }

    /// Takes in the queue, the log and the endings of cells.
    fn look(&mut self) -> Result<(), ExportError> {
        let queue = record::read_queue(&self.path, self.base.cells.len())?;
        if self.cells.is_empty() || self.cells.len() < self.base.cells.len() + queue.added.len() {
            let added = queue.added.iter().map(|added| Added {
                like: added.like,
                seed: added.seed,
                values: added.values.clone(),
            });
            let all = self
                .base
                .clone()
                .with_added(added, &self.path.join("queue.json"))?
                .cells;
            for (index, planned) in all.into_iter().enumerate().skip(self.cells.len()) {
                let path = record::cell_path(&self.path, index);
                self.cells.push(Cell {
                    index,
                    settings: planned.settings.entries(),
                    probes: planned.settings.probes.len(),
                    swept: planned.swept,
                    clock: Clock::default(),
                    ended: None,
                    reader: MetricsReader::new(&path),
                    path,
                    is_there: false,
                    is_read: false,
                });
            }
        }
        loop {
            let (entries, more) = self.log.read();
            for entry in entries {
                let cell = entry.cell.and_then(|cell| self.cells.get_mut(cell));
                if let Some(cell) = cell
                    && cell.clock.take(&entry)
                {
                    // A cell that had ended may run again.
                    cell.is_read = false;
                }
            }
            if !more {
                break;
            }
        }
        let open: BTreeSet<CellIndex> = self
            .cells
            .iter()
            .filter(|cell| !cell.is_read)
            .map(|cell| cell.index)
            .collect();
        let found = record::read_cells_of(&self.path, |cell| open.contains(&cell))?;
        for cell in self.cells.iter_mut().filter(|cell| !cell.is_read) {
            (cell.is_there, cell.ended) = (false, None);
        }
        for found in found {
            if let Some(cell) = self.cells.get_mut(found.cell) {
                (cell.is_there, cell.ended) = (true, found.ended);
                cell.settle();
            }
        }
        Ok(())
    }

    /// Passes every new point to `sink`, cell by cell. Returns the cells that began anew.
    pub(super) fn read(&mut self, sink: &mut impl Sink) -> Result<Vec<CellIndex>, ExportError> {
        self.look()?;
        let mut anew = Vec::new();
        for index in 0..self.cells.len() {
            while !self.cells[index].is_read {
                let is_first = !self.cells[index].reader.has_read();
                let found = self.cells[index].reader.read()?;
                let (run, cell) = (&*self, &self.cells[index]);
                if found.begins_anew {
                    anew.push(index);
                }
                if found.begins_anew || (is_first && !found.points.is_empty()) {
                    sink.begin(run, cell, found.begins_anew)?;
                }
                for point in &found.points {
                    sink.point(run, cell, point)?;
                }
                if found.more {
                    continue;
                }
                if cell.ended.as_ref().is_some_and(|ended| !ended.ending.is_run_again()) {
                    sink.end(run, cell)?;
                    self.cells[index].is_read = true;
                }
                break;
            }
        }
        Ok(anew)
    }

    /// Forgets which points were read.
    pub(super) fn rewind(&mut self) {
        for cell in &mut self.cells {
            cell.reader = MetricsReader::new(&cell.path);
            cell.is_read = false;
        }
    }
}

impl Cell {
    /// Brings the clock up to date.
    fn settle(&mut self) {
        self.clock.begin_at(record::begun_at(&self.path));
        let anchor = || {
            let (at, seconds) = match &self.ended {
                Some(ended) => (self.clock.ended()?, ended.summary.seconds),
                None => (
                    record::measured_at(&self.path)?,
                    record::read_progress(&self.path).seconds,
                ),
            };
            Some(Anchor { at, seconds })
        };
        let anchor = if self.clock.needs_anchor() { anchor() } else { None };
        self.clock.settle(anchor);
    }
}

fn folder_name(path: &Path) -> Option<String> {
    Some(path.canonicalize().ok()?.file_name()?.to_string_lossy().into_owned())
}
