//! Reads the bytes of a file, decompresses gzip, and limits the size to what a data set can have.
//!
//! Gzip is recognized by its first two bytes, not by the name of the file.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::DataError;

/// The largest size of a file, before and after decompression, in bytes. The largest IDX data set, EMNIST by class,
/// takes 0.55 GB, and a file of CIFAR-100 takes 0.15 GB. A file that holds more, or whose header announces more, is
/// damaged or not a data set.
pub(super) const LIMIT_BYTES: u64 = 2 << 30;

/// The size up to which a gzip stream may decompress at any ratio, in bytes. The images of MNIST take 47 MB.
const UNSUSPECTED_BYTES: u64 = 64 << 20;

/// The largest ratio of decompressed to compressed size above that. Gzip compresses images to a half or a fifth, rarely
/// to a twentieth. It compresses zeros to a thousandth; such a file could fill all memory.
const MOST_EXPANSION: u64 = 64;

/// Returns the largest number of bytes that the contents of a file may decompress to.
pub(super) fn most_of(contents: &[u8]) -> u64 {
    if is_gzip(contents) {
        LIMIT_BYTES.min(UNSUSPECTED_BYTES.max(MOST_EXPANSION * contents.len() as u64))
    } else {
        LIMIT_BYTES
    }
}

/// Reads the contents of a file. They may exceed the limit by a header and a little more.
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

fn is_gzip(contents: &[u8]) -> bool {
    contents.starts_with(&[0x1f, 0x8b])
}

/// Returns a stream of the contents of a file, decompressed if they are gzip.
pub(super) fn decompressed(contents: &[u8]) -> Box<dyn Read + '_> {
    if is_gzip(contents) {
        Box::new(Members {
            whole: contents.len(),
            current: Some(GzDecoder::new(contents)),
        })
    } else {
        Box::new(contents)
    }
}

/// The decompressed members of a gzip file, one after the other. Zeros may follow the last member: tapes and tools that
/// write whole blocks add them, and `gzip` ignores them, too.
struct Members<'a> {
    /// The size of the file in bytes.
    whole: usize,
    /// The current member; `None` after the last one.
    current: Option<GzDecoder<&'a [u8]>>,
}

impl Read for Members<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while let Some(member) = &mut self.current {
            let read = member.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let rest: &[u8] = member.get_ref();
            self.current = if is_gzip(rest) {
                Some(GzDecoder::new(rest))
            } else if rest.iter().all(|&byte| byte == 0) {
                None
            } else {
                let at = self.whole - rest.len();
                let words = format!(
                    "{} bytes follow after byte {at} that are neither gzip data nor zeros",
                    rest.len()
                );
                return Err(Error::new(ErrorKind::InvalidData, words));
            };
        }
        Ok(0)
    }
}

/// Reads at most `limit_bytes` of the stream. Memory use depends on the bytes that are read, never on sizes in a
/// header.
pub(super) fn read(file: &str, stream: &mut dyn Read, limit_bytes: u64) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    match stream.take(limit_bytes).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        // Reading from memory cannot fail, so the error is one of decompression.
        Err(source) => Err(DataError::Gzip {
            file: file.to_owned(),
            source,
        }),
    }
}

/// Decompresses all contents. Fails if they exceed [`most_of`].
pub(super) fn whole(file: &str, contents: &[u8]) -> Result<Vec<u8>, DataError> {
    let limit_bytes = most_of(contents);
    let bytes = read(file, &mut decompressed(contents), limit_bytes + 1)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(too_much(file, limit_bytes));
    }
    Ok(bytes)
}

/// Returns the error for a file that holds more than `limit_bytes`.
pub(super) fn too_much(file: &str, limit_bytes: u64) -> DataError {
    let file = file.to_owned();
    if limit_bytes < LIMIT_BYTES {
        DataError::Expands { file, limit_bytes }
    } else {
        DataError::TooLarge { file, limit_bytes }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn members_follow_one_another_and_zeros_the_last_one() {
        let two = [gzip(b"one, "), gzip(b""), gzip(b"two")].concat();
        for padding in [0, 1, 2, 17, 512, 100_000] {
            let padded = [two.clone(), vec![0; padding]].concat();
            assert_eq!(whole("a.gz", &padded).unwrap(), b"one, two", "{padding}");
        }
    }

    #[test]
    fn what_follows_the_last_member_and_is_not_zero_is_refused_where_it_begins() {
        let member = gzip(b"one");
        for rest in [
            &b"x"[..],
            b"\0\0x",
            b"\x1f",
            b"\x1f\x8b",
            &[&[0; 9][..], &member].concat(),
        ] {
            let contents = [&member, rest].concat();
            let message = whole("a.gz", &contents).unwrap_err().to_string();
            assert!(message.starts_with("a.gz is not whole gzip data: "), "{message}");
            if rest != b"\x1f\x8b" {
                let words = format!("{} bytes follow after byte {} ", rest.len(), member.len());
                assert!(message.contains(&words), "{message}");
            }
        }
    }

    #[test]
    fn what_decompresses_to_far_more_than_images_do_is_refused() {
        let zeros = |count| gzip(&vec![0; count]);
        let most = usize::try_from(UNSUSPECTED_BYTES).unwrap();
        assert_eq!(whole("a.gz", &zeros(most)).unwrap().len(), most);
        let bomb = zeros(most + 1);
        assert!(bomb.len() < 1_000_000);
        let message = whole("a.gz", &bomb).unwrap_err().to_string();
        assert!(
            message.starts_with("a.gz decompresses to more than 67108864 bytes"),
            "{message}"
        );
        // The ratio limits only compressed files.
        assert_eq!(whole("a", &vec![0; most + 1]).unwrap().len(), most + 1);
    }
}
