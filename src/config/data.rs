//! The examples of a cell: the data set, the part of it in use, and random changes to training images.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Extent;

/// A data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Images in IDX files, such as EMNIST, QMNIST or one's own: any number, size and number of channels.
    Idx {
        /// A folder that holds `train-images-idx3-ubyte` and so on, or such names up to the hyphen before `train`.
        files: String,
        /// The number of classes.
        classes: usize,
        /// The label of the first class in the files.
        #[serde(default)]
        first_label: u32,
        /// Channels, height and width of an image. Without it, those of the files; with it, the files are checked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shape: Option<[usize; 3]>,
    },
    /// A table of numbers in CSV files, with a column of labels.
    Csv {
        /// A folder that holds `train.csv` and `test.csv`, or such names up to the hyphen before `train`.
        files: String,
        /// The number of classes.
        classes: usize,
        /// The label of the first class in the files.
        #[serde(default)]
        first_label: u32,
        /// The name of the column of labels.
        #[serde(default = "label")]
        label: String,
        /// The number of features. Without it, that of the files; with it, the files are checked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        features: Option<usize>,
    },
    /// A table of numbers in safetensors files: the tensors `features` and `labels`.
    Safetensors {
        /// A folder that holds `train.safetensors` and `test.safetensors`, or such names up to the hyphen before `train`.
        files: String,
        /// The number of classes.
        classes: usize,
        /// The label of the first class in the files.
        #[serde(default)]
        first_label: u32,
        /// The number of features. Without it, that of the files; with it, the files are checked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        features: Option<usize>,
    },
}

/// Returns the usual name of the column of labels.
fn label() -> String {
    "label".to_owned()
}

impl Data {
    /// Returns the official numbers of training and test examples; `None` if there are none, because the user chooses
    /// the files.
    #[must_use]
    pub fn official_len(&self) -> Option<[usize; 2]> {
        match self {
            Self::FashionMnistSubset => Some([2_000, 2_000]),
            Self::FashionMnist | Self::Mnist => Some([60_000, 10_000]),
            Self::Cifar10 | Self::Cifar100 => Some([50_000, 10_000]),
            Self::Idx { .. } | Self::Csv { .. } | Self::Safetensors { .. } => None,
        }
    }

    /// Returns whether its files may hold numbers of examples that differ from the official ones.
    #[must_use]
    pub fn has_open_length(&self) -> bool {
        matches!(self, Self::Cifar10 | Self::Cifar100) || self.official_len().is_none()
    }

    /// Returns the number of classes. Labels are below it.
    #[must_use]
    pub fn classes(&self) -> usize {
        match self {
            Self::Cifar100 => 100,
            Self::FashionMnistSubset | Self::FashionMnist | Self::Mnist | Self::Cifar10 => 10,
            Self::Idx { classes, .. } | Self::Csv { classes, .. } | Self::Safetensors { classes, .. } => *classes,
        }
    }

    /// Returns channels, height and width of an example, as far as they are known before the files are read. Features
    /// are channels of a single pixel, because each is standardized by itself.
    #[must_use]
    pub fn shape(&self) -> Option<[usize; 3]> {
        match self {
            Self::FashionMnistSubset | Self::FashionMnist | Self::Mnist => Some([1, 28, 28]),
            Self::Cifar10 | Self::Cifar100 => Some([3, 32, 32]),
            Self::Idx { shape, .. } => *shape,
            Self::Csv { features, .. } | Self::Safetensors { features, .. } => features.map(|count| [count, 1, 1]),
        }
    }

    /// Returns whether the examples are images. Features have no neighbours.
    #[must_use]
    pub fn is_images(&self) -> bool {
        !matches!(self, Self::Csv { .. } | Self::Safetensors { .. })
    }

    /// Returns whether both are the same files with the same classes. One of them may have a shape, after its files were
    /// read.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let without_shape = |data: &Self| {
            let mut data = data.clone();
            match &mut data {
                Self::Idx { shape, .. } => *shape = None,
                Self::Csv { features, .. } | Self::Safetensors { features, .. } => *features = None,
                _ => {}
            }
            data
        };
        without_shape(self) == without_shape(other)
    }

    /// Notes the shape that the files have, if this data set does not have its own.
    fn take_shape(&mut self, found: [usize; 3]) {
        match self {
            Self::Idx { shape, .. } => *shape = Some(found),
            Self::Csv { features, .. } | Self::Safetensors { features, .. } => *features = Some(found[0]),
            _ => {}
        }
    }
}

impl fmt::Display for Data {
    /// Names the data set for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idx { files, .. } => write!(f, "Idx(files: {files:?})"),
            Self::Csv { files, .. } => write!(f, "Csv(files: {files:?})"),
            Self::Safetensors { files, .. } => write!(f, "Safetensors(files: {files:?})"),
            official => write!(f, "{official:?}"),
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
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// The numbers of examples in the files of a data set, and their shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesHold {
    /// The data set.
    pub data: Data,
    /// The number of training examples.
    pub train: usize,
    /// The number of test examples.
    pub test: usize,
    /// Channels, height and width of an example, for data sets without official numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<[usize; 3]>,
}

impl FilesHold {
    /// Returns the entry of `known` for `data`, or the official numbers if `known` has no such entry; `None` if there
    /// are none.
    pub(super) fn of(data: &Data, known: &[Self]) -> Option<Self> {
        let official = || {
            data.official_len().map(|[train, test]| Self {
                data: data.clone(),
                train,
                test,
                shape: None,
            })
        };
        known
            .iter()
            .find(|hold| hold.data.is_same(data))
            .cloned()
            .or_else(official)
    }

    /// Returns whether these are the official numbers.
    pub(super) fn is_official(&self) -> bool {
        self.data.official_len() == Some([self.train, self.test])
    }

    /// Notes the shape in the data set of a cell.
    pub(super) fn shape_of(&self, data: &mut Data) {
        if let Some(shape) = self.shape {
            data.take_shape(shape);
        }
    }
}
