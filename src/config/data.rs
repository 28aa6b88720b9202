//! Which examples a cell learns from: the data set, how much of it, and how training images are varied.

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
    /// CIFAR-10: officially 50,000 training and 10,000 test images of 3×32×32.
    Cifar10,
    /// CIFAR-100, of which the fine labels are learned: officially 50,000 training and 10,000 test images of 3×32×32.
    Cifar100,
}

impl Data {
    /// How many training examples the data set has, officially.
    #[must_use]
    pub fn train_len(self) -> usize {
        match self {
            Self::FashionMnistSubset => 2_000,
            Self::FashionMnist | Self::Mnist => 60_000,
            Self::Cifar10 | Self::Cifar100 => 50_000,
        }
    }

    /// How many test examples the data set has, officially.
    #[must_use]
    pub fn test_len(self) -> usize {
        match self {
            Self::FashionMnistSubset => 2_000,
            Self::FashionMnist | Self::Mnist | Self::Cifar10 | Self::Cifar100 => 10_000,
        }
    }

    /// Whether its files may hold other numbers of examples than the official ones.
    #[must_use]
    pub fn has_open_length(self) -> bool {
        matches!(self, Self::Cifar10 | Self::Cifar100)
    }

    /// How many classes there are; labels are below it.
    #[must_use]
    pub fn classes(self) -> usize {
        match self {
            Self::Cifar100 => 100,
            Self::FashionMnistSubset | Self::FashionMnist | Self::Mnist | Self::Cifar10 => 10,
        }
    }

    /// How many channels an image has.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Self::FashionMnistSubset | Self::FashionMnist | Self::Mnist => 1,
            Self::Cifar10 | Self::Cifar100 => 3,
        }
    }

    /// Height and width of an image, in pixels.
    #[must_use]
    pub fn side(self) -> usize {
        match self {
            Self::FashionMnistSubset | Self::FashionMnist | Self::Mnist => 28,
            Self::Cifar10 | Self::Cifar100 => 32,
        }
    }
}

/// Which examples are taken where not all are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Subset {
    /// The first of the files.
    First,
    /// As many of each class, up to one, drawn without replacement and kept in the order of the files.
    Balanced {
        /// Decides which; the same for all cells, whatever their own seed.
        seed: u64,
    },
}

/// How training images are varied from step to step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Augment {
    /// Not at all.
    Off,
    /// Framed in black, cropped to its size at a random place, and mirrored with probability ½.
    CropAndFlip {
        /// Width of the frame, in pixels.
        pad: usize,
    },
}

/// The examples of a cell: what decides which numbers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The data set.
    pub data: Data,
    /// How many training examples.
    pub train: Extent,
    /// How many test examples.
    pub test: Extent,
    /// Which, where not all.
    pub subset: Subset,
}

/// How many examples the files of a data set hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesHold {
    /// The data set.
    pub data: Data,
    /// Training examples.
    pub train: usize,
    /// Test examples.
    pub test: usize,
}

impl FilesHold {
    /// What the files of `data` hold by `known`, or officially where that says nothing of them.
    pub(super) fn of(data: Data, known: &[Self]) -> Self {
        let official = Self {
            data,
            train: data.train_len(),
            test: data.test_len(),
        };
        known.iter().find(|hold| hold.data == data).copied().unwrap_or(official)
    }
}
