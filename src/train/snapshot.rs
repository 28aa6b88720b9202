//! The state of a cell between two steps, in a form that a file can hold: named values and named arrays.
//!
//! Only `run.rs` lists the parts; this file and the code that writes snapshots to disk do not name them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use burn::tensor::Tensor;
use ron::value::RawValue;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use sharpness::model::RunningStatistics;

use super::last_values::LastValues;
use crate::event::Summary;

/// The name of the last values among the parts.
pub(super) const SUMMARY: &str = "summary";

/// The state of a cell between two steps. Tensors are shared, not copied.
#[derive(Clone)]
pub struct Snapshot {
    /// The position of the cell.
    pub position: Position,
    /// The parameters, `[parameters]`.
    pub parameters: Tensor<1>,
    /// The running statistics of the batch-norm layers.
    pub running: Vec<RunningStatistics>,
    values: Vec<(Cow<'static, str>, Value)>,
    arrays: Vec<(Cow<'static, str>, Array)>,
}

/// The position of a cell between two steps. A later position compares as greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Position {
    /// Optimizer steps taken.
    pub step: u64,
    /// Whether everything that was due after that step has been measured and written.
    pub observed: bool,
}

/// Numbers that are not written as text because they are too many.
#[derive(Clone)]
pub enum Array {
    /// Floating-point numbers, in consecutive pieces.
    Numbers(Vec<Tensor<1>>),
    /// Indices in some order.
    Indices(Arc<Vec<usize>>),
}

/// A value. It is converted to text only when the snapshot is written.
#[derive(Clone)]
enum Value {
    Taken(Arc<dyn AsRon>),
    Read(Box<RawValue>),
}

trait AsRon: Send + Sync {
    fn to_ron(&self) -> Result<String, ron::Error>;
}

impl<T: Serialize + Send + Sync> AsRon for T {
    fn to_ron(&self) -> Result<String, ron::Error> {
        ron::to_string(self)
    }
}

impl Value {
    fn to_ron(&self) -> Result<Cow<'_, str>, ron::Error> {
        match self {
            Self::Taken(value) => value.to_ron().map(Cow::Owned),
            Self::Read(text) => Ok(Cow::Borrowed(text.get_ron())),
        }
    }
}

/// Why a cell cannot go on from a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A part is missing.
    #[error("its state has no `{0}`")]
    Missing(String),
    /// A value cannot be parsed.
    #[error("`{name}` of its state cannot be read")]
    Value {
        /// Its name.
        name: String,
        /// What is wrong.
        #[source]
        source: ron::Error,
    },
    /// An array has the wrong length or kind.
    #[error("its tensor `{name}` does not have the {expected} numbers that the cell needs")]
    Length {
        /// Its name.
        name: String,
        /// How many numbers it should have.
        expected: usize,
    },
    /// An order has an index out of range.
    #[error("its tensor `{0}` names examples that do not exist")]
    Order(String),
}

impl Snapshot {
    /// Returns a snapshot without any other parts yet.
    pub fn new(position: Position, parameters: Tensor<1>, running: Vec<RunningStatistics>) -> Self {
        Self {
            position,
            parameters,
            running,
            values: Vec::new(),
            arrays: Vec::new(),
        }
    }

    /// Returns the snapshot that a file holds: its values as the text `words`, and its arrays.
    ///
    /// # Errors
    ///
    /// Returns an error if the text was not made by [`Snapshot::words`].
    pub fn read(
        words: &str,
        parameters: Tensor<1>,
        running: Vec<RunningStatistics>,
        arrays: Vec<(String, Array)>,
    ) -> Result<Self, ron::error::SpannedError> {
        let Fields(mut values) = ron::from_str(words)?;
        values.retain(|(name, _)| name != "step" && name != "observed");
        let values = values.into_iter().map(|(name, text)| (name.into(), Value::Read(text)));
        let arrays = arrays.into_iter().map(|(name, array)| (name.into(), array));
        Ok(Self {
            position: Position::read(words)?,
            parameters,
            running,
            values: values.collect(),
            arrays: arrays.collect(),
        })
    }

    /// Returns the values as text: a struct in RON.
    ///
    /// # Errors
    ///
    /// Returns an error if RON cannot represent a value.
    pub fn words(&self) -> Result<String, ron::Error> {
        let Position { step, observed } = self.position;
        let mut words = format!("(step:{step},observed:{observed}");
        for (name, value) in &self.values {
            words.extend([",", name, ":", &value.to_ron()?]);
        }
        words.push(')');
        Ok(words)
    }

    /// Returns the arrays, by name.
    pub fn arrays(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.arrays.iter().map(|(name, array)| (name.as_ref(), array))
    }

    /// Returns the last values of the cell.
    ///
    /// # Errors
    ///
    /// Returns an error if they are missing or cannot be parsed.
    pub fn summary(&self) -> Result<Summary, SnapshotError> {
        let LastValues(summary) = self
            .value(SUMMARY)?
            .ok_or_else(|| SnapshotError::Missing(SUMMARY.to_owned()))?;
        Ok(summary)
    }

    pub(super) fn add_value(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Serialize + Send + Sync + 'static,
    ) {
        self.values.push((name.into(), Value::Taken(Arc::new(value))));
    }

    pub(super) fn add_array(&mut self, name: Cow<'static, str>, array: Array) {
        self.arrays.push((name, array));
    }

    /// Returns the value of this name, or `None` if there is none.
    pub(super) fn value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SnapshotError> {
        let found = self.values.iter().find(|(own, _)| own == name);
        let read = found.map(|(_, value)| ron::from_str(&value.to_ron()?).map_err(|error| error.code));
        read.transpose().map_err(|source| SnapshotError::Value {
            name: name.to_owned(),
            source,
        })
    }

    pub(super) fn array(&self, name: &str) -> Option<&Array> {
        let found = self.arrays.iter().find(|(own, _)| own == name);
        found.map(|(_, array)| array)
    }
}

impl Position {
    /// Reads the position from the text of a snapshot.
    ///
    /// # Errors
    ///
    /// Returns an error if the text was not made by [`Snapshot::words`].
    pub fn read(words: &str) -> Result<Self, ron::error::SpannedError> {
        ron::from_str(words)
    }
}

/// The fields of a RON struct, each with its text.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a struct")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_struct("State", &[], Any)
    }
}
