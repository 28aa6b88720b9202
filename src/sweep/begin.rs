//! Prepares a sweep: reads what the run directory has already, and determines which cells are left to run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use sharpness::model::ROUNDING;

use super::broken_off::BrokenOff;
use super::crew::{Circumstances, Crew, Spec, choose};
use super::datasets::Datasets;
use super::disk::{left_at, trained_elsewhere};
use super::error::{SweepError, check_same, check_settings};
use super::queue::{Queue, to_do};
use super::table::Table;
use super::worker::Worker;
use super::{Running, Sweep, queued, queued_row, with_added};
use crate::config::{Experiment, Settings};
use crate::device::OpenDevice;
use crate::event::{CellEnding, CellIndex, CellSize};
use crate::record::{
    self, AlikeCells, CellRow, QueueFile, RowState, RunDir, RunInfo, RunState, Seen, discard, has_checkpoint,
    host_name, read_cells_of, read_config, read_run, rfc3339,
};
use crate::setup;
use crate::train::needs;

impl Sweep {
    /// Writes the plan of the sweep. Cells that are complete in `run_dir` will not run again; failed cells will. While
    /// a cell runs, a checkpoint is written now and then.
    ///
    /// # Errors
    ///
    /// Returns an error if the run directory cannot be read or written, or if the configuration or a data set has
    /// changed since the run began.
    pub fn new(
        experiment: Experiment,
        device: OpenDevice,
        run_dir: RunDir,
        datasets: Datasets,
        running: &Running,
    ) -> Result<Self, SweepError> {
        let earlier = read_run(run_dir.path()).ok();
        if let Some(earlier) = &earlier {
            check_same(earlier, run_dir.config_path(), &experiment, datasets.marks())?;
        }
        let mut notices = notices(&run_dir, earlier.as_ref());
        let (experiment, mut kept) = with_added(experiment, run_dir.path())?;
        let (experiment, more) = with_more(experiment, &mut kept, &run_dir, &running.add)?;
        notices.extend(more.map(|words| (None, words)));
        if run_dir.is_shared() {
            // Only a process that can write `queue.json` can see to it that they run once.
            kept.again.clear();
        }
        let slice = running.cells.clone();
        let is_own = |cell: CellIndex| slice.as_ref().is_none_or(|slice| slice.contains(&cell));
        check_cells(slice.iter().flatten(), experiment.cells.len())?;
        let Found {
            rows,
            broken_off,
            over,
            had_failed,
        } = found(&run_dir, &experiment, running.take_over, is_own)?;
        notices.extend(
            broken_off
                .iter()
                .map(|broken_off| (Some(broken_off.cell), broken_off.words())),
        );
        let sizes: Vec<CellSize> = experiment.cells.iter().map(|cell| size(&cell.settings)).collect();
        let left = rows
            .iter()
            .filter(|row| to_do(&row.state) && is_own(row.cell))
            .map(|row| row.cell);
        let left = left
            .map(|cell| (&experiment.cells[cell].settings, sizes[cell]))
            .collect();
        let threads = earlier.as_ref().and_then(|earlier| earlier.threads);
        let circumstances = Circumstances::here(running.choice, &device, left, threads);
        let chosen = choose(running.runners.as_ref(), &circumstances);
        notices.extend(chosen.words.clone().map(|words| (None, words)));
        notices.extend(datasets.doubts().iter().map(|doubt| (None, doubt.clone())));
        let info = RunInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rounding: ROUNDING,
            device: device.full_name.clone(),
            host: host_name(),
            data_dir: datasets
                .dir()
                .map(|dir| std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned())),
            seeds: seeds(&experiment),
            cells: rows.len(),
            // A resumed run keeps its first starting time.
            started: earlier
                .as_ref()
                .map_or_else(|| rfc3339(SystemTime::now()), |earlier| earlier.started.clone()),
            ended: None,
            state: RunState::Running,
            config: read_config(run_dir.path())?,
            data: datasets.marks().to_vec(),
            sizes: AlikeCells::group(&sizes),
            threads: Some(chosen.threads),
        };
        let run_dir = Arc::new(run_dir);
        let is_to_do = |cell: CellIndex| is_own(cell) && rows.get(cell).is_some_and(|row: &CellRow| to_do(&row.state));
        let name = experiment.name.clone();
        let table = Table::begin(Arc::clone(&run_dir), waiting_rows(&experiment, &rows, &kept))?;
        // In a shared run directory the process that made it has written this.
        if !run_dir.is_shared() || earlier.is_none() {
            run_dir.write_run(&info)?;
        }
        let places = (Arc::clone(&run_dir), table.rows().clone());
        let queue = Queue::new((experiment, sizes), places, &kept, is_to_do, &broken_off);
        let (device_name, is_on_host) = (device.name.clone(), device.on_host);
        let wanted_runners = chosen.devices.len();
        let worker = || Worker::new(Arc::clone(&run_dir), device, datasets, running.keep_every);
        let spec = Spec {
            data: info.data_dir.clone(),
            keep_every: running.keep_every,
        };
        Ok(Self {
            name,
            queue,
            wanted_runners,
            crew: Crew::new(chosen, spec, worker),
            false_starts: 0,
            deaths: BTreeMap::new(),
            aborted: BTreeSet::new(),
            anew: BTreeSet::new(),
            slice,
            elsewhere: BTreeMap::new(),
            over,
            had_failed,
            quit: false,
            device_name,
            is_on_host,
            run_dir,
            info,
            earlier,
            notices,
            rows,
            table,
            broken_off,
        })
    }

    /// Leaves the sweep to other processes, before any cell has begun. The run counts as stopped.
    ///
    /// # Errors
    ///
    /// Returns an error if the run directory cannot be written.
    pub fn leave(mut self) -> Result<(), SweepError> {
        self.info.state = RunState::Stopped;
        Ok(self.run_dir.write_run(&self.info)?)
    }

    /// Withdraws a sweep that cannot start: deletes the run directory if it is new; otherwise restores its `run.json`.
    pub fn withdraw(mut self) {
        if self.run_dir.is_shared() {
            return;
        }
        if self.run_dir.is_new() {
            discard(self.run_dir.path());
            return;
        }
        self.info.state = RunState::Stopped;
        // The caller reports another error.
        let _ = self.run_dir.write_run(self.earlier.as_ref().unwrap_or(&self.info));
    }
}

