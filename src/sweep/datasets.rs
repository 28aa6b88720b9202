//! Data sets on the device, kept from one cell to the next where both use the same.

use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device};

use crate::config::{Data, Extent, Settings};
use crate::data::{DataError, Dataset};
use crate::model::Examples;

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
}

/// What decides which numbers are on the device.
#[derive(Clone, Copy, PartialEq)]
struct Key {
    data: Data,
    train: Extent,
    test: Extent,
    dtype: DType,
}

/// Loads data sets and remembers the last.
pub struct Datasets {
    device: Device,
    dir: Option<PathBuf>,
    last: Option<Loaded>,
}

impl Datasets {
    /// Nothing is loaded yet; `dir` is where data sets lie, if not in the usual places.
    pub fn new(device: Device, dir: Option<PathBuf>) -> Self {
        Self {
            device,
            dir,
            last: None,
        }
    }

    /// Where data sets lie, if the user said so.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Looks whether every data set that the settings name can be read.
    ///
    /// # Errors
    ///
    /// The first that cannot.
    pub fn try_all<'s>(&self, settings: impl Iterator<Item = &'s Settings>) -> Result<(), DataError> {
        let mut tried: Vec<(Data, Extent, Extent)> = Vec::new();
        for s in settings {
            let key = (s.data, s.train_examples, s.test_examples);
            if !tried.contains(&key) {
                Dataset::load(s.data, s.train_examples, s.test_examples, self.dir.as_deref())?;
                tried.push(key);
            }
        }
        Ok(())
    }

    /// The data set of `settings` in the format `dtype`.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn get(&mut self, settings: &Settings, dtype: DType) -> Result<&Loaded, DataError> {
        let key = Key {
            data: settings.data,
            train: settings.train_examples,
            test: settings.test_examples,
            dtype,
        };
        let loaded = match self.last.take().filter(|loaded| loaded.key == key) {
            Some(loaded) => loaded,
            None => self.load(key)?,
        };
        Ok(self.last.insert(loaded))
    }

    fn load(&self, key: Key) -> Result<Loaded, DataError> {
        let set = Dataset::load(key.data, key.train, key.test, self.dir.as_deref())?;
        let upload = |half: &crate::data::Images| {
            Examples::upload(&half.pixels, &half.labels, set.classes, &self.device, key.dtype)
        };
        Ok(Loaded {
            key,
            train: upload(&set.train),
            test: upload(&set.test),
            shape: set.shape,
            classes: set.classes,
        })
    }
}
