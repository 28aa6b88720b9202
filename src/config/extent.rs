//! `Full`, or a number of examples.

use std::fmt;

use ron::value::RawValue;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// All of something, written `Full`, or a number of examples, written as the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All there are.
    Full,
    /// So many examples.
    Count(usize),
}

impl Extent {
    /// How many that is of so many there are.
    #[must_use]
    pub fn of(self, available: usize) -> usize {
        match self {
            Self::Full => available,
            Self::Count(count) => count,
        }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("Full"),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

impl Serialize for Extent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Full => serializer.serialize_unit_variant("Extent", 0, "Full"),
            Self::Count(count) => count.serialize(serializer),
        }
    }
}

/// RON cannot tell a visitor which identifier it met, so the text of the value is read and looked at.
impl<'de> Deserialize<'de> for Extent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        enum Keyword {
            Full,
        }

        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if let Ok(Keyword::Full) = raw.into_rust() {
            return Ok(Self::Full);
        }
        raw.into_rust().map(Self::Count).map_err(|_| {
            let found = format!("`{}`", raw.get_ron().trim());
            D::Error::invalid_value(Unexpected::Other(&found), &"`Full` or a whole number of examples")
        })
    }
}
