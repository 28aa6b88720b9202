//! The data sets that the program knows, and the names of all data sets.

use crate::config::Data;

/// A data set with official files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Official {
    FashionMnistSubset,
    FashionMnist,
    Mnist,
    Cifar10,
    Cifar100,
}

impl Official {
    /// Returns the official data set that `data` is; `None` if the user chooses the files.
    pub(super) fn of(data: &Data) -> Option<Self> {
        match data {
            Data::FashionMnistSubset => Some(Self::FashionMnistSubset),
            Data::FashionMnist => Some(Self::FashionMnist),
            Data::Mnist => Some(Self::Mnist),
            Data::Cifar10 => Some(Self::Cifar10),
            Data::Cifar100 => Some(Self::Cifar100),
            Data::Idx { .. } | Data::Csv { .. } | Data::Safetensors { .. } => None,
        }
    }

    /// Returns its name, for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FashionMnistSubset => "Fashion-MNIST subset",
            Self::FashionMnist => "Fashion-MNIST",
            Self::Mnist => "MNIST",
            Self::Cifar10 => "CIFAR-10",
            Self::Cifar100 => "CIFAR-100",
        }
    }
}

/// Returns the name of a data set, for people.
pub(super) fn name(data: &Data) -> String {
    Official::of(data).map_or_else(|| data.to_string(), |official| official.name().to_owned())
}
