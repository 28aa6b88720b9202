//! The IDX format of MNIST and similar data sets: a big-endian magic number and sizes, then values; gzipped or not.
//!
//! It is described at the end of the page "The MNIST database of handwritten digits". The third byte of the magic number
//! is the type of the values (0x08: bytes, 0x0C: 32-bit integers), the fourth one the number of dimensions.

use std::cmp::Ordering;

use super::DataError;
use super::bytes::{LIMIT_BYTES, decompressed, most_of, read, too_much};
use super::images::{RawImages, Values};

/// Images of one channel: count × height × width.
const GREY: u32 = 0x0000_0803;
/// Images of several channels: count × channels × height × width.
const COLOURED: u32 = 0x0000_0804;
/// Labels as bytes.
const LABELS: u32 = 0x0000_0801;
/// Labels as integers.
const INTEGERS: u32 = 0x0000_0C01;
/// Rows of integers. In QMNIST, a row has eight of them, and the first one is the class.
const ROWS: u32 = 0x0000_0C02;

/// The contents of a file.
struct Decoded {
    magic: u32,
    /// The sizes of its dimensions; at least one.
    sizes: Vec<usize>,
    body: Vec<u8>,
}

/// Decodes an image file of the official data sets; `file` is its name for messages.
pub(super) fn images(file: &str, contents: &[u8]) -> Result<RawImages, DataError> {
    decode(file, contents, &[GREY], "images").map(raw)
}

/// Decodes an image file with one channel or several.
pub(super) fn any_images(file: &str, contents: &[u8]) -> Result<RawImages, DataError> {
    decode(file, contents, &[GREY, COLOURED], "images").map(raw)
}

/// Decodes a label file of the official data sets; `file` is its name for messages.
pub(super) fn labels(file: &str, contents: &[u8]) -> Result<Vec<u8>, DataError> {
    decode(file, contents, &[LABELS], "labels").map(|decoded| decoded.body)
}

/// Decodes a label file with bytes, integers or rows of integers that begin with the label.
pub(super) fn any_labels(file: &str, contents: &[u8]) -> Result<Vec<i64>, DataError> {
    let decoded = decode(file, contents, &[LABELS, INTEGERS, ROWS], "labels")?;
    if decoded.magic == LABELS {
        return Ok(decoded.body.into_iter().map(i64::from).collect());
    }
    let row = decoded.sizes.get(1).copied().unwrap_or(1);
    let integers = decoded.body.as_chunks::<4>().0.iter().step_by(row);
    Ok(integers.map(|bytes| i32::from_be_bytes(*bytes).into()).collect())
}

fn raw(decoded: Decoded) -> RawImages {
    let channels = if decoded.magic == COLOURED { decoded.sizes[1] } else { 1 };
    let [.., height, width] = decoded.sizes[..] else {
        unreachable!("images have at least three dimensions")
    };
    RawImages {
        count: decoded.sizes[0],
        channels,
        height,
        width,
        values: Values::Bytes(decoded.body),
    }
}

/// Reads the sizes in the header and the values after it. Their number must be the product of the sizes. The file must
/// begin with one of the magic numbers `expected`.
fn decode(file: &str, contents: &[u8], expected: &'static [u32], kind: &'static str) -> Result<Decoded, DataError> {
    let mut stream = decompressed(contents);
    let magic = read(file, &mut stream, 4)?;
    let found = <[u8; 4]>::try_from(&magic[..]).ok().map(u32::from_be_bytes);
    // The magic number is checked before the length: for a short file of another kind, the kind is the better message.
    if let Some(found) = found.filter(|found| !expected.contains(found)) {
        return Err(DataError::Magic {
            file: file.to_owned(),
            found,
            expected,
            kind,
        });
    }
    let dimensions = u64::from(found.unwrap_or(expected[0]) & 0xff);
    let header_bytes = 4 + 4 * dimensions;
    let header = read(file, &mut stream, header_bytes - 4)?;
    let found_bytes = (magic.len() + header.len()) as u64;
    let Some(magic) = found.filter(|_| found_bytes == header_bytes) else {
        return Err(DataError::Truncated {
            file: file.to_owned(),
            found_bytes,
            expected_bytes: header_bytes,
        });
    };
    let words = header.as_chunks::<4>().0.iter();
    let sizes: Vec<u32> = words.map(|word| u32::from_be_bytes(*word)).collect();

    let value_bytes = if (magic >> 8) & 0xff == 0x0C { 4 } else { 1 };
    let body_bytes = sizes
        .iter()
        .try_fold(value_bytes, |product: u64, &size| product.checked_mul(size.into()));
    let body_bytes = body_bytes.filter(|&bytes| bytes <= LIMIT_BYTES && sizes[1..].iter().all(|&size| size > 0));
    let Some(body_bytes) = body_bytes else {
        return Err(DataError::Header {
            file: file.to_owned(),
            sizes,
            limit_bytes: LIMIT_BYTES,
        });
    };
    let most = most_of(contents);
    if body_bytes > most {
        return Err(too_much(file, most));
    }
    // Reading one more byte than expected verifies gzip's checksum and detects extra bytes.
    let body = read(file, &mut stream, body_bytes + 1)?;
    let found_bytes = body.len() as u64;
    let expected_bytes = header_bytes + body_bytes;
    match found_bytes.cmp(&body_bytes) {
        Ordering::Equal => Ok(Decoded {
            magic,
            sizes: sizes.into_iter().map(|size| size as usize).collect(),
            body,
        }),
        Ordering::Greater => Err(DataError::TrailingBytes {
            file: file.to_owned(),
            expected_bytes,
        }),
        Ordering::Less => Err(DataError::Truncated {
            file: file.to_owned(),
            found_bytes: header_bytes + found_bytes,
            expected_bytes,
        }),
    }
}