/// Adds the cells of more values, each `add` such as `seed: [5, 6]`, behind all others, and writes the queue at once: from
/// then on the cells belong to the run, even if this process is killed. Returns a notice about them.
fn with_more(
    mut experiment: Experiment,
    kept: &mut QueueFile,
    run_dir: &RunDir,
    add: &[String],
) -> Result<(Experiment, Option<String>), SweepError> {
    let before = experiment.cells.len();
    for values in add {
        let added = experiment.additions(values)?;
        kept.added.extend(added.iter().map(|added| record::Added {
            like: added.like,
            seed: added.seed,
            values: added.values.clone(),
        }));
        experiment = experiment.with_added(added, &run_dir.path().join("queue.json"))?;
    }
    let after = experiment.cells.len();
    if after == before {
        return Ok((experiment, None));
    }
    kept.order.extend(before..after);
    run_dir.write_queue(kept)?;
    let words = match after - before {
        1 => format!("added cell {before:03}"),
        count => format!("added {count} cells, {before:03} to {:03}", after - 1),
    };
    Ok((experiment, Some(words)))
}

/// Returns notices about the run directory, for the person watching.
fn notices(run_dir: &RunDir, earlier: Option<&RunInfo>) -> Vec<(Option<CellIndex>, String)> {
    // Tasks on several machines are what a shared run directory is for.
    let elsewhere = earlier.filter(|_| !run_dir.is_shared()).and_then(trained_elsewhere);
    let words = run_dir.shortcomings().into_iter().chain(elsewhere);
    let words = words.chain(earlier.and_then(rounded_otherwise));
    words.map(|words| (None, words)).collect()
}

/// What earlier processes left of a sweep.
struct Found {
    rows: Vec<CellRow>,
    broken_off: Vec<BrokenOff>,
    /// The tokens of the claims that the user gave up.
    over: BTreeMap<CellIndex, String>,
    had_failed: BTreeSet<CellIndex>,
}

