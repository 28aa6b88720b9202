//! TensorBoard's event files: one folder per run, with scalars as PyTorch, TensorFlow and this program write them.
//!
//! Field numbers are those of `event.proto`, `summary.proto`, `tensor.proto` and of the HPARAMS plugin's
//! `plugin_data.proto` and `api.proto` (tensorboard 2.21).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::At;
use super::{ForeignError, Format, Found, Grown, Reader, Row, Time, visible};
use crate::event_files::{Field, Fields, Malformed, take_record};

/// Bytes that are read at once; a longer record is read as a whole.
const AT_ONCE: usize = 1 << 20;

/// The format.
pub(super) struct EventFiles;

impl Format for EventFiles {
    fn name(&self) -> &'static str {
        "TensorBoard's event files"
    }

    fn is_file(&self, name: &str) -> bool {
        name.contains("tfevents")
    }

    fn run_of(&self, below: &Path) -> PathBuf {
        below.parent().map(Path::to_owned).unwrap_or_default()
    }

    fn reader(&self, file: &Path) -> Box<dyn Reader> {
        let path = file.to_owned();
        Box::new(EventFile { path, read: 0 })
    }
}

/// An event file that is being read.
struct EventFile {
    path: PathBuf,
    /// Number of bytes of the records that were read.
    read: u64,
}

impl Reader for EventFile {
    fn read(&mut self, take: &mut dyn FnMut(Found)) -> Result<Grown, ForeignError> {
        let length = std::fs::metadata(&self.path).at("read", &self.path)?.len();
        if length < self.read {
            return Ok(Grown::Anew);
        }
        if length == self.read {
            return Ok(Grown::No);
        }
        let mut file = File::open(&self.path).at("open", &self.path)?;
        file.seek(SeekFrom::Start(self.read)).at("read", &self.path)?;
        let before = self.read;
        let mut bytes = Vec::new();
        loop {
            let found = (&mut file)
                .take(AT_ONCE as u64)
                .read_to_end(&mut bytes)
                .at("read", &self.path)?;
            let mut rest = &bytes[..];
            loop {
                let at = self.read;
                let wrong = |what: &str| ForeignError::Damaged {
                    path: self.path.clone(),
                    at,
                    what: what.to_owned(),
                };
                let left = rest.len();
                let Some(data) = take_record(&mut rest).map_err(|_| wrong("a checksum does not fit"))? else {
                    break;
                };
                event(data, take).map_err(|why| match why {
                    Wrong::Malformed => wrong("it is not an event of TensorBoard"),
                    Wrong::NegativeStep(step) => wrong(&format!("its step is {step}, and steps are not negative")),
                })?;
                self.read += (left - rest.len()) as u64;
            }
            let left = rest.len();
            // The rest is the beginning of a record that goes on.
            bytes.drain(..bytes.len() - left);
            if found == 0 {
                break;
            }
        }
        Ok(if self.read > before { Grown::Yes } else { Grown::No })
    }
}

/// Why an event cannot be used.
enum Wrong {
    Malformed,
    NegativeStep(i64),
}

impl From<Malformed> for Wrong {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Reads an `Event`.
fn event(data: &[u8], take: &mut dyn FnMut(Found)) -> Result<(), Wrong> {
    const START: u64 = 1;
    let (mut time, mut step, mut summary, mut is_start) = (f64::NAN, 0_i64, None, false);
    for field in Fields::of(data) {
        match field? {
            (1, Field::Double(at)) => time = at,
            (2, Field::Number(number)) => step = number.cast_signed(),
            (5, Field::Bytes(bytes)) => summary = Some(bytes),
            (7, Field::Bytes(session)) => {
                is_start = Fields::of(session).any(|field| field == Ok((1, Field::Number(START))));
            }
            _ => {}
        }
    }
    let step = u64::try_from(step).map_err(|_| Wrong::NegativeStep(step))?;
    if is_start {
        take(Found::Void(step));
    }
    let Some(summary) = summary else { return Ok(()) };
    let mut row = Row {
        step,
        time: time.is_finite().then_some(Time::OfDay(time)),
        ..Row::default()
    };
    for field in Fields::of(summary) {
        let (1, Field::Bytes(bytes)) = field? else { continue };
        match value(bytes)? {
            Value::Scalar(tag, number) => row.values.push((tag, number)),
            Value::Settings(settings) => {
                for (name, value) in settings {
                    let part = None;
                    take(Found::Setting { part, name, value });
                }
            }
            Value::Other(tag) => take(Found::NotANumber(tag)),
            Value::Nothing => {}
        }
    }
    if !row.values.is_empty() {
        take(Found::Row(row));
    }
    Ok(())
}

/// A value of a summary.
enum Value {
    Scalar(String, f64),
    /// Settings of the HPARAMS plugin.
    Settings(Vec<(String, String)>),
    /// A histogram, an image, a text.
    Other(String),
    /// Data of a plugin that shows no value.
    Nothing,
}

/// Reads a `Summary.Value`.
fn value(bytes: &[u8]) -> Result<Value, Malformed> {
    let (mut tag, mut number, mut plugin) = (String::new(), None, (None, &[][..]));
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Bytes(name)) => tag = visible(&String::from_utf8_lossy(name)),
            (2, Field::Float(simple)) => number = Some(f64::from(simple)),
            (8, Field::Bytes(bytes)) => number = tensor(bytes)?.or(number),
            (9, Field::Bytes(metadata)) => plugin = plugin_of(metadata)?,
            _ => {}
        }
    }
    match (plugin, number) {
        ((Some(b"hparams"), content), _) => Ok(settings(content)?.map_or(Value::Nothing, Value::Settings)),
        (_, Some(number)) => Ok(Value::Scalar(tag, number)),
        ((Some(b"custom_scalars"), _), None) => Ok(Value::Nothing),
        _ => Ok(Value::Other(tag)),
    }
}

