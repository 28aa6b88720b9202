//! Data sets: the embedded subset, files on disk, and files that are refused.
#![allow(clippy::unwrap_used)] // clippy allows it in tests, but not in their helpers

#[path = "data/balance.rs"]
mod balance;
#[path = "data/cifar.rs"]
mod cifar;
#[path = "data/cifar_damage.rs"]
mod cifar_damage;
#[path = "data/damage.rs"]
mod damage;
#[path = "data/own.rs"]
mod own;
#[path = "data/places.rs"]
mod places;
#[path = "data/subset.rs"]
mod subset;
#[path = "data/tables.rs"]
mod tables;

use std::io::Write;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use sharptui::config::{Data, Extent, Selection, Subset};
use sharptui::data::{DataError, Dataset};
use tempfile::TempDir;

/// The folder in which Debian installs the full set.
const FULL_SET: &str = "/usr/share/datasets/fashion-mnist";
const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Returns the contents of an IDX file.
fn idx(magic: u32, sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let words = std::iter::once(&magic).chain(sizes).flat_map(|word| word.to_be_bytes());
    words.chain(body.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns the files of three training and two test images of 2×1 with their labels, in the order of `NAMES`.
fn tiny() -> [Vec<u8>; 4] {
    [
        idx(0x803, &[3, 2, 1], &[0, 255, 10, 20, 30, 40]),
        idx(0x801, &[3], &[9, 0, 4]),
        idx(0x803, &[2, 2, 1], &[1, 2, 3, 4]),
        idx(0x801, &[2], &[1, 2]),
    ]
}

/// Returns files with as many images as the full data sets have, of 2×1 pixels. They begin with the images of `tiny`.
fn full() -> [Vec<u8>; 4] {
    let cycled = |bytes: &[u8], count: usize| bytes.iter().copied().cycle().take(count).collect::<Vec<u8>>();
    [
        idx(0x803, &[60_000, 2, 1], &cycled(&[0, 255, 10, 20, 30, 40], 120_000)),
        idx(0x801, &[60_000], &cycled(&[9, 0, 4], 60_000)),
        idx(0x803, &[10_000, 2, 1], &cycled(&[1, 2, 3, 4], 20_000)),
        idx(0x801, &[10_000], &cycled(&[1, 2], 10_000)),
    ]
}

/// Creates a folder with these four files.
fn folder(files: &[Vec<u8>; 4]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), files);
    dir
}

fn write(dir: &Path, files: &[Vec<u8>; 4]) {
    std::fs::create_dir_all(dir).unwrap();
    for (name, bytes) in NAMES.iter().zip(files) {
        std::fs::write(dir.join(name), bytes).unwrap();
    }
}

fn load(dir: &Path) -> Result<Dataset, DataError> {
    load_some(Data::FashionMnist, Extent::Full, Extent::Full, Some(dir))
}

/// Loads the first examples of a data set.
fn load_some(data: Data, train: Extent, test: Extent, dir: Option<&Path>) -> Result<Dataset, DataError> {
    let selection = Selection {
        data,
        train,
        test,
        subset: Subset::First,
    };
    Dataset::load(&selection, dir)
}

/// Returns the error of loading the tiny set with one of its files replaced.
fn error_with(index: usize, bytes: Vec<u8>) -> DataError {
    let mut files = tiny();
    files[index] = bytes;
    load(folder(&files).path()).unwrap_err()
}

#[test]
fn blank_images_do_not_divide_by_zero() {
    let mut files = full();
    files[0] = idx(0x803, &[60_000, 2, 1], &vec![7; 120_000]);
    let data = load(folder(&files).path()).unwrap();
    assert!(data.train.pixels.iter().all(|&pixel| pixel == 0.0));
    assert_eq!(data.deviation, [1.0]);
    assert!((data.test.pixels[3] - -3.0 / 255.0).abs() < 1e-6);
}

#[test]
fn what_no_data_set_is_meant_to_have_is_said() {
    let with = |index: usize, bytes: Vec<u8>| {
        let mut files = full();
        files[index] = bytes;
        load(folder(&files).path()).unwrap().doubts()
    };
    assert_eq!(load(folder(&full()).path()).unwrap().doubts(), Vec::<String>::new());
    let images = |image: &[u8]| idx(0x803, &[60_000, 2, 1], &image.repeat(60_000));
    for (image, words) in [([7, 7], "the same image, which is blank"), ([0, 255], "the same image")] {
        let words = format!("Fashion-MNIST: all 60000 training examples have {words}; are the files damaged?");
        assert_eq!(with(0, images(&image)), [words]);
    }
    let flat: Vec<u8> = (0..60_000).flat_map(|image| [(image % 251) as u8; 2]).collect();
    let words = "Fashion-MNIST: all 60000 training examples have an image of a single colour; are the files damaged?";
    assert_eq!(with(0, idx(0x803, &[60_000, 2, 1], &flat)), [words]);
    let words = "Fashion-MNIST: all 10000 test examples are of class 3";
    assert_eq!(with(3, idx(0x801, &[10_000], &[3; 10_000])), [words]);
}

