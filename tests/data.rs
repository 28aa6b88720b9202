//! Data sets: what is embedded, what is read from disk, and what is refused.
#![allow(clippy::unwrap_used)] // clippy allows it in tests, but not in their helpers

use std::io::{Read, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder, read::GzDecoder};
use sharptui::config::{Data, Extent};
use sharptui::data::{DataError, Dataset};
use tempfile::TempDir;

const FULL_SET: &str = "/usr/share/datasets/fashion-mnist";
const SUBSET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/data/fashion_mnist_subset");
const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The contents of an IDX file.
fn idx(magic: u32, sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let words = std::iter::once(&magic).chain(sizes).flat_map(|word| word.to_be_bytes());
    words.chain(body.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut decoded).unwrap();
    decoded
}

/// Three training and two test images of 2×1 with their labels, in the order of `NAMES`.
fn tiny() -> [Vec<u8>; 4] {
    [
        idx(0x803, &[3, 2, 1], &[0, 255, 10, 20, 30, 40]),
        idx(0x801, &[3], &[9, 0, 4]),
        idx(0x803, &[2, 2, 1], &[1, 2, 3, 4]),
        idx(0x801, &[2], &[1, 2]),
    ]
}

/// As many images of 2×1 as the full data sets have, which begin as the tiny ones do.
fn full() -> [Vec<u8>; 4] {
    let cycled = |bytes: &[u8], count: usize| bytes.iter().copied().cycle().take(count).collect::<Vec<u8>>();
    [
        idx(0x803, &[60_000, 2, 1], &cycled(&[0, 255, 10, 20, 30, 40], 120_000)),
        idx(0x801, &[60_000], &cycled(&[9, 0, 4], 60_000)),
        idx(0x803, &[10_000, 2, 1], &cycled(&[1, 2, 3, 4], 20_000)),
        idx(0x801, &[10_000], &cycled(&[1, 2], 10_000)),
    ]
}

/// A folder with these four files.
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
    Dataset::load(Data::FashionMnist, Extent::Full, Extent::Full, Some(dir))
}

/// The error that the tiny set gives with one of its files replaced.
fn error_with(index: usize, bytes: Vec<u8>) -> DataError {
    let mut files = tiny();
    files[index] = bytes;
    load(folder(&files).path()).unwrap_err()
}

/// Population mean and deviation by the two-pass formula, in f64.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    (
        mean,
        (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt(),
    )
}

#[test]
fn the_subset_has_200_images_of_each_class_in_each_half() {
    let data = Dataset::load(Data::FashionMnistSubset, Extent::Full, Extent::Full, None).unwrap();
    assert_eq!((data.shape, data.classes), ([1, 28, 28], 10));
    for half in [&data.train, &data.test] {
        assert_eq!((half.len(), half.pixels.len()), (2000, 2000 * 28 * 28));
        let mut counts = [0; 10];
        half.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        assert_eq!(counts, [200; 10]);
    }
}

/// Where the full set is installed; with `SHARPTUI_WRITE_SUBSET=1` in the environment this writes the subset.
#[test]
fn the_subset_is_the_first_200_of_each_class_of_the_full_set() {
    if !Path::new(FULL_SET).is_dir() {
        eprintln!("skipped: {FULL_SET} is not installed");
        return;
    }
    let full = |name: &str| gunzip(&std::fs::read(format!("{FULL_SET}/{name}.gz")).unwrap());
    for [images_name, labels_name] in [[NAMES[0], NAMES[1]], [NAMES[2], NAMES[3]]] {
        let (images, labels) = (full(images_name), full(labels_name));
        let mut taken = [0; 10];
        let (mut pixels, mut classes) = (Vec::new(), Vec::new());
        for (image, &label) in images[16..].chunks_exact(28 * 28).zip(&labels[8..]) {
            taken[usize::from(label)] += 1;
            if taken[usize::from(label)] <= 200 {
                pixels.extend_from_slice(image);
                classes.push(label);
            }
        }
        let rebuilt = [
            (images_name, idx(0x803, &[2000, 28, 28], &pixels)),
            (labels_name, idx(0x801, &[2000], &classes)),
        ];
        for (name, bytes) in rebuilt {
            let path = format!("{SUBSET}/{name}.gz");
            if std::env::var_os("SHARPTUI_WRITE_SUBSET").is_some() {
                std::fs::write(&path, gzip(&bytes)).unwrap();
            }
            assert!(
                gunzip(&std::fs::read(&path).unwrap()) == bytes,
                "{path} differs from what the full set gives"
            );
        }
    }
}

