//! The state of a cell between two steps, as a file can have it: values and arrays by name.
//!
//! `run.rs` lists the parts, once: neither this file nor whoever writes a snapshot to a disk names them.

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
    /// Where the cell is.
    pub position: Position,
    /// `[parameters]`.
    pub parameters: Tensor<1>,
    /// Of the batch-norm layers.
    pub running: Vec<RunningStatistics>,
    values: Vec<(Cow<'static, str>, Value)>,
    arrays: Vec<(Cow<'static, str>, Array)>,
}

/// Between which steps a cell is. The later of two is the larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Position {
    /// Optimizer steps taken.
    pub step: u64,
    /// Whether what was due after that step has been measured and written down.
    pub observed: bool,
}

/// Numbers that are too many to be written as text.
#[derive(Clone)]
pub enum Array {
    /// Floating-point numbers, in pieces that follow each other.
    Numbers(Vec<Tensor<1>>),
    /// Positions in some order.
    Indices(Arc<Vec<usize>>),
}

/// A value, which is written as text only where the snapshot is.
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
    /// A part is not there.
    #[error("its state has no `{0}`")]
    Missing(String),
    /// A value is something else.
    #[error("`{name}` of its state cannot be read")]
    Value {
        /// Its name.
        name: String,
        /// What is wrong.
        #[source]
        source: ron::Error,
    },
    /// An array is too long, too short or of another kind.
    #[error("its tensor `{name}` does not have the {expected} numbers that the cell wants")]
    Length {
        /// Its name.
        name: String,
        /// How many numbers it should have.
        expected: usize,
    },
    /// An order names what is not there.
    #[error("its tensor `{0}` names examples that are not there")]
    Order(String),
}

impl Snapshot {
    /// A snapshot without any further parts yet.
    pub(super) fn new(position: Position, parameters: Tensor<1>, running: Vec<RunningStatistics>) -> Self {
        Self {
            position,
            parameters,
            running,
            values: Vec::new(),
            arrays: Vec::new(),
        }
    }

    /// A snapshot whose values stood in a file as `words`, with the arrays that stood beside them.
    ///
    /// # Errors
    ///
    /// Words that [`Snapshot::words`] did not give.
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

    /// The values as text, a struct in RON.
    ///
    /// # Errors
    ///
    /// A value that RON has no text for.
    pub fn words(&self) -> Result<String, ron::Error> {
        let Position { step, observed } = self.position;
        let mut words = format!("(step:{step},observed:{observed}");
        for (name, value) in &self.values {
            words.extend([",", name, ":", &value.to_ron()?]);
        }
        words.push(')');
        Ok(words)
    }

    /// What does not stand among the values, by name.
    pub fn arrays(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.arrays.iter().map(|(name, array)| (name.as_ref(), array))
    }

    /// The last values of the cell.
    ///
    /// # Errors
    ///
    /// Where they are not there, or are something else.
    pub fn summary(&self) -> Result<Summary, SnapshotError> {
        let LastValues(summary) = self
            .value(SUMMARY)?
            .ok_or_else(|| SnapshotError::Missing(SUMMARY.to_owned()))?;
        Ok(summary)
    }

    pub(super) fn add_value(&mut self, name: &'static str, value: impl Serialize + Send + Sync + 'static) {
        self.values.push((name.into(), Value::Taken(Arc::new(value))));
    }

    pub(super) fn add_array(&mut self, name: Cow<'static, str>, array: Array) {
        self.arrays.push((name, array));
    }

    /// The value of that name; none where there is none.
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
    /// The position in the words of a snapshot.
    ///
    /// # Errors
    ///
    /// Words that [`Snapshot::words`] did not give.
    pub fn read(words: &str) -> Result<Self, ron::error::SpannedError> {
        ron::from_str(words)
    }
}

/// The fields of a struct in RON, each with its text.
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
