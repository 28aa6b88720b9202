//! Data sets on the device. A data set stays loaded if the next cell uses the same one.

use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device};
use sharpness::model::Examples;

use super::memory::{Account, DataTooLarge};
use crate::config::{FilesHold, Precision, Selection, Settings};
use crate::data::{DataError, Dataset};
use crate::device::OpenDevice;
use crate::record::DataMark;

/// A data set on the device.
pub struct Loaded {
    key: Key,
    /// Training examples.
    pub train: Examples,
    /// Test examples.
    pub test: Examples,
    /// [channels, height, width] of an image.
    pub shape: [usize; 3],
    /// The number of classes.
    pub classes: usize,
    /// The standardized value of a black pixel, one per channel.
    pub black: Vec<f32>,
}

impl Loaded {
    /// Returns the memory it takes on the device, in bytes: pixels and one-hot labels.
    pub(super) fn bytes(&self) -> u64 {
        let numbers = self.shape.iter().product::<usize>() + self.classes;
        ((self.train.len() + self.test.len()) * numbers * self.key.dtype.size()) as u64
    }
}

/// Identifies the numbers that are on the device.
#[derive(Clone, PartialEq)]
struct Key {
    selection: Selection,
    dtype: DType,
}

/// Loads data sets and keeps the last one.
pub struct Datasets {
    device: Device,
    dir: Option<PathBuf>,
    last: Option<Loaded>,
    marks: Vec<DataMark>,
    doubts: Vec<String>,
    memory: Account,
}

impl Datasets {
    /// Returns an empty collection. `dir` is the folder of the data sets, if they are not in the usual places.
    pub fn new(device: Device, dir: Option<PathBuf>) -> Self {
        Self {
            device,
            dir,
            last: None,
            marks: Vec::new(),
            doubts: Vec::new(),
            memory: Account::open(),
        }
    }

    /// Returns the account of the memory that the process held before any data set was read.
    pub(super) fn memory(&self) -> &Account {
        &self.memory
    }

    /// Returns the folder of the data sets, if the user named one.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Counts the examples of every data set of open length that the settings name.
    ///
    /// # Errors
    ///
    /// Returns the error of the first data set that cannot be read.
    pub fn count<'s>(&self, settings: impl Iterator<Item = &'s Settings>) -> Result<Vec<FilesHold>, DataError> {
        let mut counted: Vec<FilesHold> = Vec::new();
        for data in settings.map(|s| &s.data).filter(|data| data.has_open_length()) {
            if counted.iter().all(|hold| !hold.data.is_same(data)) {
                counted.push(Dataset::count(data, self.dir.as_deref())?);
            }
        }
        Ok(counted)
    }

    /// Checks that each of the data sets that the settings select fits into memory by itself.
    ///
    /// # Errors
    ///
    /// Returns the error of the first data set that does not fit.
    pub fn check_room<'s>(
        &self,
        settings: impl Iterator<Item = &'s Settings>,
        device: &OpenDevice,
    ) -> Result<(), DataTooLarge> {
        let mut checked: Vec<(Selection, Precision)> = Vec::new();
        for settings in settings {
            let kind = (settings.selection(), settings.precision);
            if !checked.contains(&kind) {
                self.memory.check_data(settings, device)?;
                checked.push(kind);
            }
        }
        Ok(())
    }

    /// Reads every data set that the settings select, and records its mark and its oddities.
    ///
    /// # Errors
    ///
    /// Returns the error of the first data set that cannot be read.
    pub fn try_all<'s>(&mut self, settings: impl Iterator<Item = &'s Settings>) -> Result<(), DataError> {
        let mut tried: Vec<Selection> = Vec::new();
        for selection in settings.map(Settings::selection) {
            if !tried.contains(&selection) {
                let set = Dataset::load(&selection, self.dir.as_deref())?;
                self.marks.push(DataMark {
                    set: format!("{}, {} + {} examples", set.name, set.train.len(), set.test.len()),
                    crc32: format!("{:08x}", set.crc32()),
                });
                // Two selections from one data set can have the same doubt.
                for doubt in set.doubts() {
                    if !self.doubts.contains(&doubt) {
                        self.doubts.push(doubt);
                    }
                }
                tried.push(selection);
            }
        }
        Ok(())
    }

    /// Returns the marks of the data sets that [`Self::try_all`] read, in that order. A mark identifies the contents of
    /// a data set.
    pub fn marks(&self) -> &[DataMark] {
        &self.marks
    }

    /// Returns what is odd about the data sets that [`Self::try_all`] read, one sentence each.
    pub fn doubts(&self) -> &[String] {
        &self.doubts
    }

    /// Returns the data set of `settings` in the format `dtype`.
    ///
    /// # Errors
    ///
    /// Returns an error if the data set cannot be read, or if its number of examples has changed since the settings
    /// were settled.
    pub fn get(&mut self, settings: &Settings, dtype: DType) -> Result<&Loaded, DataError> {
        let key = Key {
            selection: settings.selection(),
            dtype,
        };
        let loaded = match self.last.take().filter(|loaded| loaded.key == key) {
            Some(loaded) => loaded,
            None => self.load(key, settings)?,
        };
        Ok(self.last.insert(loaded))
    }

    fn load(&self, key: Key, settings: &Settings) -> Result<Loaded, DataError> {
        let set = Dataset::load(&key.selection, self.dir.as_deref())?;
        for (kind, found, expected) in [
            ("training", set.train.len(), settings.train_len()),
            ("test", set.test.len(), settings.test_len()),
        ] {
            // Steps, epochs and the names of probes were computed with the expected number.
            if found != expected {
                return Err(DataError::Changed {
                    name: set.name,
                    kind,
                    found,
                    expected,
                });
            }
        }
        let dtype = key.dtype;
        let upload =
            |half: &crate::data::Images| Examples::upload(&half.pixels, &half.labels, set.classes, &self.device, dtype);
        Ok(Loaded {
            key,
            train: upload(&set.train),
            test: upload(&set.test),
            shape: set.shape,
            classes: set.classes,
            black: set.black,
        })
    }
}
