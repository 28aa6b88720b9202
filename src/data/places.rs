//! Where data sets lie on disk.

use std::path::{Path, PathBuf};

use super::{DataError, Half, name};
use crate::config::Data;

/// Where Debian's data set packages put their folders.
const DEBIAN: &str = "/usr/share/datasets";

/// What the four files are called, up to the spelling of the dot and to `.gz`: training then test, images then labels.
const FILES: [[(&str, &str); 2]; 2] = [
    [("train-images", "idx3-ubyte"), ("train-labels", "idx1-ubyte")],
    [("t10k-images", "idx3-ubyte"), ("t10k-labels", "idx1-ubyte")],
];

/// The two files of one half.
pub(super) struct Files {
    images: PathBuf,
    labels: PathBuf,
}

impl Files {
    /// Reads and decodes both.
    pub(super) fn read(&self) -> Result<Half, DataError> {
        let name = |path: &Path| path.display().to_string();
        let contents = |path: &Path| {
            std::fs::read(path).map_err(|source| DataError::Read {
                file: path.display().to_string(),
                source,
            })
        };
        let (images, labels) = (contents(&self.images)?, contents(&self.labels)?);
        Half::decode((name(&self.images), &images), (name(&self.labels), &labels))
    }
}

/// The files of the training and of the test half, in the first folder that has all four.
pub(super) fn find(data: Data, dir: Option<&Path>) -> Result<[Files; 2], DataError> {
    if let Some(dir) = dir.filter(|dir| dir.exists() && !dir.is_dir()) {
        return Err(DataError::NotAFolder {
            path: dir.to_owned(),
            name: name(data),
        });
    }
    let (parents, within) = (parents(dir), within(data));
    let mut lacking = None;
    for folder in &folders(&parents, within) {
        let halves = FILES.map(|half| half.map(|(stem, kind)| existing(folder, stem, kind)));
        match halves {
            [[Some(a), Some(b)], [Some(c), Some(d)]] => {
                return Ok([Files { images: a, labels: b }, Files { images: c, labels: d }]);
            }
            some if lacking.is_none() && some.iter().flatten().any(Option::is_some) => {
                let missing = FILES
                    .iter()
                    .flatten()
                    .zip(some.iter().flatten())
                    .filter(|(_, found)| found.is_none());
                let missing: Vec<String> = missing.map(|((stem, kind), _)| format!("{stem}-{kind}")).collect();
                lacking = Some(format!("{} lacks {}", folder.display(), missing.join(", ")));
            }
            _ => {}
        }
    }
    let names: Vec<String> = FILES
        .iter()
        .flatten()
        .map(|(stem, kind)| format!("{stem}-{kind}"))
        .collect();
    let mut wanted = format!("expected {}, each as it is or with .gz", names.join(", "));
    if let Some(lacking) = lacking {
        wanted = format!("{wanted}; {lacking}");
    }
    Err(DataError::Missing {
        name: name(data),
        wanted,
        parents,
        within: within.iter().copied().filter(|folder| !folder.is_empty()).collect(),
        help: help(data),
    })
}

/// The file under any of its names, if it is there.
fn existing(folder: &Path, stem: &str, kind: &str) -> Option<PathBuf> {
    let spellings = ["-", "."]
        .into_iter()
        .flat_map(|dot| ["", ".gz"].map(|gz| format!("{stem}{dot}{kind}{gz}")));
    // A link that leads nowhere counts as there: failing to read it says more than a file that is not found.
    spellings
        .map(|file| folder.join(file))
        .find(|path| path.symlink_metadata().is_ok_and(|found| !found.is_dir()))
}

/// What the folder of a data set is called, best first; "" is the bare parent. Named folders come before it, since
/// MNIST and Fashion-MNIST name their files alike.
fn within(data: Data) -> &'static [&'static str] {
    match data {
        Data::Mnist => &["mnist", "MNIST/raw", "MNIST", "", "raw"],
        Data::FashionMnist | Data::FashionMnistSubset => &[
            "fashion-mnist",
            "FashionMNIST/raw",
            "FashionMNIST",
            "fashion_mnist",
            "",
            "raw",
        ],
    }
}

/// Where such folders are looked for, best first.
fn parents(dir: Option<&Path>) -> Vec<PathBuf> {
    match dir {
        Some(dir) => vec![dir.to_owned()],
        None => [Some(PathBuf::from("data")), user_data(), Some(PathBuf::from(DEBIAN))]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// Every folder to look in, best first.
fn folders(parents: &[PathBuf], within: &[&str]) -> Vec<PathBuf> {
    let folders = parents
        .iter()
        .flat_map(|parent| within.iter().map(|name| parent.join(name)));
    // Joining "" leaves a slash at the end, which looks odd in messages; going through the components drops it.
    folders.map(|folder| folder.components().collect()).collect()
}

/// `$XDG_DATA_HOME/sharptui`, by the XDG base directory specification.
fn user_data() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")))?;
    Some(home.join("sharptui"))
}

/// How to get the files.
fn help(data: Data) -> String {
    match data {
        Data::Mnist => "put the four files into one of these folders (torchvision.datasets.MNIST(\"data\", \
                        download=True) puts them into data/MNIST/raw), or name their folder with --data DIR"
            .to_owned(),
        Data::FashionMnist | Data::FashionMnistSubset => {
            "install the Debian package dataset-fashion-mnist, or put the four files of \
             https://github.com/zalandoresearch/fashion-mnist into one of these folders, or name their folder with \
             --data DIR; data: FashionMnistSubset needs no files"
                .to_owned()
        }
    }
}

/// MNIST and Fashion-MNIST have the same file names and sizes, so one is easily taken for the other; the first ten
/// training labels tell them apart. Files that are neither are let through: they may be somebody's own.
pub(super) fn refuse_the_other(data: Data, train: &Half) -> Result<(), DataError> {
    let other = match data {
        Data::Mnist => (Data::FashionMnist, [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]),
        Data::FashionMnist | Data::FashionMnistSubset => (Data::Mnist, [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]),
    };
    if train.labels.starts_with(&other.1) {
        return Err(DataError::OtherDataset {
            file: train.labels_file.clone(),
            found: name(other.0),
            wanted: name(data),
        });
    }
    Ok(())
}