/// Reads name and content of the plugin of a `SummaryMetadata`.
fn plugin_of(metadata: &[u8]) -> Result<(Option<&[u8]>, &[u8]), Malformed> {
    let (mut name, mut content) = (None, &[][..]);
    for field in Fields::of(metadata) {
        let (1, Field::Bytes(plugin)) = field? else { continue };
        for field in Fields::of(plugin) {
            match field? {
                (1, Field::Bytes(bytes)) => name = Some(bytes),
                (2, Field::Bytes(bytes)) => content = bytes,
                _ => {}
            }
        }
    }
    Ok((name, content))
}

/// Reads a `TensorProto`. Returns its number if it is a scalar.
fn tensor(bytes: &[u8]) -> Result<Option<f64>, Malformed> {
    const FLOAT: u64 = 1;
    const DOUBLE: u64 = 2;
    const INT32: u64 = 3;
    const INT64: u64 = 9;
    let (mut kind, mut has_dimensions, mut content) = (0, false, &[][..]);
    let mut listed: Vec<f64> = Vec::new();
    let packed_floats = |bytes: &[u8]| -> Vec<f64> {
        let (numbers, _) = bytes.as_chunks();
        numbers
            .iter()
            .map(|number| f64::from(f32::from_le_bytes(*number)))
            .collect()
    };
    let packed_doubles = |bytes: &[u8]| -> Vec<f64> {
        let (numbers, _) = bytes.as_chunks();
        numbers.iter().map(|number| f64::from_le_bytes(*number)).collect()
    };
    for field in Fields::of(bytes) {
        match field? {
            (1, Field::Number(number)) => kind = number,
            (2, Field::Bytes(shape)) => has_dimensions = Fields::of(shape).any(|field| matches!(field, Ok((2, _)))),
            (4, Field::Bytes(bytes)) => content = bytes,
            (5, Field::Bytes(bytes)) => listed.extend(packed_floats(bytes)),
            (5, Field::Float(number)) => listed.push(f64::from(number)),
            (6, Field::Bytes(bytes)) => listed.extend(packed_doubles(bytes)),
            (6, Field::Double(number)) => listed.push(number),
            (7 | 10, Field::Bytes(bytes)) => {
                listed.extend(
                    Fields::packed(bytes)?
                        .into_iter()
                        .map(|number| number.cast_signed() as f64),
                );
            }
            (7 | 10, Field::Number(number)) => listed.push(number.cast_signed() as f64),
            _ => {}
        }
    }
    let listed = match (kind, content) {
        (FLOAT, [_, ..]) => packed_floats(content),
        (DOUBLE, [_, ..]) => packed_doubles(content),
        (INT32, [_, ..]) => {
            let (numbers, _) = content.as_chunks();
            numbers
                .iter()
                .map(|number| f64::from(i32::from_le_bytes(*number)))
                .collect()
        }
        (INT64, [_, ..]) => {
            let (numbers, _) = content.as_chunks();
            numbers
                .iter()
                .map(|number| i64::from_le_bytes(*number) as f64)
                .collect()
        }
        (FLOAT | DOUBLE | INT32 | INT64, []) => listed,
        _ => return Ok(None),
    };
    Ok(match (has_dimensions, &listed[..]) {
        (false, [number]) => Some(*number),
        _ => None,
    })
}

/// Reads `HParamsPluginData`. Returns the settings, if it is the start of a session.
fn settings(content: &[u8]) -> Result<Option<Vec<(String, String)>>, Malformed> {
    const SESSION_START: u64 = 3;
    let mut start = None;
    for field in Fields::of(content) {
        if let (SESSION_START, Field::Bytes(bytes)) = field? {
            start = Some(bytes);
        }
    }
    let Some(start) = start else { return Ok(None) };
    let mut settings = Vec::new();
    for field in Fields::of(start) {
        // A map is a list of entries with key and value.
        let (1, Field::Bytes(entry)) = field? else { continue };
        let (mut name, mut text) = (String::new(), String::new());
        for field in Fields::of(entry) {
            match field? {
                (1, Field::Bytes(bytes)) => name = visible(&String::from_utf8_lossy(bytes)),
                (2, Field::Bytes(value)) => text = setting(value)?,
                _ => {}
            }
        }
        settings.push((name, text));
    }
    settings.sort();
    Ok(Some(settings))
}

/// Reads a `google.protobuf.Value`. A number or a truth value that is zero has no bytes of its own, but its field is there.
fn setting(value: &[u8]) -> Result<String, Malformed> {
    let mut text = String::new();
    for field in Fields::of(value) {
        text = match field? {
            (2, Field::Double(number)) => number.to_string(),
            (3, Field::Bytes(bytes)) => visible(&String::from_utf8_lossy(bytes)),
            (4, Field::Number(truth)) => (truth != 0).to_string(),
            _ => continue,
        };
    }
    Ok(text)
}
