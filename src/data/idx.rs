//! The IDX format of MNIST and similar data sets: a big-endian magic number and sizes, then bytes; gzipped or not.
//!
//! It is described at the end of the page "The MNIST database of handwritten digits".

use super::DataError;
use super::bytes::{LIMIT_BYTES, decompressed, most_of, read, too_much};
use super::images::RawImages;

/// The magic number of images: zero, zero, unsigned bytes, three dimensions.
const IMAGES_MAGIC: u32 = 0x0000_0803;
/// The magic number of labels: zero, zero, unsigned bytes, one dimension.
const LABELS_MAGIC: u32 = 0x0000_0801;

/// Decodes an image file; `file` is its name for messages.
pub(super) fn images(file: &str, contents: &[u8]) -> Result<RawImages, DataError> {
    let (sizes, pixels) = decode::<3>(file, contents, IMAGES_MAGIC, "images")?;
    let [count, height, width] = sizes.map(|size| size as usize);
    Ok(RawImages {
        count,
        channels: 1,
        height,
        width,
        pixels,
    })
}

/// Decodes a label file; `file` is its name for messages.
pub(super) fn labels(file: &str, contents: &[u8]) -> Result<Vec<u8>, DataError> {
    decode::<1>(file, contents, LABELS_MAGIC, "labels").map(|(_, labels)| labels)
}

/// Reads the sizes in the header and the bytes after it. Their number must be the product of the sizes.
fn decode<const D: usize>(
    file: &str,
    contents: &[u8],
    magic: u32,
    kind: &'static str,
) -> Result<([u32; D], Vec<u8>), DataError> {
    let mut stream = decompressed(contents);
    let header_bytes = 4 + 4 * D as u64;
    let header = read(file, &mut stream, header_bytes)?;
    let words: Vec<u32> = header
        .as_chunks::<4>()
        .0
        .iter()
        .map(|word| u32::from_be_bytes(*word))
        .collect();
    // The magic number is checked before the length: for a short file of another kind, the kind is the better message.
    if let Some(&found) = words.first().filter(|&&found| found != magic) {
        return Err(DataError::Magic {
            file: file.to_owned(),
            found,
            expected: magic,
            kind,
        });
    }
    let Some(sizes) = words.get(1..).and_then(|sizes| <[u32; D]>::try_from(sizes).ok()) else {
        let found_bytes = header.len() as u64;
        return Err(DataError::Truncated {
            file: file.to_owned(),
            found_bytes,
            expected_bytes: header_bytes,
        });
    };

    let body_bytes = sizes
        .iter()
        .try_fold(1u64, |product, &size| product.checked_mul(u64::from(size)));
    let body_bytes = body_bytes.filter(|&bytes| bytes <= LIMIT_BYTES && sizes[1..].iter().all(|&size| size > 0));
    let Some(body_bytes) = body_bytes else {
        let [count, height, width] = [0, 1, 2].map(|axis| sizes.get(axis).copied().unwrap_or(1));
        return Err(DataError::Header {
            file: file.to_owned(),
            count,
            height,
            width,
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
        std::cmp::Ordering::Equal => Ok((sizes, body)),
        std::cmp::Ordering::Greater => Err(DataError::TrailingBytes {
            file: file.to_owned(),
            expected_bytes,
        }),
        std::cmp::Ordering::Less => Err(DataError::Truncated {
            file: file.to_owned(),
            found_bytes: header_bytes + found_bytes,
            expected_bytes,
        }),
    }
}
