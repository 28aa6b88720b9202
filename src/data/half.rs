//! One half of a data set as its files have it.

use std::path::Path;

use super::{DataError, balance, bytes, idx};
use crate::config::{Extent, Subset};

/// Images as bytes, n × C × H × W, black 0 and white 255.
pub(super) struct RawImages {
    pub(super) count: usize,
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) pixels: Vec<u8>,
}

impl RawImages {
    /// Height and width.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    /// Bytes of one channel of one image; at least 1, so that it may cut a slice.
    pub(super) fn plane_len(&self) -> usize {
        (self.height * self.width).max(1)
    }

    /// Keeps the first `count`.
    fn truncate(&mut self, count: usize) {
        self.count = self.count.min(count);
        self.pixels
            .truncate(self.count * self.channels * self.height * self.width);
    }

    /// Keeps those at `indices`, in that order.
    fn keep(&mut self, indices: &[usize]) {
        let image = self.channels * self.plane_len();
        let kept = indices.iter().flat_map(|&i| &self.pixels[i * image..(i + 1) * image]);
        self.pixels = kept.copied().collect();
        self.count = indices.len();
    }
}

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
        if half.images.count != half.labels.len() {
            return Err(DataError::CountsDiffer {
                images_file: half.images_file,
                images: half.images.count,
                labels_file: half.labels_file,
                labels: half.labels.len(),
            });
        }
        check_labels(&half.labels_file, "label", &half.labels, classes)?;
        Ok(half)
    }

    /// Refuses another number of examples than `expected`; `name` is the data set's.
    pub(super) fn has(&self, expected: usize, name: &'static str) -> Result<(), DataError> {
        if self.images.count == expected {
            return Ok(());
        }
        Err(DataError::Count {
            file: self.images_file.clone(),
            found: self.images.count,
            expected,
            name,
        })
    }

    /// As many examples as `extent` says, by `subset` where that is not all of them. `stream` tells the halves' draws
    /// apart.
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

/// Refuses labels that are no class; `kind` is what messages call them.
pub(super) fn check_labels(file: &str, kind: &'static str, labels: &[u8], classes: usize) -> Result<(), DataError> {
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        None => Ok(()),
        Some(index) => Err(DataError::Label {
            file: file.to_owned(),
            kind,
            index,
            label: labels[index],
            highest: classes.saturating_sub(1),
        }),
    }
}
