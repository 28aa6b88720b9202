//! CIFAR-10 and CIFAR-100 in their binary layout: the search for the files, and their contents.

use std::path::{Path, PathBuf};

use sharptui::config::{Data, Extent};
use sharptui::data::Dataset;

use super::{gzip, load_some};

/// A folder with real images, if it exists. It is not part of the project.
const REAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/cifar-10-batches-bin");
pub const PIXELS: usize = 3 * 32 * 32;

/// Returns a record: its label bytes, then pixels that depend on position, plane and `salt`.
pub fn record(labels: &[u8], salt: usize) -> Vec<u8> {
    let pixel = |i: usize| (i * 7 + i / 1024 * 50 + salt * 31) as u8;
    labels.iter().copied().chain((0..PIXELS).map(pixel)).collect()
}

/// Writes records with these labels.
pub fn write_cifar10(path: &Path, labels: &[u8]) {
    let records: Vec<u8> = labels
        .iter()
        .enumerate()
        .flat_map(|(salt, &label)| record(&[label], salt))
        .collect();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, records).unwrap();
}

pub fn load_all(data: Data, dir: &Path) -> Result<Dataset, String> {
    load_some(data, Extent::Full, Extent::Full, Some(dir)).map_err(|error| error.to_string())
}

/// Computes mean and deviation of bytes by the two-pass formula, in units where white is 1.
fn moments(bytes: &[u8]) -> (f64, f64) {
    let values = bytes.iter().map(|&byte| f64::from(byte) / 255.0);
    let mean = values.clone().sum::<f64>() / bytes.len() as f64;
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / bytes.len() as f64;
    (mean, variance.sqrt())
}

#[test]
fn batches_are_read_one_after_the_other_in_any_number_and_of_any_length() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cifar-10-batches-bin");
    write_cifar10(&folder.join("data_batch_1.bin"), &[3, 9]);
    write_cifar10(&folder.join("test_batch.bin"), &[5]);
    let data = load_all(Data::Cifar10, dir.path()).unwrap();
    assert_eq!((data.train.labels, data.test.labels), (vec![3, 9], vec![5]));
    assert_eq!((data.shape, data.classes), ([3, 32, 32], 10));
    let hold = Dataset::count(&Data::Cifar10, Some(dir.path())).unwrap();
    assert_eq!((hold.train, hold.test, hold.shape), (2, 1, None));

    write_cifar10(&folder.join("data_batch_2.bin"), &[0]);
    write_cifar10(&folder.join("data_batch_3.bin"), &[7, 8, 9]);
    // The given folder may be the folder of the files or its parent.
    let data = load_all(Data::Cifar10, &folder).unwrap();
    assert_eq!(data.train.labels, [3, 9, 0, 7, 8, 9]);
    assert_eq!(data.train.pixels.len(), 6 * PIXELS);
}

#[test]
fn each_channel_is_standardized_with_the_moments_of_its_training_pixels_in_use() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(&dir.path().join("data_batch_1.bin"), &[0, 1, 2, 3]);
    write_cifar10(&dir.path().join("test_batch.bin"), &[4]);
    let data = load_some(Data::Cifar10, Extent::Count(3), Extent::Full, Some(dir.path())).unwrap();
    let raw: Vec<Vec<u8>> = (0..3).map(|salt| record(&[], salt)).collect();
    for channel in 0..3 {
        let plane = channel * 1024..(channel + 1) * 1024;
        let in_use: Vec<u8> = raw.iter().flat_map(|image| image[plane.clone()].to_vec()).collect();
        let (mean, deviation) = moments(&in_use);
        assert!((f64::from(data.mean[channel]) - mean).abs() < 1e-7);
        assert!((f64::from(data.deviation[channel]) - deviation).abs() < 1e-7);
        assert!((f64::from(data.black[channel]) + mean / deviation).abs() < 1e-6);
        for (image, bytes) in raw.iter().enumerate() {
            for at in plane.clone() {
                let expected = (f64::from(bytes[at]) / 255.0 - mean) / deviation;
                assert!((f64::from(data.train.pixels[image * PIXELS + at]) - expected).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn cifar_100_is_learned_by_its_fine_labels() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cifar-100-binary");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("train.bin"),
        [record(&[19, 99], 0), record(&[0, 20], 1)].concat(),
    )
    .unwrap();
    std::fs::write(folder.join("test.bin"), record(&[4, 0], 2)).unwrap();
    let data = load_all(Data::Cifar100, dir.path()).unwrap();
    assert_eq!((data.train.labels, data.test.labels), (vec![99, 20], vec![0]));
    assert_eq!((data.shape, data.classes), ([3, 32, 32], 100));
}

#[test]
fn gzipped_batches_are_read_like_plain_ones() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(&dir.path().join("data_batch_1.bin"), &[1, 2, 3]);
    write_cifar10(&dir.path().join("test_batch.bin"), &[4]);
    let plain = load_all(Data::Cifar10, dir.path()).unwrap();
    for name in ["data_batch_1.bin", "test_batch.bin"] {
        let path = dir.path().join(name);
        std::fs::write(
            dir.path().join(format!("{name}.gz")),
            gzip(&std::fs::read(&path).unwrap()),
        )
        .unwrap();
        std::fs::remove_file(path).unwrap();
    }
    assert_eq!(load_all(Data::Cifar10, dir.path()).unwrap(), plain);
}

#[test]
fn a_blank_plane_and_a_test_set_that_is_the_training_set_are_said() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(&dir.path().join("data_batch_1.bin"), &[1, 2, 3]);
    write_cifar10(&dir.path().join("test_batch.bin"), &[1, 2, 3]);
    let words =
        "CIFAR-10: the test examples are the training examples, so test accuracy says nothing about new examples";
    assert_eq!(load_all(Data::Cifar10, dir.path()).unwrap().doubts(), [words]);

    let mut batch = std::fs::read(dir.path().join("data_batch_1.bin")).unwrap();
    for record in batch.chunks_exact_mut(1 + PIXELS) {
        record[1 + 1024..=2048].fill(200);
    }
    std::fs::write(dir.path().join("data_batch_1.bin"), batch).unwrap();
    let words = "CIFAR-10: all 3 training examples have the same value in every green pixel; are the files damaged?";
    assert_eq!(load_all(Data::Cifar10, dir.path()).unwrap().doubts(), [words]);
    // A single example always equals itself, so there is no warning.
    let one = load_some(Data::Cifar10, Extent::Count(1), Extent::Count(1), Some(dir.path())).unwrap();
    assert_eq!(one.doubts(), Vec::<String>::new());
}

