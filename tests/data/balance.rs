//! Subsets with the same number of examples of each class.

use std::path::Path;

use sharptui::config::{Data, Extent, Selection, Subset};
use sharptui::data::{DataError, Dataset, Images};

use super::cifar::write_cifar10;

fn balanced(data: Data, train: usize, test: usize, seed: u64, dir: Option<&Path>) -> Result<Dataset, DataError> {
    let selection = Selection {
        data,
        train: Extent::Count(train),
        test: Extent::Count(test),
        subset: Subset::Balanced { seed },
    };
    Dataset::load(&selection, dir)
}

fn counts(images: &Images) -> Vec<usize> {
    let mut counts = vec![0; 10];
    images.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    counts
}

#[test]
fn classes_are_as_many_up_to_one_in_both_halves() {
    for (train, test) in [(1000, 100), (1007, 13), (3, 1999)] {
        let data = balanced(Data::FashionMnistSubset, train, test, 7, None).unwrap();
        for (images, wanted) in [(&data.train, train), (&data.test, test)] {
            let counts = counts(images);
            assert_eq!(counts.iter().sum::<usize>(), wanted);
            let one_more = counts.iter().filter(|&&count| count == wanted / 10 + 1).count();
            let others = counts.iter().filter(|&&count| count == wanted / 10).count();
            assert_eq!((one_more, others), (wanted % 10, 10 - wanted % 10), "{counts:?}");
        }
    }
}

#[test]
fn the_seed_decides_which_and_each_is_one_of_the_files_in_their_order() {
    // The pixels identify the record: its position is the salt of its pixels.
    let dir = tempfile::tempdir().unwrap();
    let labels: Vec<u8> = (0..80).map(|i| (i * 3 % 10) as u8).collect();
    write_cifar10(&dir.path().join("data_batch_1.bin"), &labels);
    write_cifar10(&dir.path().join("test_batch.bin"), &labels);
    let drawn = |seed| balanced(Data::Cifar10, 40, 40, seed, Some(dir.path())).unwrap();
    let positions = |data: &Dataset, images: &Images| -> Vec<usize> {
        let first_byte = |image: &[f32]| (image[0] * data.deviation[0] + data.mean[0]) * 255.0;
        let bytes = images
            .pixels
            .chunks(3 * 32 * 32)
            .map(|image| first_byte(image).round() as u8);
        let position = |byte: u8| (0..80).find(|salt| (salt * 31) as u8 == byte).unwrap();
        bytes.map(position).collect()
    };
    let (first, again, other) = (drawn(1), drawn(1), drawn(2));
    assert_eq!(first, again);
    let (train, test) = (positions(&first, &first.train), positions(&first, &first.test));
    for drawn in [&train, &test] {
        assert!(drawn.is_sorted_by(|a, b| a < b), "in order, none twice: {drawn:?}");
    }
    for (&position, &label) in train.iter().zip(&first.train.labels) {
        assert_eq!(labels[position], label);
    }
    assert_ne!(train, positions(&other, &other.train));
    assert_ne!(train, test, "each half has its own draw");
    assert_ne!(train, (0..40).collect::<Vec<_>>());
}

#[test]
fn a_class_with_too_few_examples_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut labels: Vec<u8> = (0..50).map(|i| (i % 10) as u8).collect();
    labels[6] = 7;
    write_cifar10(&dir.path().join("data_batch_1.bin"), &labels);
    write_cifar10(&dir.path().join("test_batch.bin"), &labels);
    let load = |train, test, seed| balanced(Data::Cifar10, train, test, seed, Some(dir.path()));
    assert_eq!(counts(&load(40, 40, 0).unwrap().train), [4; 10]);
    // Of 49 examples, one class gets four and the others get five. Only if that class is 6 are there enough examples.
    let (mut refused, mut taken) = (0, 0);
    for seed in 0..40 {
        match (load(49, 1, seed), load(1, 49, seed)) {
            (Ok(data), _) => {
                assert_eq!(counts(&data.train), [5, 5, 5, 5, 5, 5, 4, 5, 5, 5]);
                taken += 1;
            }
            (Err(train), test) => {
                let words =
                    "data_batch_1.bin has 4 examples of class 6, expected at least 5 for a balanced subset of 49";
                assert!(train.to_string().contains(words), "{train}");
                if let Err(test) = test {
                    assert!(
                        test.to_string().contains("test_batch.bin has 4 examples of class 6"),
                        "{test}"
                    );
                }
                refused += 1;
            }
        }
    }
    assert!(refused > 20 && taken > 0, "{refused} refused, {taken} taken");
}

#[test]
fn a_half_that_is_in_use_whole_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    write_cifar10(&dir.path().join("data_batch_1.bin"), &[1; 6]);
    write_cifar10(&dir.path().join("test_batch.bin"), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
    let data = balanced(Data::Cifar10, 6, 10, 0, Some(dir.path())).unwrap();
    assert_eq!((data.train.labels, counts(&data.test)), (vec![1; 6], vec![1; 10]));
}
