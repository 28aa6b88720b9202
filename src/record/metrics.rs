//! Reading `metrics.jsonl`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Map, Value};

use super::error::{At, shortened};
use super::{RecordError, names};
use crate::event::{Point, Summary};
use crate::quantity;

/// Size limit of a line. A point takes less than a thousand bytes, and parsing JSON takes up to thirty times the memory
/// of its text.
const MOST_LINE_BYTES: u64 = 1 << 16;

/// The contents of a `metrics.jsonl`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// The points, in the order they were written.
    pub points: Vec<Point>,
    /// The last line, if its end is missing: it is being written, or the writer was killed while writing it.
    pub torn: Option<TornLine>,
}

/// An incomplete last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TornLine {
    /// The line number, from 1.
    pub line: u64,
    /// Number of bytes present.
    pub bytes: usize,
}

/// Reads the metrics in the folder of a cell.
///
/// # Errors
/// The file cannot be read, or a line other than an incomplete last line is not a valid point.
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
                "longer than {MOST_LINE_BYTES} bytes, the limit for one point"
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

/// Points that follow those read before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewPoints {
    /// The file is shorter than the part read before, so these points start again from the first.
    pub begins_anew: bool,
    /// The points, in the order they were written.
    pub points: Vec<Point>,
    /// Number of bytes read so far.
    pub read: u64,
    /// Whether more points may follow, because this read reached its size limit.
    pub more: bool,
}

/// Size limit of one read, in bytes.
pub(super) const MOST_AT_ONCE: u64 = 1 << 18;

/// Reads the metrics of a cell, which may still be in training, from byte `read` on. Lines that are not valid points
/// are skipped.
///
/// # Errors
/// The file cannot be read.
pub fn read_points(cell_dir: &Path, read: u64) -> Result<NewPoints, RecordError> {
    let path = cell_dir.join(names::METRICS);
    let mut file = File::open(&path).at("read", &path)?;
    let length = file.metadata().at("read", &path)?.len();
    let begins_anew = length < read;
    let start = if begins_anew { 0 } else { read };
    file.seek(SeekFrom::Start(start)).at("read", &path)?;
    // With this room, one call reads all and one finds the end.
    let room = usize::try_from(length.saturating_sub(start).min(MOST_AT_ONCE)).unwrap_or(0) + 1;
    let mut bytes = Vec::with_capacity(room);
    file.take(MOST_AT_ONCE).read_to_end(&mut bytes).at("read", &path)?;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    // Skip a line that is longer than the limit; waiting for its end might never succeed.
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

/// Returns the last measured values of a cell, from the complete lines of its metrics; the default summary if there are
/// none. Used for a cell that has no `summary.json` because its process was killed.
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

/// Parses one line.
pub(super) fn parse(line: &[u8]) -> Result<Point, String> {
    let fields: Map<String, Value> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let has_lambda = fields.contains_key("lambda_max");
    let has_preconditioned = fields.contains_key("preconditioned_sharpness");
    // A quantity must be a number. Other keys are notes of the user and may have any value, also where a run of another
    // program has a curve of this name.
    let is_quantity = |name: &str| quantity::declared().any(|quantity| quantity.key == name);
    let wrong = fields
        .iter()
        .find(|(name, value)| !value.is_null() && !value.is_number() && is_quantity(name));
    if let Some((name, value)) = wrong {
        return Err(format!("{name} is {value}, not a number"));
    }
    let point: Point = serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())?;
    // serde silently reads a flattened option as absent if one of its fields is malformed.
    if has_lambda && point.lambda.is_none() {
        return Err(
            "lambda_max is present, but lambda_residual, lambda_converged, … are missing or malformed".to_owned(),
        );
    }
    if has_preconditioned && point.preconditioned.is_none() {
        return Err(
            "preconditioned_sharpness is present, but preconditioned_residual, … are missing or malformed".to_owned(),
        );
    }
    Ok(point)
}
