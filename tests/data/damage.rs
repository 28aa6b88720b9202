//! Files that are truncated, damaged or of another kind.

use sharptui::data::DataError;

use super::{NAMES, error_with, folder, gzip, idx, load, tiny};

#[test]
fn a_file_of_another_kind_is_refused() {
    let error = error_with(0, tiny()[1].clone()).to_string();
    assert!(
        error.ends_with("begins with 0x00000801, expected 0x00000803 as in an IDX file of images"),
        "{error}"
    );
    assert!(error.contains(NAMES[0]), "{error}");
    let error = error_with(3, b"<html>not found</html>".to_vec());
    assert!(matches!(error, DataError::Magic { found: 0x3c68_746d, .. }), "{error}");
}

#[test]
fn bytes_after_the_last_example_are_refused() {
    for (index, mut bytes) in tiny().into_iter().enumerate() {
        bytes.push(0);
        for bytes in [gzip(&bytes), bytes] {
            let error = error_with(index, bytes);
            let expected = matches!(error, DataError::TrailingBytes { .. });
            assert!(expected && error.to_string().contains(NAMES[index]), "{error}");
        }
    }
}

#[test]
fn a_header_of_absurd_sizes_is_refused_without_allocating_them() {
    for sizes in [[u32::MAX; 3], [u32::MAX, 28, 28], [60_000, 0, 28], [60_000, 28, 0]] {
        let error = error_with(0, idx(0x803, &sizes, &[0; 6]));
        assert!(
            matches!(error, DataError::Header { sizes: ref found, .. } if *found == sizes),
            "{error}"
        );
    }
    // A large but possible size: the header announces 2 GB, and 6 bytes follow.
    let error = error_with(0, idx(0x803, &[2_500_000, 28, 28], &[0; 6]));
    assert!(
        matches!(
            error,
            DataError::Truncated {
                found_bytes: 22,
                expected_bytes: 1_960_000_016,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_file_cut_at_any_byte_is_an_error_and_never_a_panic() {
    let files = tiny();
    let dir = folder(&files);
    for (name, bytes) in NAMES.iter().zip(&files) {
        for whole in [bytes.clone(), gzip(bytes)] {
            for length in 0..whole.len() {
                std::fs::write(dir.path().join(name), &whole[..length]).unwrap();
                let error = load(dir.path()).unwrap_err();
                let expected = matches!(error, DataError::Truncated { .. } | DataError::Gzip { .. });
                assert!(
                    expected && error.to_string().contains(name),
                    "{name} cut at {length}: {error}"
                );
            }
        }
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    // The restored files have no fault except their number of examples.
    let error = load(dir.path()).unwrap_err();
    assert!(matches!(error, DataError::Count { .. }), "{error}");
}

#[test]
fn a_wrong_byte_anywhere_in_compressed_pixels_is_noticed() {
    let files = tiny();
    let dir = folder(&files);
    let whole = gzip(&files[0]);
    // Bytes 3 to 9 of gzip's header are flags, time and system. They do not affect the content.
    for index in (0..whole.len()).filter(|index| !(3..10).contains(index)) {
        let mut damaged = whole.clone();
        damaged[index] ^= 0x55;
        std::fs::write(dir.path().join(NAMES[0]), &damaged).unwrap();
        // The number of images is checked last.
        let error = load(dir.path()).unwrap_err();
        assert!(
            !matches!(error, DataError::Count { .. }),
            "byte {index} of {} was changed and not noticed",
            whole.len()
        );
    }
}
