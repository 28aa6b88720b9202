//! Serialization of a path in JSON: a string, or a list of bytes if the path is not valid UTF-8.
//!
//! A Unix path may contain any bytes; serde's own implementation accepts only UTF-8.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum AnyPath {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&Path> for AnyPath {
    fn from(path: &Path) -> Self {
        path.to_str().map_or_else(
            || Self::Bytes(path.as_os_str().as_bytes().to_vec()),
            |text| Self::Text(text.to_owned()),
        )
    }
}

impl From<AnyPath> for PathBuf {
    fn from(path: AnyPath) -> Self {
        match path {
            AnyPath::Text(text) => text.into(),
            AnyPath::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }
}

pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    AnyPath::from(path).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    AnyPath::deserialize(deserializer).map(PathBuf::from)
}

/// The same serialization for an optional path.
pub(crate) mod option {
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::AnyPath;

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
        path.as_deref().map(AnyPath::from).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<AnyPath>::deserialize(deserializer)?.map(PathBuf::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Both {
        #[serde(with = "super")]
        path: PathBuf,
        #[serde(default, with = "super::option")]
        other: Option<PathBuf>,
    }

    #[test]
    fn every_path_comes_back_as_it_was_and_text_stays_text() {
        let bytes = |bytes: &[u8]| PathBuf::from(OsString::from_vec(bytes.to_vec()));
        for (path, json) in [
            ("runs/λ".into(), r#"{"path":"runs/λ","other":null}"#),
            (bytes(b"r\xff"), r#"{"path":[114,255],"other":null}"#),
        ] {
            let both = Both { path, other: None };
            assert_eq!(serde_json::to_string(&both).unwrap(), json);
            assert_eq!(serde_json::from_str::<Both>(json).unwrap(), both);
        }
        let both = Both {
            path: "a".into(),
            other: Some(bytes(b"\x80")),
        };
        let json = serde_json::to_string(&both).unwrap();
        assert_eq!(serde_json::from_str::<Both>(&json).unwrap(), both);
        assert_eq!(serde_json::from_str::<Both>(r#"{"path":"a"}"#).unwrap().other, None);
    }
}
