//! Parses the text of a config, and reports the position of the first error.

use std::fmt::Write as _;
use std::path::Path;

use serde_path_to_error::Segment;

use super::ConfigError;
use super::explain::{malformed, misread};
use super::schema::ron_options;
use super::settings::Document;

/// Parses a config.
///
/// # Errors
/// Fails at the first text that is not RON, value of a wrong type, or unknown name. The error has its position and its
/// dotted field.
pub(super) fn parse(text: &str, path: &Path) -> Result<Document, ConfigError> {
    // Some editors open a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut deserializer = ron::Deserializer::from_str_with_options(text, &ron_options())
        .map_err(|error| malformed(path, text, String::new(), &error))?;
    let document = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = dotted(error.path());
        malformed(path, text, field, &deserializer.span_error(error.into_inner()))
    })?;
    deserializer
        .end()
        .map_err(|code| malformed(path, text, String::new(), &deserializer.span_error(code)))?;
    misread(path, text).map_or(Ok(document), Err)
}

/// Formats the path of a field: names and indices, without the names of enum variants.
fn dotted(path: &serde_path_to_error::Path) -> String {
    let mut dotted = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => drop(write!(dotted, "[{index}]")),
            Segment::Map { key } if dotted.is_empty() => dotted.push_str(key),
            Segment::Map { key } => drop(write!(dotted, ".{key}")),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    dotted
}
