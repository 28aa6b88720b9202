//! `metrics.jsonl`, read back.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Map, Value};

use super::error::{At, shortened};
use super::{RecordError, names};
use crate::event::{Point, Summary};
use crate::quantity;

/// A point takes less than a thousand bytes, and until it is understood JSON takes thirty times the memory of its text.
const MOST_LINE_BYTES: u64 = 1 << 16;

/// What a reader found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// The points, in the order they were written.
    pub points: Vec<Point>,
    /// The last line, where its end is missing: the writer is at it now, or was ended in the middle of it.
    pub torn: Option<TornLine>,
}

/// A last line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TornLine {
    /// Which line, from 1.
    pub line: u64,
    /// How much of it is there.
    pub bytes: usize,
}

/// Reads the metrics in the folder of a cell.
///
/// # Errors
/// A file that cannot be read, and a line, other than a torn last one, that is no point.
pub fn read_metrics(cell_dir: &Path) -> Result<Metrics, RecordError> {
    let path = cell_dir.join(names::METRICS);
    let mut file = BufReader::new(File::open(&path).at("read", &path)?);
    let mut found = Metrics::default();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let mut rest = file.by_ref().take(MOST_LINE_BYTES + 1);
        rest.read_until(b'\n', &mut line).at("read", &path)?;
        let wrong = |reason: String| RecordError::MetricsLine {
            path: path.clone(),
            line: number,
            reason: shortened(&reason),
        };
        if line.len() as u64 > MOST_LINE_BYTES {
            return Err(wrong(format!(
                "has more than {MOST_LINE_BYTES} bytes, which no point has"
            )));
        }
        if !line.ends_with(b"\n") {
            found.torn = (!line.is_empty()).then_some(TornLine {
                line: number,
                bytes: line.len(),
            });
            break;
        }
        found.points.push(parse(&line).map_err(wrong)?);
    }
    Ok(found)
}

/// Points that came after what was read before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewPoints {
    /// The file is shorter than what was read: these points are the first.
    pub begins_anew: bool,
    /// The points, in the order they were written.
    pub points: Vec<Point>,
    /// How many bytes have been read in all.
    pub read: u64,
    /// Whether there were more to read at once.
    pub more: bool,
}

/// What is read at once, in bytes.
const MOST_AT_ONCE: u64 = 1 << 18;

/// Reads on in the metrics of a cell that may be in training, after `read` bytes. A line that is no point is passed over.
///
/// # Errors
/// A file that cannot be read.
pub fn read_points(cell_dir: &Path, read: u64) -> Result<NewPoints, RecordError> {
    let path = cell_dir.join(names::METRICS);
    let mut file = File::open(&path).at("read", &path)?;
    let length = file.metadata().at("read", &path)?.len();
    let begins_anew = length < read;
    let start = if begins_anew { 0 } else { read };
    file.seek(SeekFrom::Start(start)).at("read", &path)?;
    let mut bytes = Vec::new();
    file.take(MOST_AT_ONCE).read_to_end(&mut bytes).at("read", &path)?;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    // A line without end would be waited for without end.
    let taken = if whole == 0 && bytes.len() as u64 == MOST_AT_ONCE {
        MOST_AT_ONCE
    } else {
        whole as u64
    };
    let lines = bytes[..whole].split_inclusive(|&byte| byte == b'\n');
    Ok(NewPoints {
        begins_anew,
        points: lines.filter_map(|line| parse(line).ok()).collect(),
        read: start + taken,
        more: bytes.len() as u64 == MOST_AT_ONCE,
    })
}

/// The last values of what was measured in a cell, as far as whole lines tell them; nothing where nothing was measured.
/// For a cell that a process left without a `summary.json`.
#[must_use]
pub fn read_progress(cell_dir: &Path) -> Summary {
    let mut summary = Summary::default();
    let mut read = 0;
    while let Ok(found) = read_points(cell_dir, read) {
        found.points.iter().for_each(|point| summary.take_in(point));
        read = found.read;
        if !found.more {
            break;
        }
    }
    summary
}

/// One line.
fn parse(line: &[u8]) -> Result<Point, String> {
    let fields: Map<String, Value> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let has_lambda = fields.contains_key("lambda_max");
    // A number in words is a mistake; under a key that no quantity has, it is somebody's note.
    let wrong = fields
        .iter()
        .find(|(name, value)| !value.is_null() && !value.is_number() && quantity::of_key(name).is_some());
    if let Some((name, value)) = wrong {
        return Err(format!("{name} is {value}, not a number"));
    }
    let point: Point = serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())?;
    // serde reads a flattened option as absent when one of its fields is wrong, and does not say so.
    if has_lambda && point.lambda.is_none() {
        return Err("lambda_max is there, but lambda_residual, lambda_converged, … are not as expected".to_owned());
    }
    Ok(point)
}