#[test]
fn the_notice_of_the_subset_lies_beside_it() {
    let notice = std::fs::read_to_string(format!("{SUBSET}/LICENSE")).unwrap();
    assert!(notice.contains("2017 Zalando SE") && notice.contains("Permission is hereby granted"));
}

#[test]
fn pixels_are_standardized_with_the_moments_of_the_training_images_in_use() {
    let count = 300;
    let data = Dataset::load(Data::FashionMnistSubset, Extent::Count(count), Extent::Count(70), None).unwrap();
    assert_eq!((data.train.len(), data.test.len()), (count, 70));
    let raw = |name: &str| gunzip(&std::fs::read(format!("{SUBSET}/{name}.gz")).unwrap());
    let (train, test) = (raw(NAMES[0]), raw(NAMES[2]));
    let in_use = train[16..][..count * 28 * 28]
        .iter()
        .map(|&pixel| f64::from(pixel) / 255.0);
    let (mean, deviation) = moments(in_use.clone());
    assert!(
        (f64::from(data.mean[0]) - mean).abs() < 1e-7,
        "{} is not {mean}",
        data.mean[0]
    );
    assert!(
        (f64::from(data.deviation[0]) - deviation).abs() < 1e-7,
        "{} is not {deviation}",
        data.deviation[0]
    );
    let test_in_use = test[16..][..70 * 28 * 28].iter().map(|&pixel| f64::from(pixel) / 255.0);
    for (pixel, standardized) in in_use.zip(&data.train.pixels).chain(test_in_use.zip(&data.test.pixels)) {
        assert!(((pixel - mean) / deviation - f64::from(*standardized)).abs() < 1e-6);
    }
    let (mean, deviation) = moments(data.train.pixels.iter().map(|&pixel| f64::from(pixel)));
    assert!(
        mean.abs() < 1e-6 && (deviation - 1.0).abs() < 1e-6,
        "{mean} {deviation}"
    );
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
fn gzip_is_known_by_its_content_and_not_by_its_name() {
    let plain = load(folder(&full()).path()).unwrap();
    assert_eq!((plain.shape, &plain.train.labels[..4]), ([1, 2, 1], &[9, 0, 4, 9][..]));
    assert_eq!(plain, load(folder(&full().map(|bytes| gzip(&bytes))).path()).unwrap());
}

#[test]
fn files_are_found_under_each_spelling_and_folder() {
    let plain = load(folder(&full()).path()).unwrap();
    let plain_files = full();
    let compressed = full().map(|bytes| gzip(&bytes));
    for (within, data) in [
        ("fashion-mnist", Data::FashionMnist),
        ("FashionMNIST/raw", Data::FashionMnist),
        ("mnist", Data::Mnist),
        ("MNIST/raw", Data::Mnist),
        ("", Data::Mnist),
    ] {
        for dotted in [false, true] {
            for gzipped in [false, true] {
                let dir = tempfile::tempdir().unwrap();
                std::fs::create_dir_all(dir.path().join(within)).unwrap();
                for (index, name) in NAMES.iter().enumerate() {
                    let name = if dotted {
                        name.replace("-idx", ".idx")
                    } else {
                        (*name).to_owned()
                    };
                    let (name, bytes) = if gzipped {
                        (name + ".gz", &compressed[index])
                    } else {
                        (name, &plain_files[index])
                    };
                    std::fs::write(dir.path().join(within).join(name), bytes).unwrap();
                }
                let found = Dataset::load(data, Extent::Full, Extent::Full, Some(dir.path())).unwrap();
                assert_eq!((found.train, found.test), (plain.train.clone(), plain.test.clone()));
            }
        }
    }
}

#[test]
fn missing_files_are_an_error_that_says_where_and_what_and_how() {
    let dir = tempfile::tempdir().unwrap();
    let message = load(dir.path()).unwrap_err().to_string();
    for part in [
        "Fashion-MNIST was not found",
        "train-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
        &format!(
            "looked in {}, and in their folders fashion-mnist, ",
            dir.path().display()
        ),
        "FashionMNIST/raw",
        "dataset-fashion-mnist",
        "--data DIR",
    ] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    assert_eq!(message.lines().count(), 1, "{message}");
    write(dir.path(), &tiny());
    std::fs::remove_file(dir.path().join(NAMES[3])).unwrap();
    let message = load(dir.path()).unwrap_err().to_string();
    let lacking = format!("{} lacks t10k-labels-idx1-ubyte; ", dir.path().display());
    assert!(message.contains(&lacking), "{lacking} is not in: {message}");
}

#[test]
fn a_file_in_the_place_of_the_folder_is_refused_as_no_folder() {
    let dir = folder(&tiny());
    let file = dir.path().join(NAMES[0]);
    assert_eq!(
        load(&file).unwrap_err().to_string(),
        format!(
            "--data {} is not a folder: expected the folder that holds the files of Fashion-MNIST",
            file.display()
        )
    );
}

#[test]
fn mnist_is_not_taken_for_fashion_mnist_nor_the_reverse() {
    for (data, labels) in [
        (Data::FashionMnist, [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]),
        (Data::Mnist, [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]),
    ] {
        let mut files = tiny();
        files[0] = idx(0x803, &[10, 2, 1], &[0; 20]);
        files[1] = idx(0x801, &[10], &labels);
        let error = Dataset::load(data, Extent::Full, Extent::Full, Some(folder(&files).path())).unwrap_err();
        assert!(matches!(error, DataError::OtherDataset { .. }), "{error}");
    }
}

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
            matches!(error, DataError::Header { count, .. } if count == sizes[0]),
            "{error}"
        );
    }
    // Large but thinkable: 2 GB are promised and 6 bytes are there.
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
                train: (2, 1),
                test: (1, 2),
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
        let error = Dataset::load(Data::Mnist, train, test, Some(dir.path())).unwrap_err();
        assert!(matches!(error, DataError::Examples { .. }), "{error}");
    }
    let kept = Dataset::load(Data::Mnist, Extent::Count(3), Extent::Count(1), Some(dir.path())).unwrap();
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
            let error = Dataset::load(data, few, few, Some(folder(&files).path())).unwrap_err();
            let words = format!(
                "{} has {count} examples, expected {expected}, as many as {name} has",
                NAMES[index]
            );
            assert!(error.to_string().ends_with(&words), "{error}");
        }
    }
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
    // Whole again, nothing is wrong with them but their number.
    let error = load(dir.path()).unwrap_err();
    assert!(matches!(error, DataError::Count { .. }), "{error}");
}

