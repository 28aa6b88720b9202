//! Reading a run directory.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{At, json};
use super::{RecordError, RunInfo, cell_path, names};
use crate::event::{CellEnding, CellIndex, Summary};
use crate::quantity::{LAMBDA_MAX, LAMBDA_RESIDUAL, TEST_ACCURACY, TEST_LOSS, THRESHOLD, TRAIN_ACCURACY, TRAIN_LOSS};

/// Size limit of `run.json`, which contains up to 10,000 seeds and a configuration.
const MOST_RUN_BYTES: u64 = 16 << 20;

/// Size limit of `cell.json` and `summary.json`. They take some hundred bytes, and parsing JSON takes up to thirty
/// times the memory of its text.
const MOST_CELL_BYTES: u64 = 1 << 20;

/// How a cell ended: its `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellSummary {
    /// The ending.
    pub ending: CellEnding,
    /// Its last values.
    #[serde(flatten)]
    pub summary: Summary,
}

/// A cell that has started, so that it has a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct CellFound {
    /// Which cell.
    pub cell: CellIndex,
    /// Its folder.
    pub path: PathBuf,
    /// How it ended; none while it runs, or if the program was killed.
    pub ended: Option<CellSummary>,
}

impl CellFound {
    /// Returns whether the cell need not run again.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.ended.as_ref().is_some_and(|ended| !ended.ending.is_run_again())
    }
}

/// Returns every cell that has started, in queue order.
///
/// # Errors
/// A folder or a summary cannot be read.
pub fn read_cells(run_dir: &Path) -> Result<Vec<CellFound>, RecordError> {
    read_cells_of(run_dir, |_| true)
}

/// Returns every one of these cells that has started, in queue order.
///
/// # Errors
/// A folder or a summary cannot be read.
pub fn read_cells_of(run_dir: &Path, is_wanted: impl Fn(CellIndex) -> bool) -> Result<Vec<CellFound>, RecordError> {
    let folder = run_dir.join(names::CELLS);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.at("list", &folder)?,
    };
    let mut cells = Vec::new();
    for entry in entries {
        let path = entry.at("list", &folder)?.path();
        // Other folders are earlier attempts or belong to somebody else.
        let cell = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        let Some(cell) = cell.filter(|cell| is_wanted(*cell)) else {
            continue;
        };
        // Read without checking for existence first: a continuing cell may remove the file at any time.
        let ended = match read_summary(&path) {
            Ok(ended) => Some(ended),
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(error),
        };
        cells.push(CellFound { cell, path, ended });
    }
    cells.sort_by_key(|found| found.cell);
    Ok(cells)
}

/// Returns the cells that have a folder, without reading any.
///
/// # Errors
/// The folders cannot be listed.
pub fn begun_cells(run_dir: &Path) -> Result<BTreeSet<CellIndex>, RecordError> {
    let folder = run_dir.join(names::CELLS);
    numbers(&folder, |name| name.parse().ok()).at("list", &folder)
}

/// Returns the numbers that `parse` finds in the names of a folder's files.
pub(super) fn numbers<N: Ord>(folder: &Path, parse: impl Fn(&str) -> Option<N>) -> std::io::Result<BTreeSet<N>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    let mut numbers = BTreeSet::new();
    for entry in entries {
        numbers.extend(entry?.file_name().to_str().and_then(&parse));
    }
    Ok(numbers)
}

/// Returns the path of the `config.ron` of a run directory.
///
/// # Errors
/// The folder has no `config.ron`, so it is not a run directory.
pub fn find_config(run_dir: &Path) -> Result<PathBuf, RecordError> {
    let path = run_dir.join(names::CONFIG);
    match fs::metadata(&path) {
        Ok(found) if found.is_file() => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(error).at("read", &path),
        _ => Err(RecordError::NotARun {
            path: run_dir.to_owned(),
        }),
    }
}

/// Reads `config.ron` as text.
///
/// # Errors
/// The file cannot be read.
pub fn read_config(run_dir: &Path) -> Result<String, RecordError> {
    let path = run_dir.join(names::CONFIG);
    fs::read_to_string(&path).at("read", &path)
}

/// Reads `run.json`.
///
/// # Errors
/// The file cannot be read or has unexpected contents.
pub fn read_run(run_dir: &Path) -> Result<RunInfo, RecordError> {
    read_json(&run_dir.join(names::RUN), MOST_RUN_BYTES)
}

