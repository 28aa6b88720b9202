//! A data set on disk or inside the program → standardized images and labels in memory.
//!
//! Everything here is plain memory of the host; nothing knows of tensors or devices.

use std::path::Path;

use crate::config::{Data, Extent};

mod error;
mod idx;
mod places;
mod standardize;
mod subset;

pub use error::DataError;

use idx::RawImages;
use standardize::Scale;

/// Classes of every data set there is: ten digits, ten garments.
const CLASSES: u8 = 10;

/// Images and their labels, standardized and ready to be put on a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// n × C × H × W, row-major, each channel standardized as [`Dataset::mean`] and [`Dataset::deviation`] say.
    pub pixels: Vec<f32>,
    /// n class numbers, from 0.
    pub labels: Vec<u8>,
}

impl Images {
    /// How many images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
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
    /// What is trained on.
    pub train: Images,
    /// What is held out.
    pub test: Images,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
    /// How many classes.
    pub classes: usize,
    /// Mean of the training pixels in use, one a channel, where black is 0 and white is 1.
    pub mean: Vec<f32>,
    /// Standard deviation of the training pixels in use, one a channel; 1 where they are all alike.
    pub deviation: Vec<f32>,
}

impl Dataset {
    /// Reads `data`, keeps the first `train` and `test` examples, and standardizes both halves to (x − mean)/deviation
    /// with the mean and the deviation of the training pixels kept.
    ///
    /// `dir` is where the files lie; without it they are looked for in the usual places. The embedded subset needs
    /// neither.
    ///
    /// # Errors
    /// Files that are missing, unreadable, damaged, of another data set, or hold more or fewer examples than the data set has.
    pub fn load(data: Data, train: Extent, test: Extent, dir: Option<&Path>) -> Result<Self, DataError> {
        let [train_half, test_half] = match data {
            Data::FashionMnistSubset => subset::read()?,
            Data::FashionMnist | Data::Mnist => {
                let halves = places::find(data, dir)?.map(|files| files.read());
                let [train_half, test_half] = halves;
                let (train_half, test_half) = (train_half?, test_half?);
                places::refuse_the_other(data, &train_half)?;
                [train_half, test_half]
            }
        };
        if train_half.images.size() != test_half.images.size() {
            return Err(DataError::SizesDiffer {
                train_file: train_half.images_file,
                train: train_half.images.size(),
                test_file: test_half.images_file,
                test: test_half.images.size(),
            });
        }
        train_half.has(data.train_len(), data)?;
        test_half.has(data.test_len(), data)?;
        let (train_raw, train_labels) = train_half.first(train)?;
        let (test_raw, test_labels) = test_half.first(test)?;
        let scale = Scale::of(&train_raw.pixels);
        Ok(Self {
            name: name(data).to_owned(),
            train: Images {
                pixels: scale.apply(&train_raw.pixels),
                labels: train_labels,
            },
            test: Images {
                pixels: scale.apply(&test_raw.pixels),
                labels: test_labels,
            },
            shape: [1, train_raw.height, train_raw.width],
            classes: usize::from(CLASSES),
            mean: vec![scale.mean()],
            deviation: vec![scale.deviation()],
        })
    }
}

/// The name of a data set, for people.
fn name(data: Data) -> &'static str {
    match data {
        Data::FashionMnistSubset => "Fashion-MNIST subset",
        Data::FashionMnist => "Fashion-MNIST",
        Data::Mnist => "MNIST",
    }
}

/// One half of a data set as its files have it, and the names of these files for error messages.
struct Half {
    images_file: String,
    labels_file: String,
    images: RawImages,
    labels: Vec<u8>,
}

impl Half {
    /// Decodes the contents of an image file and of its label file and checks that they belong together.
    fn decode(images: (String, &[u8]), labels: (String, &[u8])) -> Result<Self, DataError> {
        let half = Self {
            images: idx::images(&images.0, images.1)?,
            labels: idx::labels(&labels.0, labels.1)?,
            images_file: images.0,
            labels_file: labels.0,
        };
        if half.images.count != half.labels.len() {
            return Err(DataError::CountsDiffer {
                images_file: half.images_file,
                images: half.images.count,
                labels_file: half.labels_file,
                labels: half.labels.len(),
            });
        }
        match half.labels.iter().position(|&label| label >= CLASSES) {
            None => Ok(half),
            Some(index) => Err(DataError::Label {
                file: half.labels_file,
                index,
                label: half.labels[index],
            }),
        }
    }

    /// Refuses another number of examples than `expected`.
    fn has(&self, expected: usize, data: Data) -> Result<(), DataError> {
        if self.images.count == expected {
            return Ok(());
        }
        Err(DataError::Count {
            file: self.images_file.clone(),
            found: self.images.count,
            expected,
            name: name(data),
        })
    }

    /// The first examples, as many as `extent` says.
    fn first(mut self, extent: Extent) -> Result<(RawImages, Vec<u8>), DataError> {
        let found = self.images.count;
        let wanted = match extent {
            Extent::Full => found,
            Extent::Count(count) => count,
        };
        if wanted == 0 || wanted > found {
            return Err(DataError::Examples {
                file: self.images_file,
                wanted,
                found,
            });
        }
        self.images.truncate(wanted);
        self.labels.truncate(wanted);
        Ok((self.images, self.labels))
    }
}