#[test]
fn a_wrong_byte_anywhere_in_compressed_pixels_is_noticed() {
    let files = tiny();
    let dir = folder(&files);
    let whole = gzip(&files[0]);
    // Bytes 3 to 9 of gzip's header are flags, time and system, which do not decide the content.
    for index in (0..whole.len()).filter(|index| !(3..10).contains(index)) {
        let mut damaged = whole.clone();
        damaged[index] ^= 0x55;
        std::fs::write(dir.path().join(NAMES[0]), &damaged).unwrap();
        // The number of images is looked at last.
        let error = load(dir.path()).unwrap_err();
        assert!(
            !matches!(error, DataError::Count { .. }),
            "byte {index} of {} was changed and not noticed",
            whole.len()
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_its_name() {
    let dir = folder(&tiny());
    // A link to itself is a file that no one can open, whatever their rights.
    let labels = dir.path().join(NAMES[1]);
    std::fs::remove_file(&labels).unwrap();
    std::os::unix::fs::symlink(&labels, &labels).unwrap();
    let error = load(dir.path()).unwrap_err();
    assert!(
        matches!(&error, DataError::Read { file, .. } if file.ends_with(NAMES[1])),
        "{error}"
    );
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
    // The constants that torchvision examples use for this data set.
    assert!((data.mean[0] - 0.2860).abs() < 5e-5 && (data.deviation[0] - 0.3530).abs() < 5e-5);
}
