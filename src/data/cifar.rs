//! The binary version of CIFAR-10 and CIFAR-100, gzipped or not. A file consists of records of one or two label bytes
//! and 3,072 pixel bytes.
//!
//! The pixels are a red, a green and a blue plane of 32×32, row by row. CIFAR-100 has the coarse label (of 20
//! superclasses) before the fine one. The format is described at <https://www.cs.toronto.edu/~kriz/cifar.html>. The
//! official files have 10,000 or 50,000 records; any other number is accepted, too.

use std::path::{Path, PathBuf};

use super::DataError;
use super::bytes::{of_file, whole};
use super::half::{Half, check_labels};
use super::images::{RawImages, Values};

const CHANNELS: usize = 3;
const SIDE: usize = 32;
const PIXELS: usize = CHANNELS * SIDE * SIDE;

/// The first bytes of the files for Python: pickle, protocol 2.
const PICKLE: [u8; 2] = [0x80, 0x02];

/// The number of superclasses of CIFAR-100.
const COARSE_CLASSES: usize = 20;

/// The record format of a file.
#[derive(Clone, Copy)]
pub(super) enum Format {
    /// A label, then the pixels.
    Cifar10,
    /// A coarse label, a fine one, then the pixels.
    Cifar100,
}

impl Format {
    fn label_bytes(self) -> usize {
        match self {
            Self::Cifar10 => 1,
            Self::Cifar100 => 2,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Cifar10 => "CIFAR-10",
            Self::Cifar100 => "CIFAR-100",
        }
    }

    fn archive(self) -> &'static str {
        match self {
            Self::Cifar10 => "cifar-10-binary.tar.gz",
            Self::Cifar100 => "cifar-100-binary.tar.gz",
        }
    }
}

/// Reads the files of one half in order. Labels must be below `classes`.
pub(super) fn half(files: &[PathBuf], format: Format, classes: usize) -> Result<Half, DataError> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for path in files {
        let file = path.display().to_string();
        decode(&file, &of_file(path)?, format, classes, &mut pixels, &mut labels)?;
    }
    let file = in_words(files);
    Ok(Half {
        images_file: file.clone(),
        labels_file: file,
        images: RawImages {
            count: labels.len(),
            channels: CHANNELS,
            height: SIDE,
            width: SIDE,
            values: Values::Bytes(pixels),
        },
        labels,
    })
}

/// Appends the records of one file; `file` is its name for messages.
fn decode(
    file: &str,
    contents: &[u8],
    format: Format,
    classes: usize,
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u8>,
) -> Result<(), DataError> {
    let bytes = whole(file, contents)?;
    // 128 is no label of either data set, so such a file is not a file of records.
    if bytes.starts_with(&PICKLE) {
        return Err(DataError::Pickle {
            file: file.to_owned(),
            name: format.name(),
            archive: format.archive(),
        });
    }
    let label_bytes = format.label_bytes();
    let record = label_bytes + PIXELS;
    if bytes.is_empty() || bytes.len() % record != 0 {
        return Err(DataError::Records {
            file: file.to_owned(),
            found_bytes: bytes.len(),
            record_bytes: record,
            left_over: bytes.len() % record,
            name: format.name(),
        });
    }
    let records = bytes.chunks_exact(record);
    if label_bytes == 2 {
        let coarse: Vec<u8> = records.clone().map(|record| record[0]).collect();
        check_labels(file, "coarse label", &coarse, COARSE_CLASSES)?;
    }
    // The label that is learned is the last byte before the pixels.
    let found: Vec<u8> = records.clone().map(|record| record[label_bytes - 1]).collect();
    check_labels(file, "label", &found, classes)?;
    labels.extend(found);
    pixels.reserve(labels.len() * PIXELS - pixels.len());
    records.for_each(|record| pixels.extend_from_slice(&record[label_bytes..]));
    Ok(())
}

/// Names the files for messages: one file by its path, several by the path of the first and the name of the last.
fn in_words(files: &[PathBuf]) -> String {
    let last_name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match files {
        [first, .., last] => format!("{} to {}", first.display(), last_name(last)),
        [only] => only.display().to_string(),
        [] => String::new(),
    }
}
