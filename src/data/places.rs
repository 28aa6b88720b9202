//! Finds the files of data sets on disk.

use std::path::{Path, PathBuf};

use super::half::Half;
use super::{DataError, Official};
use crate::user_folders::{Kind, user_folder};

/// The folder in which Debian's data set packages install.
const DEBIAN: &str = "/usr/share/datasets";

/// Returns the names of the files of the training and of the test half. On disk, a name may end in `.gz` or have a dot
/// in place of a hyphen. For IDX, the images come before the labels.
fn names(data: Official) -> [&'static [&'static str]; 2] {
    match data {
        Official::FashionMnistSubset | Official::FashionMnist | Official::Mnist => [
            &["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
            &["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
        ],
        Official::Cifar10 => [
            &[
                "data_batch_1.bin",
                "data_batch_2.bin",
                "data_batch_3.bin",
                "data_batch_4.bin",
                "data_batch_5.bin",
            ],
            &["test_batch.bin"],
        ],
        Official::Cifar100 => [&["train.bin"], &["test.bin"]],
    }
}

/// Returns the names of the missing files. `found` has the existing files of the training and of the test half.
/// The last batches of CIFAR-10 may be absent, but no batch before an existing one.
fn lacking(data: Official, found: &[Vec<Option<PathBuf>>; 2]) -> Vec<&'static str> {
    let needed_of_train = match data {
        Official::Cifar10 => found[0].iter().rposition(Option::is_some).map_or(1, |last| last + 1),
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
pub(super) fn find(data: Official, dir: Option<&Path>) -> Result<[Vec<PathBuf>; 2], DataError> {
    if let Some(dir) = dir.filter(|dir| dir.exists() && !dir.is_dir()) {
        return Err(DataError::NotAFolder {
            path: dir.to_owned(),
            name: data.name(),
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
                other_cifar(data, folder)
            };
        }
    }
    let names = names(data).map(|half| half.join(", ")).join(", ");
    let mut wanted = format!("expected {names}, each with or without .gz");
    if let Some(nearly) = nearly {
        wanted = format!("{wanted}; {nearly}");
    }
    Err(DataError::Missing {
        name: data.name(),
        wanted,
        parents,
        within: within.iter().copied().filter(|folder| !folder.is_empty()).collect(),
        help: help(data),
    })
}

/// Says what `folder` has instead of this CIFAR data set: the other one, or the files for Python.
fn other_cifar(wanted: Official, folder: &Path) -> Option<String> {
    let (other, python) = match wanted {
        Official::Cifar10 => (
            Official::Cifar100,
            ["data_batch_1", "cifar-10-batches-py", "cifar-10-python.tar.gz"],
        ),
        Official::Cifar100 => (
            Official::Cifar10,
            ["train", "cifar-100-python", "cifar-100-python.tar.gz"],
        ),
        Official::FashionMnistSubset | Official::FashionMnist | Official::Mnist => return None,
    };
    let place = folder.display();
    if existing(folder, names(other)[0][0]).is_some() {
        return Some(format!("{place} holds {}", other.name()));
    }
    let found = python.iter().find(|name| folder.join(name).exists())?;
    Some(format!(
        "{place} has {found}, which belongs to the Python version; it holds pickled objects, which this program does not \
         read"
    ))
}

/// Returns the path of the file under any of its names, if it exists.
pub(super) fn existing(folder: &Path, name: &str) -> Option<PathBuf> {
    // Some tools unpack IDX files with a dot before the kind.
    let mut spellings = [name.to_owned(), name.replace("-idx", ".idx")]
        .into_iter()
        .flat_map(|name| ["", ".gz"].map(|gz| folder.join(format!("{name}{gz}"))));
    // A dangling link counts as existing: the error of reading it says more than "not found".
    spellings.find(|path| path.symlink_metadata().is_ok_and(|found| !found.is_dir()))
}

/// Returns the possible names of a data set's folder, in order of search. "" is the parent itself. Named folders come
/// before it, because MNIST and Fashion-MNIST use the same file names.
fn within(data: Official) -> &'static [&'static str] {
    match data {
        Official::Mnist => &["mnist", "MNIST/raw", "MNIST", "", "raw"],
        Official::FashionMnist | Official::FashionMnistSubset => &[
            "fashion-mnist",
            "FashionMNIST/raw",
            "FashionMNIST",
            "fashion_mnist",
            "",
            "raw",
        ],
        Official::Cifar10 => &["cifar-10-batches-bin", ""],
        Official::Cifar100 => &["cifar-100-binary", ""],
    }
}

/// Returns the parents of such folders, in order of search.
pub(super) fn parents(dir: Option<&Path>) -> Vec<PathBuf> {
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
fn help(data: Official) -> String {
    match data {
        Official::Mnist => "put the four files into one of these folders (torchvision.datasets.MNIST(\"data\", \
                        download=True) puts them into data/MNIST/raw), or name their folder with --data DIR"
            .to_owned(),
        Official::FashionMnist | Official::FashionMnistSubset => {
            "install the Debian package dataset-fashion-mnist, or put the four files of \
             https://github.com/zalandoresearch/fashion-mnist into one of these folders, or name their folder with \
             --data DIR; data: FashionMnistSubset needs no files"
                .to_owned()
        }
        Official::Cifar10 => cifar_help("cifar-10-binary.tar.gz", "cifar-10-batches-bin"),
        Official::Cifar100 => cifar_help("cifar-100-binary.tar.gz", "cifar-100-binary"),
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
pub(super) fn refuse_the_other(data: Official, train: &Half) -> Result<(), DataError> {
    let other = match data {
        Official::Mnist => (Official::FashionMnist, [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]),
        _ => (Official::Mnist, [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]),
    };
    if train.labels.starts_with(&other.1) {
        return Err(DataError::OtherDataset {
            file: train.labels_file.clone(),
            found: other.0.name(),
            wanted: data.name(),
        });
    }
    Ok(())
}
