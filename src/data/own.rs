//! One's own data sets, whose files and classes the configuration names.
//!
//! `files` is a folder, or a folder and the beginning of the names: `emnist` stands for
//! `emnist/train-images-idx3-ubyte`, and `emnist/emnist-letters` for `emnist/emnist-letters-train-images-idx3-ubyte`.

use std::path::{Path, PathBuf};

use super::half::{Half, classes_of};
use super::images::RawImages;
use super::places::{existing, parents};
use super::{DataError, bytes, csv, error, idx, official, tensors};
use crate::config::Data;

/// The names of a half: the first one is the usual one.
const HALVES: [&[&str]; 2] = [&["train"], &["test", "t10k"]];

/// Returns the kinds of the files of a half, each with its possible endings. Names end with the half and one of them.
fn kinds(data: &Data) -> &'static [&'static [&'static str]] {
    match data {
        Data::Csv { .. } => &[&[".csv"]],
        Data::Safetensors { .. } => &[&[".safetensors"]],
        _ => &[
            &["-images-idx3-ubyte", "-images-idx4-ubyte"],
            &["-labels-idx1-ubyte", "-labels-idx2-int", "-labels-idx1-int"],
        ],
    }
}

/// Reads the training and the test half.
pub(super) fn read(data: &Data, dir: Option<&Path>) -> Result<[Half; 2], DataError> {
    let found = find(data, dir)?;
    let halves = match data {
        Data::Idx {
            classes, first_label, ..
        } => found.map(|files| of_idx(&files, (*first_label, *classes))),
        Data::Csv {
            classes,
            first_label,
            label,
            ..
        } => {
            let [train, test] = found;
            let (train, test) = (csv::Table::read(&train[0])?, csv::Table::read(&test[0])?);
            train.has_columns_of(&test)?;
            [train, test].map(|table| table.half(label, (*first_label, *classes)))
        }
        Data::Safetensors {
            classes, first_label, ..
        } => found.map(|files| tensors::half(&files[0], (*first_label, *classes))),
        _ => unreachable!("official data sets are read elsewhere"),
    };
    let [train, test] = halves;
    let halves = [train?, test?];
    for half in &halves {
        has_shape(half, data)?;
    }
    Ok(halves)
}

/// Reads an IDX file of images and one of labels that begin at `first`.
fn of_idx(files: &[PathBuf], (first, classes): (u32, usize)) -> Result<Half, DataError> {
    let [images_file, labels_file] = [0, 1].map(|at| files[at].display().to_string());
    let images = idx::any_images(&images_file, &bytes::of_file(&files[0])?)?;
    let labels = idx::any_labels(&labels_file, &bytes::of_file(&files[1])?)?;
    let labels = classes_of(&labels_file, labels.into_iter(), first, classes)?;
    let half = Half {
        images_file,
        labels_file,
        images,
        labels,
    };
    half.fits()?;
    Ok(half)
}

/// Refuses examples of another shape than the configuration gives, and images that seem to have their channels last.
fn has_shape(half: &Half, data: &Data) -> Result<(), DataError> {
    let unexpected = |expected: String| {
        Err(DataError::Unexpected {
            file: half.images_file.clone(),
            place: "header".to_owned(),
            found: error::shaped(&half.images.shape()),
            expected,
        })
    };
    match data.shape() {
        Some(shape) if shape != half.images.shape() => {
            unexpected(format!("{}, as the configuration says", error::shaped(&shape)))
        }
        None if data.is_images() && has_channels_last(&half.images) => unexpected(
            format!(
                "examples × channels × height × width; if the channels are last, as in images.shape of NumPy, write \
             images.transpose(0, 3, 1, 2), and if they are not, set `shape: {:?}`",
                half.images.shape()
            )
            .replace('[', "(")
            .replace(']', ")"),
        ),
        _ => Ok(()),
    }
}

/// Returns whether the last dimension is that of colours, and the first one is too large for channels.
fn has_channels_last(images: &RawImages) -> bool {
    let [channels, _, width] = images.shape();
    channels > 4 && matches!(width, 1 | 3 | 4)
}

/// Finds the files of the training and of the test half, each half's in the order of [`kinds`].
fn find(data: &Data, dir: Option<&Path>) -> Result<[Vec<PathBuf>; 2], DataError> {
    let (Data::Idx { files, .. } | Data::Csv { files, .. } | Data::Safetensors { files, .. }) = data else {
        unreachable!("official data sets are found elsewhere")
    };
    let parents = folders(dir);
    let mut nearly: Option<Vec<String>> = None;
    for parent in &parents {
        let base = parent.join(files);
        for start in [format!("{}/", base.display()), format!("{}-", base.display())] {
            let found = search(&start, data);
            if found.iter().flatten().all(Result::is_ok) {
                return Ok(found.map(|half| half.into_iter().filter_map(Result::ok).collect()));
            }
            let has_some = found.iter().flatten().any(Result::is_ok);
            let lacking = found.into_iter().flatten().filter_map(Result::err).collect();
            if has_some && nearly.is_none() {
                nearly = Some(lacking);
            }
        }
    }
    let lacking = nearly.unwrap_or_else(|| {
        let all = search(&format!("{files}-"), data).into_iter().flatten();
        all.filter_map(Result::err).collect()
    });
    Err(DataError::MissingOwn {
        name: official::name(data),
        lacking,
        looked: parents,
        help: format!(
            "files may end in .gz, and may lie in a folder {files} without the beginning of their names; put them there, \
             or name with --data DIR the folder in which `files` begins"
        ),
    })
}

/// Returns the folders in which `files` may begin.
fn folders(dir: Option<&Path>) -> Vec<PathBuf> {
    let here = dir.is_none().then(|| PathBuf::from("."));
    parents(dir).into_iter().chain(here).collect()
}

/// Returns the files whose names begin with `start`, or the usual names of the missing ones.
fn search(start: &str, data: &Data) -> [Vec<Result<PathBuf, String>>; 2] {
    HALVES.map(|halves| {
        let file = |endings: &&[&str]| {
            let mut names = halves
                .iter()
                .flat_map(|half| endings.iter().map(move |ending| format!("{start}{half}{ending}")));
            let found = names.find_map(|name| existing(Path::new(""), &name));
            found.ok_or_else(|| format!("{start}{}{}", halves[0], endings[0]))
        };
        kinds(data).iter().map(file).collect()
    })
}