/// Reads what earlier processes left of the cells that this process sees to.
fn found(
    run_dir: &RunDir,
    experiment: &Experiment,
    take_over: bool,
    is_own: impl Fn(CellIndex) -> bool,
) -> Result<Found, SweepError> {
    let (held, over) = held(run_dir, take_over)?;
    let mut had_failed = BTreeSet::new();
    let mut rows = queued(experiment);
    let mut broken_off = Vec::new();
    for found in read_cells_of(run_dir.path(), is_own)? {
        let row = rows.get_mut(found.cell);
        let Some(row) = row else { continue };
        // Another process may change its folder at any moment.
        let is_held = held.contains(&found.cell);
        run_dir.clear_away(&found)?;
        if found.ended.is_none() && !is_held {
            broken_off.push(BrokenOff::read(found.cell, &found.path));
        }
        let settings = &experiment.cells[found.cell].settings;
        let ending = found.ended.as_ref().map(|ended| ended.ending.clone());
        let ended = ending.clone().map(RowState::Ended).filter(|state| !to_do(state));
        if !is_held && (ended.is_some() || has_checkpoint(&found.path)) {
            check_settings(&found.path, settings)?;
        }
        if matches!(ending, Some(CellEnding::Failed(_))) {
            had_failed.insert(found.cell);
        }
        // The last values of an unfinished cell are shown until it runs again; a failed cell has nothing to show.
        if !matches!(ending, Some(CellEnding::Failed(_))) {
            row.state = ended.unwrap_or(RowState::Ended(CellEnding::Interrupted));
            row.summary = left_at(&found);
        }
    }
    Ok(Found {
        rows,
        broken_off,
        over,
        had_failed,
    })
}

/// Returns the cells that other processes may be training, and the tokens of the claims that the user gave up.
fn held(run_dir: &RunDir, take_over: bool) -> Result<(BTreeSet<CellIndex>, BTreeMap<CellIndex, String>), SweepError> {
    let (mut held, mut over) = (BTreeSet::new(), BTreeMap::new());
    for claim in run_dir.claims()?.into_iter().filter(Seen::may_live) {
        match claim.holder {
            Some(holder) if take_over => drop(over.insert(claim.cell, holder.token)),
            _ => drop(held.insert(claim.cell)),
        }
    }
    Ok((held, over))
}

/// Checks that the run has all these cells.
fn check_cells<'c>(mut asked: impl Iterator<Item = &'c CellIndex>, cells: usize) -> Result<(), SweepError> {
    match asked.find(|cell| **cell >= cells) {
        Some(&cell) => Err(SweepError::NoSuchCell { cell, cells }),
        None => Ok(()),
    }
}

/// Returns the distinct seeds of an experiment, in ascending order.
fn seeds(experiment: &Experiment) -> Vec<u64> {
    let seeds: BTreeSet<u64> = experiment.cells.iter().map(|cell| cell.settings.seed).collect();
    seeds.into_iter().collect()
}

/// Returns the size of a cell with these settings.
fn size(settings: &Settings) -> CellSize {
    let network = setup::network(settings, settings.input_shape(), settings.data.classes());
    CellSize {
        parameters: network.layout().len() as u64,
        memory_bytes: needs(settings, &network, setup::dtype(settings).size()).bytes,
    }
}

/// Returns a notice if an earlier version of this program, which rounds differently, began this run.
fn rounded_otherwise(earlier: &RunInfo) -> Option<String> {
    (earlier.rounding != ROUNDING).then(|| {
        "an earlier version of this program began this run and adds numbers up in another order: results from \
         now on agree with earlier ones up to rounding, not to the last bit"
            .to_owned()
    })
}

/// Returns the rows of the table before the first cell runs. A cell that will run again has no values yet.
fn waiting_rows(experiment: &Experiment, rows: &[CellRow], kept: &QueueFile) -> Vec<CellRow> {
    let mut rows = rows.to_vec();
    for &cell in &kept.again {
        rows[cell] = queued_row(cell, &experiment.cells[cell]);
    }
    for &cell in &kept.left_out {
        rows[cell].state = RowState::Ended(CellEnding::Aborted);
    }
    rows
}
