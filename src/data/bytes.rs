//! The bytes of a file, decompressed where they are gzip's, and never more of them than a data set can have.
//!
//! Gzip is known by its first two bytes, not by the name of the file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::DataError;

/// The most a file may hold, or decompress to. The largest of the IDX family, EMNIST by class, takes 0.55 GB and a file
/// of CIFAR-100 0.15 GB; what promises or holds more than this is damaged, or no data set.
pub(super) const LIMIT_BYTES: u64 = 2 << 30;

/// What is in a file. A header and a little more may come on top of the limit.
pub(super) fn of_file(path: &Path) -> Result<Vec<u8>, DataError> {
    let unreadable = |source| DataError::Read {
        file: path.display().to_string(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let most = LIMIT_BYTES + 1024;
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(DataError::TooLarge {
            file: path.display().to_string(),
            limit_bytes: LIMIT_BYTES,
        });
    }
    Ok(bytes)
}

/// The contents of a file, or what they decompress to.
pub(super) fn decompressed(contents: &[u8]) -> Box<dyn Read + '_> {
    if contents.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(contents))
    } else {
        Box::new(contents)
    }
}

/// At most `limit_bytes` of the stream. Memory grows with what is there, never with what a header promises.
pub(super) fn read(file: &str, stream: &mut dyn Read, limit_bytes: u64) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    match stream.take(limit_bytes).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        // A slice in memory cannot fail, so only decompression can.
        Err(source) => Err(DataError::Gzip {
            file: file.to_owned(),
            source,
        }),
    }
}

/// All of the contents, decompressed, if they are no more than `limit_bytes`.
pub(super) fn whole(file: &str, contents: &[u8], limit_bytes: u64) -> Result<Vec<u8>, DataError> {
    let bytes = read(file, &mut decompressed(contents), limit_bytes.saturating_add(1))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(DataError::TooLarge {
            file: file.to_owned(),
            limit_bytes,
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn what_decompresses_to_more_than_the_limit_is_refused() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&[0; 5000]).unwrap();
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < 100);
        assert_eq!(whole("a.gz", &bomb, 5000).unwrap().len(), 5000);
        let message = whole("a.gz", &bomb, 4999).unwrap_err().to_string();
        assert!(
            message.starts_with("a.gz has more than 4999 bytes (decompressed)"),
            "{message}"
        );
    }
}