#[test]
fn a_missing_cifar_says_what_to_download_from_where_and_where_to_put_it() {
    let dir = tempfile::tempdir().unwrap();
    for (data, words) in [
        (
            Data::Cifar10,
            [
                "CIFAR-10 was not found",
                "cifar-10-binary.tar.gz",
                "cifar-10-batches-bin",
                "data_batch_5.bin",
            ],
        ),
        (
            Data::Cifar100,
            [
                "CIFAR-100 was not found",
                "cifar-100-binary.tar.gz",
                "cifar-100-binary",
                "test.bin",
            ],
        ),
    ] {
        let message = load_all(data, dir.path()).unwrap_err();
        let place = dir.path().display().to_string();
        let others = [
            &place,
            "https://www.cs.toronto.edu/~kriz/cifar.html",
            "unpack",
            "--data DIR",
        ];
        for part in words.iter().chain(&others) {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn a_batch_missing_in_between_and_another_cifar_are_refused_with_what_is_lacking() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["data_batch_1.bin", "data_batch_3.bin", "test_batch.bin"] {
        write_cifar10(&dir.path().join(name), &[0]);
    }
    let message = load_all(Data::Cifar10, dir.path()).unwrap_err();
    let lacking = format!("{} lacks data_batch_2.bin; ", dir.path().display());
    assert!(message.contains(&lacking), "{message}");
    let message = load_all(Data::Cifar100, dir.path()).unwrap_err();
    let other = format!("{} holds CIFAR-10", dir.path().display());
    assert!(message.contains(&other), "{message}");
}

#[test]
fn the_version_for_python_is_recognized_by_its_names_and_by_its_first_bytes() {
    let pickle = [0x80, 0x02, b'}', b'q', 0x01];
    for (data, name, folder, archive) in [
        (
            Data::Cifar10,
            "data_batch_1",
            "cifar-10-batches-py",
            "cifar-10-binary.tar.gz",
        ),
        (Data::Cifar100, "train", "cifar-100-python", "cifar-100-binary.tar.gz"),
    ] {
        for within in ["", folder] {
            let dir = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(dir.path().join(within)).unwrap();
            std::fs::write(dir.path().join(within).join(name), pickle).unwrap();
            let message = load_all(data.clone(), dir.path()).unwrap_err();
            let found = if within.is_empty() { name } else { folder };
            let words = format!("has {found}, which belongs to the Python version; it holds pickled objects");
            assert!(message.contains(&words) && message.contains(archive), "{message}");
        }
        // Its files under the names of the binary version.
        let dir = tempfile::tempdir().unwrap();
        for file in ["data_batch_1.bin", "test_batch.bin", "train.bin", "test.bin"] {
            std::fs::write(dir.path().join(file), pickle).unwrap();
        }
        let message = load_all(data, dir.path()).unwrap_err();
        let words = ".bin is a file of the Python version of CIFAR-10";
        assert!(message.contains(words) && message.contains(archive), "{message}");
    }
}

#[test]
fn real_images_are_read_whole_where_they_are() {
    if !Path::new(REAL).is_dir() {
        eprintln!("skipped: {REAL} does not exist");
        return;
    }
    let data = load_all(Data::Cifar10, &PathBuf::from(REAL)).unwrap();
    let bytes = std::fs::read(Path::new(REAL).join("data_batch_1.bin")).unwrap();
    assert_eq!(data.train.len() * (PIXELS + 1), bytes.len());
    let labels: Vec<u8> = bytes.iter().copied().step_by(PIXELS + 1).collect();
    assert_eq!(data.train.labels, labels);
    // Known values of the whole training set: means 0.491, 0.482, 0.447 and deviations 0.247, 0.243, 0.262.
    for (found, known) in data
        .mean
        .iter()
        .chain(&data.deviation)
        .zip([0.491, 0.482, 0.447, 0.247, 0.243, 0.262])
    {
        assert!((found - known).abs() < 0.01, "{found} is not near {known}");
    }
}
