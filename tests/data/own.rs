//! Images of one's own in IDX files: EMNIST, QMNIST, any size and number of channels.

use std::path::Path;

use sharptui::config::{Data, Extent};
use sharptui::data::{DataError, Dataset};

use super::{gzip, idx, load_some};

/// Returns the declaration of IDX files.
fn own(files: &str, classes: usize, first_label: u32) -> Data {
    Data::Idx {
        files: files.to_owned(),
        classes,
        first_label,
        shape: None,
    }
}

fn load(data: Data, dir: &Path) -> Result<Dataset, DataError> {
    load_some(data, Extent::Full, Extent::Full, Some(dir))
}

/// Writes files whose paths begin with `start`.
fn write(start: &Path, files: [(&str, Vec<u8>); 4]) {
    for (name, bytes) in files {
        let path = format!("{}{name}", start.display());
        std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Returns the files of three training and two test images of 2×3 with the labels 1 to 3.
fn letters() -> [(&'static str, Vec<u8>); 4] {
    [
        (
            "train-images-idx3-ubyte",
            idx(0x803, &[3, 2, 3], &(0..18).collect::<Vec<u8>>()),
        ),
        ("train-labels-idx1-ubyte", idx(0x801, &[3], &[3, 1, 2])),
        ("test-images-idx3-ubyte", idx(0x803, &[2, 2, 3], &[9; 12])),
        ("test-labels-idx1-ubyte", idx(0x801, &[2], &[1, 3])),
    ]
}

#[test]
fn labels_that_begin_at_one_become_classes_from_zero() {
    let dir = tempfile::tempdir().unwrap();
    let files = letters().map(|(name, bytes)| (name, gzip(&bytes)));
    write(&dir.path().join("emnist/emnist-letters-"), files);
    let data = load(own("emnist/emnist-letters", 3, 1), dir.path()).unwrap();
    assert_eq!((data.train.labels, data.test.labels), (vec![2, 0, 1], vec![0, 2]));
    assert_eq!((data.shape, data.classes), ([1, 2, 3], 3));
    assert_eq!(data.name, "Idx(files: \"emnist/emnist-letters\")");
    // The mean of 0 to 17 is 8.5, their deviation √((18² − 1)/12).
    assert!((f64::from(data.mean[0]) * 255.0 - 8.5).abs() < 1e-5);
    assert!((f64::from(data.deviation[0]) * 255.0 - (323.0_f64 / 12.0).sqrt()).abs() < 1e-5);
    let hold = Dataset::count(&own("emnist/emnist-letters", 3, 1), Some(dir.path())).unwrap();
    assert_eq!((hold.train, hold.test, hold.shape), (3, 2, Some([1, 2, 3])));
}

#[test]
fn a_label_outside_the_classes_is_refused_with_what_the_configuration_allows() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("emnist-letters-"), letters());
    for (classes, first, words) in [
        (3, 0, "label 3 at position 0, expected 0 to 2"),
        (2, 1, "label 3 at position 0, expected 1 to 2"),
        (2, 2, "label 1 at position 1, expected 2 to 3"),
    ] {
        let message = load(own("emnist-letters", classes, first), dir.path())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("emnist-letters-train-labels-idx1-ubyte") && message.ends_with(words),
            "{message}"
        );
    }
}

#[test]
fn the_class_is_the_first_integer_of_a_row_as_in_qmnist() {
    let dir = tempfile::tempdir().unwrap();
    let rows = |classes: &[u8]| {
        let row = |&class: &u8| (0..8).flat_map(move |at| [0, 0, at, if at == 0 { class } else { 200 }]);
        idx(
            0xC02,
            &[classes.len() as u32, 8],
            &classes.iter().flat_map(row).collect::<Vec<u8>>(),
        )
    };
    let files = || {
        let [train_images, _, test_images, _] = letters();
        [
            train_images,
            ("train-labels-idx2-int", rows(&[2, 0, 1])),
            test_images,
            ("test-labels-idx2-int", rows(&[1, 0])),
        ]
    };
    write(&dir.path().join("qmnist/"), files());
    let data = load(own("qmnist", 3, 0), dir.path()).unwrap();
    assert_eq!((data.train.labels, data.test.labels), (vec![2, 0, 1], vec![1, 0]));
    // One integer for each label.
    let mut flat = files();
    flat[1].1 = idx(0xC01, &[3], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
    write(&dir.path().join("flat/"), flat);
    assert_eq!(load(own("flat", 3, 0), dir.path()).unwrap().train.labels, [1, 0, 2]);
    // A negative number is no class.
    let mut negative = files();
    negative[1].1 = idx(0xC01, &[3], &[255; 12]);
    write(&dir.path().join("negative/"), negative);
    let message = load(own("negative", 3, 0), dir.path()).unwrap_err().to_string();
    assert!(
        message.ends_with("has label -1 at position 0, expected 0 to 2"),
        "{message}"
    );
}

/// Returns the files of images with several channels.
fn coloured(sizes: [u32; 4]) -> [(&'static str, Vec<u8>); 4] {
    let pixels: Vec<u8> = (0..sizes.iter().product()).map(|at: u32| (at * 7) as u8).collect();
    let labels = |count: u32| {
        idx(
            0x801,
            &[count],
            &(0..count).map(|at| (at % 2) as u8).collect::<Vec<u8>>(),
        )
    };
    [
        ("train-images-idx4-ubyte", idx(0x804, &sizes, &pixels)),
        ("train-labels-idx1-ubyte", labels(sizes[0])),
        ("t10k-images-idx4-ubyte", idx(0x804, &sizes, &pixels)),
        ("t10k-labels-idx1-ubyte", labels(sizes[0])),
    ]
}

#[test]
fn each_channel_is_standardized_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("photos/"), coloured([4, 2, 3, 5]));
    let data = load(own("photos", 2, 0), dir.path()).unwrap();
    assert_eq!((data.shape, data.mean.len(), data.deviation.len()), ([2, 3, 5], 2, 2));
    for channel in 0..2 {
        let images = data.train.pixels.chunks(30);
        let values: Vec<f64> = images
            .flat_map(|image| &image[channel * 15..][..15])
            .map(|&value| f64::from(value))
            .collect();
        let mean = values.iter().sum::<f64>() / 60.0;
        let square = values.iter().map(|value| value * value).sum::<f64>() / 60.0;
        assert!(mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-5, "{mean} {square}");
    }
}

