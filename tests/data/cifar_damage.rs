//! CIFAR files that are truncated, damaged or of another kind.

use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sharptui::config::{Data, Extent};
use sharptui::data::DataError;
use tempfile::TempDir;

use super::cifar::{PIXELS, load_all, record, write_cifar10};
use super::{gzip, load_some};

/// Creates a folder with two training images and one test image of CIFAR-10.
fn small() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(&dir.path().join("data_batch_1.bin"), &[3, 9]);
    write_cifar10(&dir.path().join("test_batch.bin"), &[5]);
    dir
}

#[test]
fn an_empty_batch_and_one_that_is_no_whole_number_of_records_are_refused() {
    let dir = small();
    let path = dir.path().join("data_batch_1.bin");
    let whole = std::fs::read(&path).unwrap();
    for (length, over) in [
        (0, 0),
        (1, 1),
        (PIXELS, PIXELS),
        (PIXELS + 2, 1),
        (whole.len() - 1, PIXELS),
    ] {
        for bytes in [whole[..length].to_vec(), gzip(&whole[..length])] {
            std::fs::write(&path, bytes).unwrap();
            let message = load_all(Data::Cifar10, dir.path()).unwrap_err();
            let words = format!(
                "data_batch_1.bin has {length} bytes (decompressed), expected one or more whole records of 3073 bytes, \
                 as in the binary version of CIFAR-10; {over} bytes are left over"
            );
            assert!(message.contains(&words), "{message}");
        }
    }
}

#[test]
fn a_compressed_batch_may_be_padded_with_zeros_and_with_nothing_else() {
    let dir = small();
    let path = dir.path().join("data_batch_1.bin");
    let whole = std::fs::read(&path).unwrap();
    let plain = load_all(Data::Cifar10, dir.path()).unwrap();
    let halves = [gzip(&whole[..PIXELS]), gzip(&whole[PIXELS..])].concat();
    for compressed in [gzip(&whole), halves] {
        std::fs::write(&path, [compressed.clone(), vec![0; 512]].concat()).unwrap();
        assert_eq!(load_all(Data::Cifar10, dir.path()).unwrap(), plain);
        std::fs::write(&path, [compressed, b"\0\0x".to_vec()].concat()).unwrap();
        let message = load_all(Data::Cifar10, dir.path()).unwrap_err();
        assert!(message.contains("3 bytes follow after byte "), "{message}");
    }
}

#[test]
fn a_label_that_is_no_class_is_refused_with_its_position() {
    let dir = small();
    write_cifar10(&dir.path().join("test_batch.bin"), &[0, 9, 10]);
    let message = load_all(Data::Cifar10, dir.path()).unwrap_err();
    assert!(
        message.ends_with("test_batch.bin has label 10 at position 2, expected 0 to 9"),
        "{message}"
    );
    for (labels, words) in [
        ([20, 0], "train.bin has coarse label 20 at position 1, expected 0 to 19"),
        ([0, 100], "train.bin has label 100 at position 1, expected 0 to 99"),
    ] {
        std::fs::write(
            dir.path().join("train.bin"),
            [record(&[0, 0], 0), record(&labels, 1)].concat(),
        )
        .unwrap();
        std::fs::write(dir.path().join("test.bin"), record(&[0, 0], 0)).unwrap();
        let message = load_all(Data::Cifar100, dir.path()).unwrap_err();
        assert!(message.ends_with(words), "{message}");
    }
}

#[test]
fn a_batch_that_cannot_be_read_is_an_error_with_its_name() {
    let dir = small();
    // A link to itself is a file that no user can open, not even root.
    let path = dir.path().join("data_batch_2.bin");
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let error = load_some(Data::Cifar10, Extent::Full, Extent::Full, Some(dir.path())).unwrap_err();
    assert!(
        matches!(&error, DataError::Read { file, .. } if file.ends_with("data_batch_2.bin")),
        "{error}"
    );
}

#[test]
fn no_bytes_whatever_make_the_reader_panic_and_none_are_taken_for_images_that_are_not_there() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let dir = small();
    let path = dir.path().join("data_batch_1.bin");
    let whole = std::fs::read(&path).unwrap();
    for round in 0..300 {
        let mut bytes = match round % 3 {
            0 => (0..rng.random_range(0..3 * PIXELS))
                .map(|_| rng.random::<u8>())
                .collect(),
            1 => whole.clone(),
            _ => gzip(&whole),
        };
        if round % 2 == 0 {
            bytes.truncate(rng.random_range(0..=bytes.len()));
        }
        for _ in 0..rng.random_range(0..4) {
            if !bytes.is_empty() {
                let at = rng.random_range(0..bytes.len());
                bytes[at] ^= 1 << rng.random_range(0..8);
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        outcome_is_sound(dir.path());
    }
}

/// Asserts that loading gives an error that names the file, or as many images as labels.
fn outcome_is_sound(dir: &Path) {
    match load_all(Data::Cifar10, dir) {
        Ok(data) => {
            assert_eq!(data.train.pixels.len(), data.train.len() * PIXELS);
            assert!(data.train.labels.iter().all(|&label| label < 10));
            assert!(data.train.pixels.iter().all(|pixel| pixel.is_finite()));
        }
        Err(message) => assert!(message.contains("data_batch_1.bin"), "{message}"),
    }
}
