//! `events.jsonl`: the log of a run for people, one event per line.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::error::At;
use super::{RecordError, names};
use crate::event::{CellIndex, LogEntry, LogKind};

/// Length limit of one message, in characters.
const MOST_WORDS: usize = 2_000;

/// Size limit of one read, in bytes.
const MOST_AT_ONCE: u64 = 1 << 18;

/// Appends to the log. A line that cannot be written is skipped: training never fails because of its log.
#[derive(Clone, Debug)]
pub struct Logbook {
    path: PathBuf,
}

impl Logbook {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Writes a line with the current time.
    pub fn write(&self, kind: LogKind, cell: Option<CellIndex>, words: &str) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let entry = LogEntry {
            at: (since.as_secs_f64() * 1e3).round() / 1e3,
            cell,
            kind,
            words: words.chars().take(MOST_WORDS).collect(),
        };
        let Ok(mut line) = serde_json::to_vec(&entry) else {
            return;
        };
        line.push(b'\n');
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        let _ = file.and_then(|mut file| file.write_all(&line));
    }
}

/// Lines that follow those read before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewEntries {
    /// The lines, in the order they were written.
    pub entries: Vec<LogEntry>,
    /// Number of bytes read so far.
    pub read: u64,
    /// Whether more lines may follow, because this read reached its size limit.
    pub more: bool,
}

/// Reads the log of a run, which may still be running, from byte `read` on. Lines that are not valid are skipped.
///
/// # Errors
/// The file cannot be read.
pub fn read_log(run_dir: &Path, read: u64) -> Result<NewEntries, RecordError> {
    let path = run_dir.join(names::LOG);
    let mut file = File::open(&path).at("read", &path)?;
    file.seek(SeekFrom::Start(read)).at("read", &path)?;
    let mut bytes = Vec::new();
    file.take(MOST_AT_ONCE).read_to_end(&mut bytes).at("read", &path)?;
    let more = bytes.len() as u64 == MOST_AT_ONCE;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    // Skip a line that is longer than the limit; waiting for its end might never succeed.
    let taken = if whole == 0 && more { bytes.len() } else { whole };
    let lines = bytes[..whole].split_inclusive(|&byte| byte == b'\n');
    Ok(NewEntries {
        entries: lines.filter_map(|line| serde_json::from_slice(line).ok()).collect(),
        read: read + taken as u64,
        more,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_on_from_where_reading_ended_and_a_torn_one_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(names::LOG);
        assert!(read_log(folder.path(), 0).is_err(), "no log exists yet");
        let log = Logbook::at(path.clone());
        log.write(LogKind::Begun, Some(3), "begins");
        std::fs::write(
            &path,
            [std::fs::read(&path).unwrap(), b"no line\n{\"at\":1".to_vec()].concat(),
        )
        .unwrap();
        let first = read_log(folder.path(), 0).unwrap();
        assert_eq!((first.entries.len(), first.more), (1, false));
        assert_eq!(
            (first.entries[0].cell, first.entries[0].words.as_str()),
            (Some(3), "begins")
        );
        std::fs::write(
            &path,
            [
                std::fs::read(&path).unwrap(),
                br#","kind":"Notice","words":"x"}"#.to_vec(),
                b"\n".to_vec(),
            ]
            .concat(),
        )
        .unwrap();
        let second = read_log(folder.path(), first.read).unwrap();
        assert_eq!(second.entries.len(), 1);
        assert_eq!(second.entries[0].kind, LogKind::Notice);
    }

    #[test]
    fn a_line_that_cannot_be_written_is_left_out_and_later_ones_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run").join(names::LOG);
        let log = Logbook::at(path.clone());
        log.write(LogKind::Notice, None, "while the folder is not there");
        assert!(!path.exists());
        std::fs::create_dir_all(&path).unwrap();
        log.write(LogKind::Notice, None, "while a folder stands in its place");
        std::fs::remove_dir(&path).unwrap();
        log.write(LogKind::Ended, Some(7), "with everything in place");
        let found = read_log(path.parent().unwrap(), 0).unwrap();
        let said: Vec<_> = found
            .entries
            .iter()
            .map(|e| (e.kind, e.cell, e.words.as_str()))
            .collect();
        assert_eq!(said, [(LogKind::Ended, Some(7), "with everything in place")]);
        assert_eq!(found.read, std::fs::metadata(&path).unwrap().len());
    }

    #[test]
    fn a_line_has_the_time_of_day_in_seconds_and_its_first_two_thousand_characters() {
        let folder = tempfile::tempdir().unwrap();
        let log = Logbook::at(folder.path().join(names::LOG));
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let before = now();
        log.write(LogKind::Warning, None, &"λ".repeat(2_001));
        let entry = read_log(folder.path(), 0).unwrap().entries.remove(0);
        // The time is rounded to milliseconds.
        assert!((before - 0.001..=now() + 0.001).contains(&entry.at), "{}", entry.at);
        assert_eq!(entry.words, "λ".repeat(2_000));
    }

    #[test]
    fn a_long_log_is_read_in_parts_and_a_line_without_end_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(names::LOG);
        let log = Logbook::at(path.clone());
        // 300 lines of 2 kB are more than twice the size limit of one read.
        for line in 0..300 {
            log.write(LogKind::Notice, Some(line), &"x".repeat(2_000));
        }
        let length = std::fs::metadata(&path).unwrap().len();
        let (mut cells, mut read, mut parts) = (Vec::new(), 0, 0);
        loop {
            let part = read_log(folder.path(), read).unwrap();
            cells.extend(part.entries.iter().filter_map(|entry| entry.cell));
            (read, parts) = (part.read, parts + 1);
            if !part.more {
                break;
            }
        }
        assert_eq!(cells, (0..300).collect::<Vec<_>>());
        assert_eq!((read, parts), (length, 3));
        let without_end = vec![b'x'; 1 << 18];
        std::fs::write(&path, &without_end).unwrap();
        let part = read_log(folder.path(), 0).unwrap();
        assert_eq!((part.entries.len(), part.read, part.more), (0, 1 << 18, true));
    }
}
