//! `run.json`: what ran, where and since when.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::event::{CellIndex, CellSize, SweepEnding, any_path};

/// What `run.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Version of this program.
    pub version: String,
    /// Which rounding its numbers have, as the network's operations count it; 1 where it does not say.
    #[serde(default = "first_rounding")]
    pub rounding: u32,
    /// What it runs on, in words for people.
    pub device: String,
    /// Name of the machine, see [`host_name`].
    pub host: String,
    /// Where data sets were looked for, if the user said so.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "any_path::option")]
    pub data_dir: Option<PathBuf>,
    /// The seeds of its cells, each once.
    pub seeds: Vec<u64>,
    /// Number of cells.
    pub cells: usize,
    /// When the run began, see [`rfc3339`].
    pub started: String,
    /// When it ended, if it has.
    pub ended: Option<String>,
    /// How far it is.
    pub state: RunState,
    /// `config.ron` as it was when the run began.
    #[serde(default)]
    pub config: String,
    /// The data sets as they were when the run began, in the order of the cells that use them.
    #[serde(default)]
    pub data: Vec<DataMark>,
    /// How large its cells are, in queue order. Runs of earlier versions do not say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<AlikeCells>,
}

/// Neighbouring cells of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlikeCells {
    /// How many.
    pub cells: usize,
    /// The size of each.
    #[serde(flatten)]
    pub size: CellSize,
}

impl RunInfo {
    /// How large a cell is, if it says so.
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
    /// The sizes of cells in queue order, neighbours of one size together.
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

/// What tells a data set from another of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataMark {
    /// What was taken of which data set, in words for people.
    pub set: String,
    /// CRC-32 of the examples taken: labels, then standardized pixels.
    pub crc32: String,
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It runs, or was killed.
    Running,
    /// Every cell has ended.
    Complete,
    /// It was stopped with cells unfinished.
    Stopped,
    /// It could not go on; the words say why.
    Failed(String),
}

impl RunState {
    /// How the sweep ended, unless it goes on or its process was killed.
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

/// The name of this machine, "unknown" where it does not say.
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

/// A time as in RFC 3339, in UTC, to the second: `2026-11-24T10:57:03Z`. Times before 1970 are taken as 1970.
///
/// Days to year, month and day by Howard Hinnant, "chrono-compatible low-level date algorithms" (`civil_from_days`).
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years are counted from March, so that the leap day is the last day of one; eras are 400 years.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_those_of_date() {
        // Each by `date -u -d @SECONDS +%FT%TZ`.
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_517_823, "2026-11-24T10:57:03Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }
}
