//! TFRecord: the framing of TensorBoard's event files.
//!
//! A record is its length (8 bytes, little endian), the masked CRC of these bytes (4 bytes), the data, and the masked CRC of
//! the data. The CRC is CRC-32C (Castagnoli, RFC 3720 appendix B.4), masked as `rotate_right(crc, 15) + 0xa282ead8`, as in
//! TensorFlow's `core/lib/hash/crc32c.h`.

/// The polynomial 0x1EDC6F41 with reversed bits.
const POLYNOMIAL: u32 = 0x82f6_3b78;

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// Returns the CRC-32C of these bytes.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)];
    !bytes.iter().fold(!0, step)
}

fn masked(bytes: &[u8]) -> [u8; 4] {
    let crc = crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8);
    crc.to_le_bytes()
}

/// Returns the record with this data.
pub(crate) fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length, &masked(&length)[..], data, &masked(data)].concat()
}

/// A record whose checksum does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadRecord;

/// Takes the data of the first record off `bytes`, and leaves the rest. Returns none if the record is not complete: it is
/// still being written.
///
/// # Errors
/// A checksum does not fit.
pub(crate) fn take_record<'a>(bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, BadRecord> {
    let Some((head, rest)) = bytes.split_at_checked(12) else {
        return Ok(None);
    };
    let (length, checksum) = head.split_at(8);
    if masked(length) != checksum {
        return Err(BadRecord);
    }
    let length = length.try_into().map(u64::from_le_bytes).unwrap_or_default();
    let length = usize::try_from(length).map_err(|_| BadRecord)?;
    let Some((data, rest)) = rest.split_at_checked(length) else {
        return Ok(None);
    };
    let Some((checksum, rest)) = rest.split_at_checked(4) else {
        return Ok(None);
    };
    if masked(data) != checksum {
        return Err(BadRecord);
    }
    *bytes = rest;
    Ok(Some(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        let rising: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).rev().collect();
        for (bytes, crc) in [
            (&[0; 32][..], 0x8a91_36aa),
            (&[0xff; 32], 0x62a8_ab43),
            (&rising, 0x46dd_794e),
            (&falling, 0x113f_db5c),
            (b"123456789", 0xe306_9283),
            (b"", 0),
        ] {
            assert_eq!(crc32c(bytes), crc, "{bytes:?}");
        }
    }

    #[test]
    fn a_record_is_that_of_tensorboard() {
        // From `RecordWriter(file).write(b"abc")` of tensorboard 2.21.
        let expected = [
            3, 0, 0, 0, 0, 0, 0, 0, 0xb0, 0x99, 0x49, 0x0e, b'a', b'b', b'c', 0x6e, 0x57, 0xf1, 0x21,
        ];
        assert_eq!(record(b"abc"), expected);
    }

    #[test]
    fn records_are_taken_one_by_one_and_an_incomplete_one_waits() {
        let both = [record(b"abc"), record(b"")].concat();
        let mut rest = &both[..];
        assert_eq!(take_record(&mut rest), Ok(Some(&b"abc"[..])));
        assert_eq!(take_record(&mut rest), Ok(Some(&b""[..])));
        assert_eq!((take_record(&mut rest), rest), (Ok(None), &b""[..]));
        for length in 0..19 {
            let mut cut = &both[..length];
            assert_eq!(take_record(&mut cut), Ok(None), "{length}");
            assert_eq!(cut.len(), length);
        }
    }

    #[test]
    fn every_changed_bit_is_found() {
        let whole = record(b"abc");
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(take_record(&mut &changed[..]), Err(BadRecord), "bit {bit}");
        }
    }
}
