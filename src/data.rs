//! Reads a data set, from disk or from inside the program, into standardized images and labels in memory.
//!
//! All data here is in host memory. This module does not use tensors or devices.

use std::path::Path;

use crate::config::{Data, Selection};

mod balance;
mod bytes;
mod cifar;
mod doubts;
mod error;
mod half;
mod idx;
mod images;
mod places;
mod standardize;
mod subset;

pub use error::DataError;

use half::Half;
use standardize::{Scale, standardized};

/// Images and their labels, standardized and ready to be put on a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// n × C × H × W values, row-major, each channel standardized with [`Dataset::mean`] and [`Dataset::deviation`].
    pub pixels: Vec<f32>,
    /// n class numbers, from 0.
    pub labels: Vec<u8>,
}

impl Images {
    /// Returns the number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Returns whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// A data set, cut to the examples in use.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Its name, for people.
    pub name: String,
    /// The training examples.
    pub train: Images,
    /// The held-out (test) examples.
    pub test: Images,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
    /// The number of classes.
    pub classes: usize,
    /// The mean of the training pixels in use, for each channel. Black is 0 and white is 1.
    pub mean: Vec<f32>,
    /// The standard deviation of the training pixels in use, for each channel; 1 if all pixels of the channel are
    /// equal.
    pub deviation: Vec<f32>,
    /// The standardized value of a black pixel, (0 − mean)/deviation, for each channel.
    pub black: Vec<f32>,
}

impl Dataset {
    /// Reads the selected examples and standardizes both halves to (x − mean)/deviation, with the mean and the
    /// deviation of the selected training pixels.
    ///
    /// `dir` is the folder of the files. Without it, the files are searched in the usual places. The embedded subset
    /// needs no files.
    ///
    /// # Errors
    /// Fails if files are missing, unreadable, damaged, or of another data set, or if they hold the wrong number of
    /// examples for the data set or too few for the selection.
    pub fn load(selection: Selection, dir: Option<&Path>) -> Result<Self, DataError> {
        let Selection { data, subset, .. } = selection;
        let [train_half, test_half] = read(data, dir)?;
        let (train_raw, train_labels) = train_half.cut(selection.train, subset, data.classes(), 0)?;
        let (test_raw, test_labels) = test_half.cut(selection.test, subset, data.classes(), 1)?;
        let scales = Scale::of_channels(&train_raw);
        Ok(Self {
            name: name(data).to_owned(),
            train: Images {
                pixels: standardized(&scales, &train_raw),
                labels: train_labels,
            },
            test: Images {
                pixels: standardized(&scales, &test_raw),
                labels: test_labels,
            },
            shape: [train_raw.channels, train_raw.height, train_raw.width],
            classes: data.classes(),
            mean: scales.iter().map(Scale::mean).collect(),
            deviation: scales.iter().map(Scale::deviation).collect(),
            black: scales.iter().map(|scale| scale.standardized(0)).collect(),
        })
    }

    /// Returns the CRC-32 of the examples: labels and pixels of the training half, then of the test half.
    #[must_use]
    pub fn crc32(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        for half in [&self.train, &self.test] {
            hasher.update(&half.labels);
            for pixel in &half.pixels {
                hasher.update(&pixel.to_le_bytes());
            }
        }
        hasher.finalize()
    }

    /// Returns a sentence for each sign of a damaged data set: all images or labels are the same, or both halves are
    /// equal.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        doubts::doubts(self)
    }

    /// Returns the numbers of training and test examples in the files of `data`. The files are searched as in
    /// [`load`](Self::load).
    ///
    /// # Errors
    /// The same as for [`load`](Self::load), except those about the selection.
    pub fn count(data: Data, dir: Option<&Path>) -> Result<[usize; 2], DataError> {
        Ok(read(data, dir)?.map(|half| half.labels.len()))
    }
}

/// Reads the training and the test half from the files.
fn read(data: Data, dir: Option<&Path>) -> Result<[Half; 2], DataError> {
    let classes = data.classes();
    let cifar = |format| -> Result<[Half; 2], DataError> {
        let [train, test] = places::find(data, dir)?;
        Ok([
            cifar::half(&train, format, classes)?,
            cifar::half(&test, format, classes)?,
        ])
    };
    let [train, test] = match data {
        Data::FashionMnistSubset => subset::read(classes)?,
        Data::FashionMnist | Data::Mnist => {
            let halves = places::find(data, dir)?.map(|files| Half::of_idx(&files[0], &files[1], classes));
            let [train, test] = halves;
            let (train, test) = (train?, test?);
            places::refuse_the_other(data, &train)?;
            [train, test]
        }
        Data::Cifar10 => cifar(cifar::Format::Cifar10)?,
        Data::Cifar100 => cifar(cifar::Format::Cifar100)?,
    };
    if train.images.size() != test.images.size() {
        return Err(DataError::SizesDiffer {
            train_file: train.images_file,
            train: train.images.size(),
            test_file: test.images_file,
            test: test.images.size(),
        });
    }
    if !data.has_open_length() {
        train.has(data.train_len(), name(data))?;
        test.has(data.test_len(), name(data))?;
    }
    Ok([train, test])
}

/// Returns the name of a data set, for people.
fn name(data: Data) -> &'static str {
    match data {
        Data::FashionMnistSubset => "Fashion-MNIST subset",
        Data::FashionMnist => "Fashion-MNIST",
        Data::Mnist => "MNIST",
        Data::Cifar10 => "CIFAR-10",
        Data::Cifar100 => "CIFAR-100",
    }
}
