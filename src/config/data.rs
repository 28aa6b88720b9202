//! The examples of a cell: the data set, the part of it in use, and random changes to training images.

use serde::{Deserialize, Serialize};

use super::Extent;

/// A data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Data {
    /// The balanced Fashion-MNIST subset inside the program: 2,000 training and 2,000 test images.
    FashionMnistSubset,
    /// Fashion-MNIST: 60,000 training and 10,000 test images of 28×28.
    FashionMnist,
    /// MNIST: 60,000 training and 10,000 test images of 28×28.
    Mnist,
    /// CIFAR-10: 50,000 training and 10,000 test images of 3×32×32 in the official files.
    Cifar10,
    /// CIFAR-100 with its fine labels: 50,000 training and 10,000 test images of 3×32×32 in the official files.
    Cifar100,
}

impl Data {
    /// Returns the official number of training examples.
    #[must_use]
    pub fn train_len(self) -> usize {
        match self {
            Self::FashionMnistSubset => 2_000,
            Self::FashionMnist | Self::Mnist => 60_000,
            Self::Cifar10 | Self::Cifar100 => 50_000,
        }
    }

    /// Returns the official number of test examples.
    #[must_use]
    pub fn test_len(self) -> usize {
        match self {
            Self::FashionMnistSubset => 2_000,
            Self::FashionMnist | Self::Mnist | Self::Cifar10 | Self::Cifar100 => 10_000,
        }
    }

    /// Returns whether its files may hold numbers of examples that differ from the official ones.
    #[must_use]
    pub fn has_open_length(self) -> bool {
        matches!(self, Self::Cifar10 | Self::Cifar100)
    }

    /// Returns the number of classes. Labels are below it.
    #[must_use]
    pub fn classes(self) -> usize {
        match self {
            Self::Cifar100 => 100,
            Self::FashionMnistSubset | Self::FashionMnist | Self::Mnist | Self::Cifar10 => 10,
        }
    }

    /// Returns the number of channels of an image.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Self::FashionMnistSubset | Self::FashionMnist | Self::Mnist => 1,
            Self::Cifar10 | Self::Cifar100 => 3,
        }
    }

    /// Returns the side of an image in pixels: its height and its width.
    #[must_use]
    pub fn side(self) -> usize {
        match self {
            Self::FashionMnistSubset | Self::FashionMnist | Self::Mnist => 28,
            Self::Cifar10 | Self::Cifar100 => 32,
        }
    }
}

/// How examples are chosen if not all are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Subset {
    /// The first examples in the files.
    First,
    /// The same number from each class (the numbers may differ by one), drawn without replacement and kept in the order
    /// of the files.
    Balanced {
        /// The seed of this draw. It is the same for all cells and does not depend on a cell's own seed.
        seed: u64,
    },
}

/// Random changes to training images, drawn anew in each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Augment {
    /// No changes.
    Off,
    /// A black frame is added, the image is cropped to its size at a random place, and mirrored with probability ½.
    CropAndFlip {
        /// The width of the frame, in pixels.
        pad: usize,
    },
}

/// The choice of a cell's examples: which part of which data set is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The data set.
    pub data: Data,
    /// The number of training examples.
    pub train: Extent,
    /// The number of test examples.
    pub test: Extent,
    /// How they are chosen if not all are used.
    pub subset: Subset,
}

/// The numbers of examples in the files of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesHold {
    /// The data set.
    pub data: Data,
    /// The number of training examples.
    pub train: usize,
    /// The number of test examples.
    pub test: usize,
}

impl FilesHold {
    /// Returns the entry of `known` for `data`, or the official numbers if `known` has no such entry.
    pub(super) fn of(data: Data, known: &[Self]) -> Self {
        let official = Self {
            data,
            train: data.train_len(),
            test: data.test_len(),
        };
        known.iter().find(|hold| hold.data == data).copied().unwrap_or(official)
    }
}
