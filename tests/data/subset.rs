//! The subset inside the program, and its standardized pixels.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use sharptui::config::{Data, Extent};

use super::{FULL_SET, NAMES, gzip, idx, load_some};

const SUBSET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/data/fashion_mnist_subset");

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut decoded).unwrap();
    decoded
}

/// Computes population mean and deviation by the two-pass formula, in f64.
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
    let data = load_some(Data::FashionMnistSubset, Extent::Full, Extent::Full, None).unwrap();
    assert_eq!((data.shape, data.classes), ([1, 28, 28], 10));
    for half in [&data.train, &data.test] {
        assert_eq!((half.len(), half.pixels.len()), (2000, 2000 * 28 * 28));
        let mut counts = [0; 10];
        half.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        assert_eq!(counts, [200; 10]);
    }
}

/// Compares with the full set if it is installed. With `SHARPTUI_WRITE_SUBSET=1` in the environment, writes the subset.
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
    let data = load_some(Data::FashionMnistSubset, Extent::Count(count), Extent::Count(70), None).unwrap();
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