/// Reads the `summary.json` of a cell. A λ_max whose measurement failed, and the losses and accuracies of a diverged
/// cell, are NaN.
///
/// # Errors
/// The file cannot be read or has unexpected contents.
pub fn read_summary(cell_dir: &Path) -> Result<CellSummary, RecordError> {
    let mut found: CellSummary =
        read_json(&cell_dir.join(names::SUMMARY), MOST_CELL_BYTES).map_err(|error| match error {
            RecordError::Json { path, reason } => RecordError::Summary { path, reason },
            other => other,
        })?;
    // Earlier versions wrote null both for "not measured" and for "not finite"; other fields distinguish them.
    let CellSummary { ending, summary } = &mut found;
    let was_measured = summary.lambda_step.is_some();
    // A cell is evaluated at the step at which it diverges.
    let was_evaluated = *ending == CellEnding::Diverged;
    let lambda = [LAMBDA_MAX.key, LAMBDA_RESIDUAL].map(|key| (key, was_measured));
    let evaluated =
        [&TRAIN_LOSS, &TRAIN_ACCURACY, &TEST_LOSS, &TEST_ACCURACY].map(|quantity| (quantity.key, was_evaluated));
    for (key, was_there) in lambda.into_iter().chain(evaluated).chain([(THRESHOLD.key, false)]) {
        if !was_there && summary.values.get(key).is_some_and(f64::is_nan) {
            summary.values.remove(key);
        }
    }
    Ok(found)
}

/// Reads the settings of a cell, ordered by name.
///
/// # Errors
/// The file cannot be read or has unexpected contents.
pub fn read_settings(cell_dir: &Path) -> Result<Vec<(String, String)>, RecordError> {
    let settings: Map<String, Value> = read_json(&cell_dir.join(names::CELL), MOST_CELL_BYTES)?;
    let text = |value: Value| {
        if let Value::String(text) = value {
            text
        } else {
            value.to_string()
        }
    };
    Ok(settings.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// Returns when the folder of a cell that started at step 0 got its settings, in seconds since 1970, if its files were not
/// copied since. This is the writer's clock.
#[must_use]
pub fn begun_at(cell_dir: &Path) -> Option<f64> {
    written_at(&cell_dir.join(names::CELL))
}

/// Returns when the last line of the metrics of a cell was written, in seconds since 1970, if the file was not copied
/// since.
#[must_use]
pub fn measured_at(cell_dir: &Path) -> Option<f64> {
    written_at(&cell_dir.join(names::METRICS))
}

fn written_at(path: &Path) -> Option<f64> {
    let written = fs::metadata(path).and_then(|found| found.modified()).ok()?;
    Some(written.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}

/// Returns the time since the last write to the files of a run and the metrics of these cells. It compares the writer's
/// clock with ours.
#[must_use]
pub fn silence(run_dir: &Path, cells: &[CellIndex]) -> Option<Duration> {
    let written = |path: PathBuf| fs::metadata(path).and_then(|found| found.modified()).ok();
    let metrics = cells.iter().map(|cell| cell_path(run_dir, *cell).join(names::METRICS));
    let files = [names::RUN, names::TABLE, names::LOG].map(|name| run_dir.join(name));
    let newest = metrics.chain(files).filter_map(written).max()?;
    SystemTime::now().duration_since(newest).ok()
}

/// Returns the time since the last write to a file. It compares the writer's clock with ours.
#[must_use]
pub fn age(path: &Path) -> Option<Duration> {
    let written = fs::metadata(path).and_then(|found| found.modified()).ok()?;
    // A clock that is ahead of ours has written just now.
    Some(SystemTime::now().duration_since(written).unwrap_or_default())
}

/// Returns the time of day, in seconds since 1970.
#[must_use]
pub fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64()
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path, most_bytes: u64) -> Result<T, RecordError> {
    let mut bytes = Vec::new();
    let file = File::open(path).at("read", path)?;
    file.take(most_bytes + 1).read_to_end(&mut bytes).at("read", path)?;
    if bytes.len() as u64 > most_bytes {
        return Err(RecordError::TooLarge {
            path: path.to_owned(),
            limit_bytes: most_bytes,
        });
    }
    serde_json::from_slice(&bytes).map_err(|error| json(path, &error))
}
