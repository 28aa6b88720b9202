//! Finds the files of data sets on disk.

use std::path::{Path, PathBuf};

use super::half::Half;
use super::{DataError, name};
use crate::config::Data;
use crate::user_folders::{Kind, user_folder};

/// The folder in which Debian's data set packages install.
const DEBIAN: &str = "/usr/share/datasets";

/// Returns the names of the files of the training and of the test half. On disk, a name may end in `.gz` or have a dot
/// in place of a hyphen. For IDX, the images come before the labels.
fn names(data: Data) -> [&'static [&'static str]; 2] {
    match data {
        Data::FashionMnistSubset | Data::FashionMnist | Data::Mnist => [
            &["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
            &["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
        ],
        Data::Cifar10 => [
            &[
                "data_batch_1.bin",
                "data_batch_2.bin",
                "data_batch_3.bin",
                "data_batch_4.bin",
                "data_batch_5.bin",
            ],
            &["test_batch.bin"],
        ],
        Data::Cifar100 => [&["train.bin"], &["test.bin"]],
    }
}

/// Returns the names of the missing files. `found` has the existing files of the training and of the test half.
/// The last batches of CIFAR-10 may be absent, but no batch before an existing one.
fn lacking(data: Data, found: &[Vec<Option<PathBuf>>; 2]) -> Vec<&'static str> {
    let needed_of_train = match data {
        Data::Cifar10 => found[0].iter().rposition(Option::is_some).map_or(1, |last| last + 1),
        _ => found[0].len(),
    };
    let needed = [needed_of_train, found[1].len()];
    let halves = names(data).into_iter().zip(found).zip(needed);
    let lacking = halves.flat_map(|((names, found), needed)| {
        let files = names.iter().zip(found).take(needed);
        files.filter(|(_, file)| file.is_none()).map(|(name, _)| *name)
    });
    lacking.collect()
}

/// Finds the files of the training and of the test half, in the first folder that has all of them.
pub(super) fn find(data: Data, dir: Option<&Path>) -> Result<[Vec<PathBuf>; 2], DataError> {
    if let Some(dir) = dir.filter(|dir| dir.exists() && !dir.is_dir()) {
        return Err(DataError::NotAFolder {
            path: dir.to_owned(),
            name: name(data),
        });
    }
    let (parents, within) = (parents(dir), within(data));
    let mut nearly = None;
    for folder in &folders(&parents, within) {
        let found = names(data).map(|half| half.iter().map(|name| existing(folder, name)).collect::<Vec<_>>());
        let lacking = lacking(data, &found);
        if lacking.is_empty() {
            return Ok(found.map(|half| half.into_iter().flatten().collect()));
        }
        if nearly.is_none() {
            nearly = if found.iter().flatten().any(Option::is_some) {
                Some(format!("{} lacks {}", folder.display(), lacking.join(", ")))
            } else {
                other_cifar(data, folder).map(|other| format!("{} holds {}", folder.display(), name(other)))
            };
        }
    }
    let names = names(data).map(|half| half.join(", ")).join(", ");
    let mut wanted = format!("expected {names}, each with or without .gz");
    if let Some(nearly) = nearly {
        wanted = format!("{wanted}; {nearly}");
    }
    Err(DataError::Missing {
        name: name(data),
        wanted,
        parents,
        within: within.iter().copied().filter(|folder| !folder.is_empty()).collect(),
        help: help(data),
    })
}

/// Returns the other CIFAR data set if `folder` has its first file.
fn other_cifar(wanted: Data, folder: &Path) -> Option<Data> {
    let other = match wanted {
        Data::Cifar10 => Data::Cifar100,
        Data::Cifar100 => Data::Cifar10,
        Data::FashionMnistSubset | Data::FashionMnist | Data::Mnist => return None,
    };
    existing(folder, names(other)[0][0]).map(|_| other)
}

/// Returns the path of the file under any of its names, if it exists.
fn existing(folder: &Path, name: &str) -> Option<PathBuf> {
    // Some tools unpack IDX files with a dot before the kind.
    let mut spellings = [name.to_owned(), name.replace("-idx", ".idx")]
        .into_iter()
        .flat_map(|name| ["", ".gz"].map(|gz| folder.join(format!("{name}{gz}"))));
    // A dangling link counts as existing: the error of reading it says more than "not found".
    spellings.find(|path| path.symlink_metadata().is_ok_and(|found| !found.is_dir()))
}

/// Returns the possible names of a data set's folder, in order of search. "" is the parent itself. Named folders come
/// before it, because MNIST and Fashion-MNIST use the same file names.
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
        Data::Cifar10 => &["cifar-10-batches-bin", ""],
        Data::Cifar100 => &["cifar-100-binary", ""],
    }
}

/// Returns the parents of such folders, in order of search.
fn parents(dir: Option<&Path>) -> Vec<PathBuf> {
    match dir {
        Some(dir) => vec![dir.to_owned()],
        None => [
            Some(PathBuf::from("data")),
            user_folder(Kind::Data, |name| std::env::var_os(name)),
            Some(PathBuf::from(DEBIAN)),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// Returns all folders to search, in order.
fn folders(parents: &[PathBuf], within: &[&str]) -> Vec<PathBuf> {
    let folders = parents
        .iter()
        .flat_map(|parent| within.iter().map(|name| parent.join(name)));
    // Joining "" leaves a slash at the end, which looks odd in messages; going through the components drops it.
    folders.map(|folder| folder.components().collect()).collect()
}

/// Says how to get the files.
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
        Data::Cifar10 => cifar_help("cifar-10-binary.tar.gz", "cifar-10-batches-bin"),
        Data::Cifar100 => cifar_help("cifar-100-binary.tar.gz", "cifar-100-binary"),
    }
}

fn cifar_help(archive: &str, folder: &str) -> String {
    format!(
        "download the binary version, {archive}, from https://www.cs.toronto.edu/~kriz/cifar.html, unpack it in one of \
         these folders, which gives {folder}, or name its folder with --data DIR"
    )
}

/// Refuses MNIST if Fashion-MNIST is wanted, and the reverse. Both have the same file names and sizes; the first ten
/// training labels differ. Files that are neither are accepted: they may be a user's own data.
pub(super) fn refuse_the_other(data: Data, train: &Half) -> Result<(), DataError> {
    let other = match data {
        Data::Mnist => (Data::FashionMnist, [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]),
        _ => (Data::Mnist, [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]),
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
