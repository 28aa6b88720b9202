//! `metrics.jsonl`, read back.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Map, Value};

use super::error::{At, shortened};
use super::{RecordError, names};
use crate::event::{LambdaPoint, Point, Summary};

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

/// One line. A number that was not finite is null on disk; it comes back as NaN, so that "measured, and not finite"
/// and "not measured" stay apart.
fn parse(line: &[u8]) -> Result<Point, String> {
    let mut fields: Map<String, Value> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let has_lambda = fields.contains_key("lambda_max");
    let mut not_finite = Vec::new();
    let mut stand_in = Point {
        lambda: Some(LambdaPoint::default()),
        ..Point::default()
    };
    for (name, value) in &mut fields {
        if value.is_null() && number(&mut stand_in, name).is_some() {
            *value = Value::from(0);
            not_finite.push(name.clone());
        }
    }
    let mut point: Point = serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())?;
    // serde reads a flattened option as absent when one of its fields is wrong, and does not say so.
    if has_lambda && point.lambda.is_none() {
        return Err("lambda_max is there, but lambda_residual, lambda_converged, … are not as expected".to_owned());
    }
    for name in not_finite {
        if let Some(number) = number(&mut point, &name) {
            *number = f64::NAN;
        }
    }
    Ok(point)
}

/// The number of this name, if there is one that may be null.
fn number<'a>(point: &'a mut Point, name: &str) -> Option<&'a mut f64> {
    Some(match name {
        "epoch" => &mut point.epoch,
        "seconds" => &mut point.seconds,
        "train_loss" => point.train_loss.get_or_insert_default(),
        "train_accuracy" => point.train_accuracy.get_or_insert_default(),
        "test_loss" => point.test_loss.get_or_insert_default(),
        "test_accuracy" => point.test_accuracy.get_or_insert_default(),
        "learning_rate" => point.learning_rate.get_or_insert_default(),
        "threshold" => point.threshold.get_or_insert_default(),
        "gradient_norm" => point.gradient_norm.get_or_insert_default(),
        "lambda_max" => &mut point.lambda.as_mut()?.lambda_max,
        "lambda_residual" => &mut point.lambda.as_mut()?.lambda_residual,
        "lambda_seconds" => &mut point.lambda.as_mut()?.lambda_seconds,
        "lambda_corrected_from" => point.lambda.as_mut()?.lambda_corrected_from.get_or_insert_default(),
        _ => return None,
    })
}
