//! Data sets on the device, kept from one cell to the next where both use the same.

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
    /// How many classes.
    pub classes: usize,
    /// What a black pixel is once standardized, one a channel.
    pub black: Vec<f32>,
}

impl Loaded {
    /// What it takes on the device: pixels, and labels one-hot.
    pub(super) fn bytes(&self) -> u64 {
        let numbers = self.shape.iter().product::<usize>() + self.classes;
        ((self.train.len() + self.test.len()) * numbers * self.key.dtype.size()) as u64
    }
}

/// What decides which numbers are on the device.
#[derive(Clone, Copy, PartialEq)]
struct Key {
    selection: Selection,
    dtype: DType,
}

/// Loads data sets and remembers the last.
pub struct Datasets {
    device: Device,
    dir: Option<PathBuf>,
    last: Option<Loaded>,
    marks: Vec<DataMark>,
    doubts: Vec<String>,
    memory: Account,
}

impl Datasets {
    /// Nothing is loaded yet; `dir` is where data sets lie, if not in the usual places.
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

    /// What the process held before any of them was read.
    pub(super) fn memory(&self) -> &Account {
        &self.memory
    }

    /// Where data sets lie, if the user said so.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Counts the examples of every data set of open length that the settings name.
    ///
    /// # Errors
    ///
    /// The first that cannot be read.
    pub fn count<'s>(&self, settings: impl Iterator<Item = &'s Settings>) -> Result<Vec<FilesHold>, DataError> {
        let mut counted: Vec<FilesHold> = Vec::new();
        for data in settings.map(|s| s.data).filter(|data| data.has_open_length()) {
            if counted.iter().all(|hold| hold.data != data) {
                let [train, test] = Dataset::count(data, self.dir.as_deref())?;
                counted.push(FilesHold { data, train, test });
            }
        }
        Ok(counted)
    }

    /// Looks whether the data sets that the settings select fit into memory, each by itself.
    ///
    /// # Errors
    ///
    /// The first that does not.
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

    /// Looks whether everything that the settings select can be read, marks it, and takes note of what is odd about it.
    ///
    /// # Errors
    ///
    /// The first that cannot.
    pub fn try_all<'s>(&mut self, settings: impl Iterator<Item = &'s Settings>) -> Result<(), DataError> {
        let mut tried: Vec<Selection> = Vec::new();
        for selection in settings.map(Settings::selection) {
            if !tried.contains(&selection) {
                let set = Dataset::load(selection, self.dir.as_deref())?;
                self.marks.push(DataMark {
                    set: format!("{}, {} + {} examples", set.name, set.train.len(), set.test.len()),
                    crc32: format!("{:08x}", set.crc32()),
                });
                // Two selections of one set can have the same doubt.
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

    /// What tells the data sets tried from others, in the order in which they were.
    pub fn marks(&self) -> &[DataMark] {
        &self.marks
    }

    /// What is odd about the data sets tried, a sentence each.
    pub fn doubts(&self) -> &[String] {
        &self.doubts
    }

    /// The data set of `settings` in the format `dtype`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or its files are no longer those that the settings were settled with.
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
        let set = Dataset::load(key.selection, self.dir.as_deref())?;
        for (kind, found, expected) in [
            ("training", set.train.len(), settings.train_len()),
            ("test", set.test.len(), settings.test_len()),
        ] {
            // Steps, epochs and the names of probes were reckoned with the latter.
            if found != expected {
                return Err(DataError::Changed {
                    name: set.name,
                    kind,
                    found,
                    expected,
                });
            }
        }
        let upload = |half: &crate::data::Images| {
            Examples::upload(&half.pixels, &half.labels, set.classes, &self.device, key.dtype)
        };
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
