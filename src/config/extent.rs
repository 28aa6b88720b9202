//! A number of examples, or `Full`.

use std::fmt;

use ron::value::RawValue;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of examples: `Full` for all, or the number itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All available examples.
    Full,
    /// This number of examples.
    Count(usize),
}

impl Extent {
    /// Returns the number of examples if `available` examples exist.
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

/// Reads the raw text of the value, because RON does not pass identifiers to a visitor.
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
