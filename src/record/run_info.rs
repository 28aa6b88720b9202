//! `run.json`: which program ran, where, and since when.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::event::{CellIndex, CellSize, SweepEnding, any_path};

/// The contents of `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Version of the program.
    pub version: String,
    /// Version of the rounding of its numbers, as counted by the network's operations; 1 if it is missing.
    #[serde(default = "first_rounding")]
    pub rounding: u32,
    /// Device that it runs on, as text for people.
    pub device: String,
    /// Name of the machine, see [`host_name`].
    pub host: String,
    /// Folder of the data sets, if the user gave one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "any_path::option")]
    pub data_dir: Option<PathBuf>,
    /// The distinct seeds of its cells.
    pub seeds: Vec<u64>,
    /// Number of cells.
    pub cells: usize,
    /// Start time, see [`rfc3339`].
    pub started: String,
    /// End time; none while it runs.
    pub ended: Option<String>,
    /// Its state.
    pub state: RunState,
    /// The text of `config.ron` when the run started.
    #[serde(default)]
    pub config: String,
    /// Checksums of the data sets when the run started, in the order of the cells that use them.
    #[serde(default)]
    pub data: Vec<DataMark>,
    /// Sizes of its cells, in queue order. Empty for runs of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<AlikeCells>,
    /// Number of CPU threads of each of its runners; none for runs of earlier versions. Results may depend on it in their
    /// last bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
}

/// Consecutive cells of equal size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlikeCells {
    /// Number of cells.
    pub cells: usize,
    /// The size of each.
    #[serde(flatten)]
    pub size: CellSize,
}

impl RunInfo {
    /// Returns the size of a cell, if it was recorded.
    #[must_use]
    pub fn size(&self, cell: CellIndex) -> Option<CellSize> {
        let mut before = 0;
        let found = self.sizes.iter().find(|alike| {
            before += alike.cells;
            cell < before
        });
        found.map(|alike| alike.size)
    }
}

impl AlikeCells {
    /// Groups the sizes of cells in queue order: consecutive equal sizes become one entry.
    #[must_use]
    pub fn group(sizes: &[CellSize]) -> Vec<Self> {
        let groups = sizes.chunk_by(|one, next| one == next);
        groups
            .map(|group| Self {
                cells: group.len(),
                size: group[0],
            })
            .collect()
    }
}

fn first_rounding() -> u32 {
    1
}

/// Identifies the contents of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataMark {
    /// The data set and the part that is used, as text for people.
    pub set: String,
    /// CRC-32 of the examples used: labels, then standardized pixels.
    pub crc32: String,
}

/// The state of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It is running, or its process was killed.
    Running,
    /// Every cell has ended.
    Complete,
    /// It was stopped with cells unfinished.
    Stopped,
    /// It could not continue; the text says why.
    Failed(String),
}

impl RunState {
    /// Returns how the sweep ended; none if it is running or its process was killed.
    #[must_use]
    pub fn ending(self) -> Option<SweepEnding> {
        match self {
            Self::Running => None,
            Self::Complete => Some(SweepEnding::Complete),
            Self::Stopped => Some(SweepEnding::Stopped),
            Self::Failed(why) => Some(SweepEnding::Failed(why)),
        }
    }
}

/// Returns the name of this machine, or "unknown".
#[must_use]
pub fn host_name() -> String {
    let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let names = files.into_iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let mut names = names
        .chain(std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned());
    names
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Formats a time as in RFC 3339, in UTC, to the second: `2026-11-24T10:57:03Z`. Times before 1970 become 1970.
///
/// The conversion of days to year, month and day is `civil_from_days` in Howard Hinnant, "chrono-compatible low-level
/// date algorithms".
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years start in March, so that the leap day is the last day of a year; eras have 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z",
        second % 60
    )
}

/// Formats a time in seconds since 1970 as in RFC 3339, in UTC, to the millisecond: `2026-11-24T10:57:03.250Z`. None if it
/// is not a time after 1970.
#[must_use]
pub fn rfc3339_millis(seconds: f64) -> Option<String> {
    // As a whole number: a time of day in seconds as `f64` may lie just below its millisecond.
    let millis = (seconds * 1e3).round();
    let is_time = (0.0..u64::MAX as f64).contains(&millis);
    let since = Duration::from_millis(is_time.then_some(millis as u64)?);
    let whole = rfc3339(UNIX_EPOCH.checked_add(since)?);
    let second = whole.strip_suffix('Z')?;
    Some(format!("{second}.{:03}Z", since.subsec_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_date() {
        // Expected values from `date -u -d @SECONDS +%FT%TZ`.
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_517_823, "2026-11-24T10:57:03Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
        for milli in 0..1000 {
            let seconds = 1_795_517_823.0 + f64::from(milli) / 1e3;
            assert_eq!(
                rfc3339_millis(seconds).unwrap(),
                format!("2026-11-24T10:57:03.{milli:03}Z")
            );
        }
        let millis = [1_795_517_823.249_6, -1.0, f64::NAN, 1e300].map(rfc3339_millis);
        assert_eq!(millis, [Some("2026-11-24T10:57:03.250Z".to_owned()), None, None, None]);
    }
}
