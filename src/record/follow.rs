//! Reading `metrics.jsonl` to the last line, again and again while it is written.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{At, shortened};
use super::metrics::{MOST_AT_ONCE, NewPoints, parse};
use super::{RecordError, names};

/// The number of bytes before the place of reading that are compared. A line has its time to the nanosecond, so another
/// line differs in them.
const COMPARED: usize = 128;

/// Reads the metrics of a cell from the first point on, while they are written.
///
/// A cell that continues from its checkpoint cuts its metrics, and a cell that runs again has a new file. The file may
/// have grown beyond its former length until the next read, so the bytes before the place of reading are compared with
/// those that were read.
#[derive(Debug)]
pub struct MetricsReader {
    path: PathBuf,
    /// Number of bytes read, and number of lines.
    read: u64,
    lines: u64,
    /// The last bytes that were read.
    last: Vec<u8>,
}

impl MetricsReader {
    /// Returns a reader that begins with the first point. The file need not exist.
    #[must_use]
    pub fn new(cell_dir: &Path) -> Self {
        Self {
            path: cell_dir.join(names::METRICS),
            read: 0,
            lines: 0,
            last: Vec::new(),
        }
    }

    /// Returns the points that follow those read before, up to a size limit. If the points read before are no longer
    /// those of the file, returns the first ones, see [`NewPoints::begins_anew`].
    ///
    /// # Errors
    /// The file cannot be read, or a complete line is not a valid point.
    pub fn read(&mut self) -> Result<NewPoints, RecordError> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let begins_anew = self.rewind();
                return Ok(NewPoints {
                    begins_anew,
                    ..NewPoints::default()
                });
            }
            file => file.at("read", &self.path)?,
        };
        let bytes = self.bytes(&mut file)?;
        // Compared after reading: what was read is then a continuation.
        if self.continues(&file) {
            return self.take(&bytes);
        }
        let begins_anew = self.rewind();
        let bytes = self.bytes(&mut file)?;
        let points = self.take(&bytes)?;
        Ok(NewPoints { begins_anew, ..points })
    }

    /// Returns whether points were read that are still those of the file, as far as is known.
    #[must_use]
    pub fn has_read(&self) -> bool {
        self.read > 0
    }

    fn bytes(&self, file: &mut File) -> Result<Vec<u8>, RecordError> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.read)).at("read", &self.path)?;
        file.take(MOST_AT_ONCE).read_to_end(&mut bytes).at("read", &self.path)?;
        Ok(bytes)
    }

    fn continues(&self, file: &File) -> bool {
        let mut before = vec![0; self.last.len()];
        let at = self.read - self.last.len() as u64;
        file.read_exact_at(&mut before, at).is_ok() && before == self.last
    }

    /// Goes back to the first point. Returns whether points were read.
    fn rewind(&mut self) -> bool {
        let had_read = self.read > 0;
        (self.read, self.lines) = (0, 0);
        self.last.clear();
        had_read
    }

    fn take(&mut self, bytes: &[u8]) -> Result<NewPoints, RecordError> {
        let more = bytes.len() as u64 == MOST_AT_ONCE;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let wrong = |line: u64, reason: &str| RecordError::MetricsLine {
            path: self.path.clone(),
            line,
            reason: shortened(reason),
        };
        if whole == 0 && more {
            let reason = format!("longer than {MOST_AT_ONCE} bytes, the limit for one point");
            return Err(wrong(self.lines + 1, &reason));
        }
        let mut points = Vec::new();
        for (line, number) in bytes[..whole].split_inclusive(|&byte| byte == b'\n').zip(1..) {
            points.push(parse(line).map_err(|reason| wrong(self.lines + number, &reason))?);
        }
        self.read += whole as u64;
        self.lines += points.len() as u64;
        if whole > 0 {
            self.last = bytes[whole.saturating_sub(COMPARED)..whole].to_vec();
        }
        Ok(NewPoints {
            begins_anew: false,
            points,
            read: self.read,
            more,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn lines(steps: impl Iterator<Item = u64>, loss: f64) -> String {
        let line =
            |step| format!("{{\"step\":{step},\"epoch\":0.0,\"seconds\":{step}.000000001,\"train_loss\":{loss}}}\n");
        steps.map(line).collect()
    }

    fn steps(reader: &mut MetricsReader) -> (bool, Vec<u64>) {
        let found = reader.read().unwrap();
        (found.begins_anew, found.points.iter().map(|point| point.step).collect())
    }

    #[test]
    fn points_are_read_once_and_a_torn_line_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(names::METRICS);
        let mut reader = MetricsReader::new(folder.path());
        assert_eq!(steps(&mut reader), (false, vec![]));
        let all = lines(0..3, 0.5);
        fs::write(&path, &all[..all.len() - 9]).unwrap();
        assert_eq!(steps(&mut reader), (false, vec![0, 1]));
        assert_eq!(steps(&mut reader), (false, vec![]));
        fs::write(&path, &all).unwrap();
        assert_eq!(steps(&mut reader), (false, vec![2]));
    }

    #[test]
    fn a_file_that_was_cut_or_replaced_is_read_again_also_if_it_has_grown_since() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(names::METRICS);
        let mut reader = MetricsReader::new(folder.path());
        fs::write(&path, lines(0..5, 0.5)).unwrap();
        assert_eq!(steps(&mut reader).1.len(), 5);
        // Cut after two lines; of the lines written since, one ends where reading ended.
        fs::write(&path, lines(0..2, 0.5) + &lines(2..8, 0.7)).unwrap();
        assert_eq!(steps(&mut reader), (true, (0..8).collect()));
        fs::write(&path, lines(0..1, 0.5)).unwrap();
        assert_eq!(steps(&mut reader), (true, vec![0]));
        fs::remove_file(&path).unwrap();
        assert_eq!(steps(&mut reader), (true, vec![]));
        assert_eq!(steps(&mut reader), (false, vec![]));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(names::METRICS), lines(0..2, 0.5) + "{\"step\":1}\n").unwrap();
        let said = MetricsReader::new(folder.path()).read().unwrap_err().to_string();
        assert!(said.contains("metrics.jsonl, line 3"), "{said}");
    }
}