#[test]
fn gzip_is_known_by_its_content_and_not_by_its_name() {
    let plain = load(folder(&full()).path()).unwrap();
    assert_eq!((plain.shape, &plain.train.labels[..4]), ([1, 2, 1], &[9, 0, 4, 9][..]));
    assert_eq!(plain, load(folder(&full().map(|bytes| gzip(&bytes))).path()).unwrap());
}

#[test]
fn gzip_may_be_padded_with_zeros_and_made_of_several_members() {
    let plain = load(folder(&full()).path()).unwrap();
    let padded = full().map(|bytes| [gzip(&bytes), vec![0; 512]].concat());
    assert_eq!(plain, load(folder(&padded).path()).unwrap());
    let members = full().map(|bytes| bytes.chunks(7_001).flat_map(gzip).collect::<Vec<u8>>());
    assert_eq!(plain, load(folder(&members).path()).unwrap());
    for index in 0..4 {
        let mut files = padded.clone();
        files[index].push(1);
        let error = load(folder(&files).path()).unwrap_err();
        let expected = matches!(error, DataError::Gzip { .. });
        assert!(expected && error.to_string().contains(NAMES[index]), "{error}");
    }
}

#[test]
fn halves_and_files_that_do_not_fit_each_other_are_refused() {
    let error = error_with(1, idx(0x801, &[2], &[1, 2]));
    assert!(
        matches!(
            error,
            DataError::CountsDiffer {
                images: 3,
                labels: 2,
                ..
            }
        ),
        "{error}"
    );
    let error = error_with(2, idx(0x803, &[2, 1, 2], &[0; 4]));
    assert!(
        matches!(
            error,
            DataError::SizesDiffer {
                train: [1, 2, 1],
                test: [1, 1, 2],
                ..
            }
        ),
        "{error}"
    );
    let error = error_with(3, idx(0x801, &[2], &[1, 10])).to_string();
    assert!(
        error.ends_with("t10k-labels-idx1-ubyte has label 10 at position 1, expected 0 to 9"),
        "{error}"
    );
}

#[test]
fn more_examples_than_there_are_and_none_at_all_are_refused() {
    let dir = folder(&full());
    for (train, test) in [(60_001, 1), (0, 1), (1, 10_001), (1, 0)] {
        let (train, test) = (Extent::Count(train), Extent::Count(test));
        let error = load_some(Data::Mnist, train, test, Some(dir.path())).unwrap_err();
        assert!(matches!(error, DataError::Examples { .. }), "{error}");
    }
    let kept = load_some(Data::Mnist, Extent::Count(3), Extent::Count(1), Some(dir.path())).unwrap();
    assert_eq!((kept.train.len(), kept.test.len()), (3, 1));
}

#[test]
fn another_number_of_examples_than_the_data_set_has_is_refused() {
    for (index, count, expected) in [(0, 59_999, 60_000), (0, 60_001, 60_000), (2, 1_000, 10_000)] {
        let mut files = full();
        files[index] = idx(0x803, &[count, 2, 1], &vec![0; 2 * count as usize]);
        files[index + 1] = idx(0x801, &[count], &vec![0; count as usize]);
        for (data, name) in [(Data::FashionMnist, "Fashion-MNIST"), (Data::Mnist, "MNIST")] {
            let few = Extent::Count(10);
            let error = load_some(data, few, few, Some(folder(&files).path())).unwrap_err();
            let words = format!(
                "{} has {count} examples, expected {expected}, as many as {name} has",
                NAMES[index]
            );
            assert!(error.to_string().ends_with(&words), "{error}");
        }
    }
}

#[test]
fn fashion_mnist_is_read_whole_where_it_is_installed() {
    if !Path::new(FULL_SET).is_dir() {
        eprintln!("skipped: {FULL_SET} is not installed");
        return;
    }
    let data = load(Path::new(FULL_SET)).unwrap();
    assert_eq!(
        (data.train.len(), data.test.len(), data.shape),
        (60_000, 10_000, [1, 28, 28])
    );
    // The constants for this data set in the examples of torchvision.
    assert!((data.mean[0] - 0.2860).abs() < 5e-5 && (data.deviation[0] - 0.3530).abs() < 5e-5);
}
