//! Reads a data set, from disk or from inside the program, into standardized images and labels in memory.
//!
//! All data here is in host memory. This module does not use tensors or devices.

use std::path::Path;

use crate::config::{Data, FilesHold, Selection};

mod balance;
mod bytes;
mod cifar;
mod csv;
mod doubts;
mod error;
mod half;
mod idx;
mod images;
mod numbers;
mod official;
mod own;
mod places;
mod standardize;
mod subset;
mod tensors;

pub use error::DataError;

use half::Half;
use official::Official;
use standardize::{Scale, standardized};

/// Images or features with their labels, standardized and ready to be put on a device.
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
    /// Channels, height and width of an image. Features are channels of a single pixel.
    pub shape: [usize; 3],
    /// Whether the examples are images, and not features.
    pub has_images: bool,
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
    pub fn load(selection: &Selection, dir: Option<&Path>) -> Result<Self, DataError> {
        let Selection { data, subset, .. } = selection;
        let [train_half, test_half] = read(data, dir)?;
        let files = [train_half.images_file.clone(), test_half.images_file.clone()];
        let (train_raw, train_labels) = train_half.cut(selection.train, *subset, data.classes(), 0)?;
        let (test_raw, test_labels) = test_half.cut(selection.test, *subset, data.classes(), 1)?;
        let scales = Scale::of_channels(&train_raw);
        let pixels = [(&train_raw, &files[0]), (&test_raw, &files[1])]
            .map(|(raw, file)| finite(standardized(&scales, raw), raw.channels, file));
        let [train_pixels, test_pixels] = pixels;
        Ok(Self {
            name: official::name(data),
            train: Images {
                pixels: train_pixels?,
                labels: train_labels,
            },
            test: Images {
                pixels: test_pixels?,
                labels: test_labels,
            },
            shape: train_raw.shape(),
            has_images: data.is_images(),
            classes: data.classes(),
            mean: scales.iter().map(Scale::mean).collect(),
            deviation: scales.iter().map(Scale::deviation).collect(),
            black: scales.iter().map(|scale| scale.standardized(0.0)).collect(),
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

    /// Returns the numbers of training and test examples in the files of `data`, and the shape of an example. The files
    /// are searched as in [`load`](Self::load).
    ///
    /// # Errors
    /// The same as for [`load`](Self::load), except those about the selection.
    pub fn count(data: &Data, dir: Option<&Path>) -> Result<FilesHold, DataError> {
        let [train, test] = read(data, dir)?;
        Ok(FilesHold {
            data: data.clone(),
            train: train.labels.len(),
            test: test.labels.len(),
            shape: data.official_len().is_none().then(|| train.images.shape()),
        })
    }
}

/// Refuses values that standardization made infinite: a value of a test example can be far outside the range of a
/// feature that hardly varies in the training examples.
fn finite(values: Vec<f32>, features: usize, file: &str) -> Result<Vec<f32>, DataError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(at) => Err(DataError::Infinite {
            file: file.to_owned(),
            example: at / features,
            feature: at % features,
        }),
    }
}

/// Reads the training and the test half from the files.
fn read(data: &Data, dir: Option<&Path>) -> Result<[Half; 2], DataError> {
    let [train, test] = match Official::of(data) {
        Some(official) => read_official(official, data.classes(), dir)?,
        None => own::read(data, dir)?,
    };
    if train.images.shape() != test.images.shape() {
        return Err(DataError::SizesDiffer {
            train_file: train.images_file,
            train: train.images.shape(),
            test_file: test.images_file,
            test: test.images.shape(),
        });
    }
    if let Some([train_len, test_len]) = data.official_len().filter(|_| !data.has_open_length()) {
        train.has(train_len, data)?;
        test.has(test_len, data)?;
    }
    Ok([train, test])
}

fn read_official(data: Official, classes: usize, dir: Option<&Path>) -> Result<[Half; 2], DataError> {
    let cifar = |format| -> Result<[Half; 2], DataError> {
        let [train, test] = places::find(data, dir)?;
        Ok([
            cifar::half(&train, format, classes)?,
            cifar::half(&test, format, classes)?,
        ])
    };
    match data {
        Official::FashionMnistSubset => subset::read(classes),
        Official::FashionMnist | Official::Mnist => {
            let halves = places::find(data, dir)?.map(|files| Half::of_idx(&files[0], &files[1], classes));
            let [train, test] = halves;
            let (train, test) = (train?, test?);
            places::refuse_the_other(data, &train)?;
            Ok([train, test])
        }
        Official::Cifar10 => cifar(cifar::Format::Cifar10),
        Official::Cifar100 => cifar(cifar::Format::Cifar100),
    }
}
