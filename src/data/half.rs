//! One half of a data set (training or test) in the form that its files have.

use std::path::Path;

use super::images::RawImages;
use super::{DataError, balance, bytes, idx, official};
use crate::config::{Data, Extent, Subset};

/// Images and their labels, and the names of their files for error messages.
pub(super) struct Half {
    pub(super) images_file: String,
    pub(super) labels_file: String,
    pub(super) images: RawImages,
    pub(super) labels: Vec<u8>,
}

impl Half {
    /// Reads and decodes an IDX file of images and one of labels below `classes`.
    pub(super) fn of_idx(images: &Path, labels: &Path, classes: usize) -> Result<Self, DataError> {
        let name = |path: &Path| path.display().to_string();
        let contents = (bytes::of_file(images)?, bytes::of_file(labels)?);
        Self::decode_idx((name(images), &contents.0), (name(labels), &contents.1), classes)
    }

    /// Decodes the contents of an image file and of its label file and checks that they belong together.
    pub(super) fn decode_idx(
        images: (String, &[u8]),
        labels: (String, &[u8]),
        classes: usize,
    ) -> Result<Self, DataError> {
        let half = Self {
            images: idx::images(&images.0, images.1)?,
            labels: idx::labels(&labels.0, labels.1)?,
            images_file: images.0,
            labels_file: labels.0,
        };
        half.fits()?;
        check_labels(&half.labels_file, "label", &half.labels, classes)?;
        Ok(half)
    }

    /// Refuses a number of labels that differs from the number of images.
    pub(super) fn fits(&self) -> Result<(), DataError> {
        if self.images.count == self.labels.len() {
            return Ok(());
        }
        Err(DataError::CountsDiffer {
            images_file: self.images_file.clone(),
            images: self.images.count,
            labels_file: self.labels_file.clone(),
            labels: self.labels.len(),
        })
    }

    /// Refuses a number of examples that differs from `expected`, the number of `data`.
    pub(super) fn has(&self, expected: usize, data: &Data) -> Result<(), DataError> {
        if self.images.count == expected {
            return Ok(());
        }
        Err(DataError::Count {
            file: self.images_file.clone(),
            found: self.images.count,
            expected,
            name: official::name(data),
        })
    }

    /// Keeps `extent` examples, chosen by `subset` if that is not all of them. `stream` selects the random stream, so
    /// that the two halves have different draws.
    pub(super) fn cut(
        mut self,
        extent: Extent,
        subset: Subset,
        classes: usize,
        stream: u64,
    ) -> Result<(RawImages, Vec<u8>), DataError> {
        let found = self.images.count;
        let wanted = extent.of(found);
        if wanted == 0 || wanted > found {
            return Err(DataError::Examples {
                file: self.images_file,
                wanted,
                found,
            });
        }
        match subset {
            Subset::Balanced { seed } if wanted < found => {
                let kept = balance::draw(&self.labels, classes, wanted, seed, stream);
                let kept = kept.map_err(|lack| lack.in_file(self.labels_file, wanted))?;
                self.images.keep(&kept);
                self.labels = kept.iter().map(|&i| self.labels[i]).collect();
            }
            Subset::First | Subset::Balanced { .. } => {
                self.images.truncate(wanted);
                self.labels.truncate(wanted);
            }
        }
        Ok((self.images, self.labels))
    }
}

/// Refuses labels that are not classes. Messages call the labels `kind`.
pub(super) fn check_labels(file: &str, kind: &'static str, labels: &[u8], classes: usize) -> Result<(), DataError> {
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        None => Ok(()),
        Some(index) => Err(DataError::Label {
            file: file.to_owned(),
            kind,
            index,
            label: labels[index].into(),
            lowest: 0,
            highest: classes.saturating_sub(1),
        }),
    }
}

/// Returns the largest label of so many classes.
pub(super) fn highest(first: u32, classes: usize) -> usize {
    first as usize + classes.saturating_sub(1)
}

/// Returns the classes of labels that begin at `first`.
pub(super) fn classes_of(
    file: &str,
    labels: impl Iterator<Item = i64>,
    first: u32,
    classes: usize,
) -> Result<Vec<u8>, DataError> {
    let class = |(index, label): (usize, i64)| {
        let class = label
            .checked_sub(first.into())
            .and_then(|class| u8::try_from(class).ok());
        class
            .filter(|&class| usize::from(class) < classes)
            .ok_or_else(|| DataError::Label {
                file: file.to_owned(),
                kind: "label",
                index,
                label,
                lowest: first,
                highest: highest(first, classes),
            })
    };
    labels.enumerate().map(class).collect()
}
