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
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)];
    !bytes.iter().fold(!0, step)
}

fn masked(bytes: &[u8]) -> [u8; 4] {
    let crc = crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8);
    crc.to_le_bytes()
}

/// Returns the record with this data.
pub(super) fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length, &masked(&length)[..], data, &masked(data)].concat()
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
}