#[test]
fn images_with_their_channels_last_are_refused_unless_the_shape_is_given() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("photos/"), coloured([2, 8, 9, 3]));
    let message = load(own("photos", 2, 0), dir.path()).unwrap_err().to_string();
    let words =
        "header: found images of 8×9×3, expected examples × channels × height × width; if the channels are last";
    assert!(message.contains(words), "{message}");
    assert!(
        message.contains("transpose(0, 3, 1, 2)") && message.contains("set `shape: (8, 9, 3)`"),
        "{message}"
    );
    let with_shape = |shape| Data::Idx {
        files: "photos".to_owned(),
        classes: 2,
        first_label: 0,
        shape: Some(shape),
    };
    assert_eq!(load(with_shape([8, 9, 3]), dir.path()).unwrap().shape, [8, 9, 3]);
    let message = load(with_shape([3, 8, 9]), dir.path()).unwrap_err().to_string();
    let words = "found images of 8×9×3, expected images of 3×8×9, as the configuration says";
    assert!(message.ends_with(words), "{message}");
}

#[test]
fn missing_files_are_named_with_the_places_that_were_searched() {
    let dir = tempfile::tempdir().unwrap();
    let message = load(own("emnist/emnist-letters", 26, 1), dir.path())
        .unwrap_err()
        .to_string();
    for words in [
        "Idx(files: \"emnist/emnist-letters\") was not found: no emnist/emnist-letters-train-images-idx3-ubyte",
        "emnist-letters-test-labels-idx1-ubyte",
        &format!("looked in {};", dir.path().display()),
        "--data DIR",
    ] {
        assert!(message.contains(words), "{words} is not in: {message}");
    }
    write(&dir.path().join("some/"), letters());
    std::fs::remove_file(dir.path().join("some/test-labels-idx1-ubyte")).unwrap();
    let message = load(own("some", 3, 1), dir.path()).unwrap_err().to_string();
    let words = format!(
        "was not found: no {}/some/test-labels-idx1-ubyte; looked",
        dir.path().display()
    );
    assert!(message.contains(&words), "{message}");
    // A whole path needs no folder to search.
    write(&dir.path().join("all-"), letters());
    let whole = dir.path().join("all").display().to_string();
    assert_eq!(load(own(&whole, 3, 1), Path::new("/nowhere")).unwrap().train.len(), 3);
}

#[test]
fn damaged_files_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    for (at, bytes, words) in [
        (
            0,
            idx(0x801, &[3], &[0; 3]),
            "begins with 0x00000801, expected 0x00000803 or 0x00000804",
        ),
        (0, idx(0xD03, &[1, 1, 1], &[0; 4]), "begins with 0x00000d03"),
        (
            1,
            idx(0x801, &[2], &[1, 1]),
            "has 2 labels, expected 3, one for each image of",
        ),
        (
            1,
            idx(0xC02, &[3, 8], &[0; 95]),
            "is cut short: found 107 bytes (decompressed), expected 108",
        ),
        (1, idx(0xC02, &[3, 0], &[]), "has a header of 3 examples of 0,"),
        (
            2,
            idx(0x803, &[2, 3, 2], &[9; 12]),
            "has images of 3×2, expected images of 2×3 as in",
        ),
    ] {
        let mut files = letters();
        let name = files[at].0;
        files[at].1 = bytes;
        write(&dir.path().join("own/"), files);
        let message = load(own("own", 3, 1), dir.path()).unwrap_err().to_string();
        assert!(message.contains(words) && message.contains(name), "{message}");
    }
}
